// The API as the console calls it, and its calls and tokens in words. Nothing here knows the page.
import specification from "./openapi.js";

/** The error of an answer that this API does not give. */
export const NOT_THE_API = {
  message: "The answer does not have the form that this API's answers have. Does the base URL end with /auth?",
};

const SECRETS = ["password", "newPassword", "confirmationCode", "session", "accessToken", "tokenId", "refreshToken"];
const MASK = "••••••••";
const PATIENCE = 35_000;

/** Whether a base URL is one of this machine, where nobody is sent a message. */
export const isLocal = (base) => ["127.0.0.1", "localhost"].includes(new URL(base).hostname);

/** The base URL in a text, without a slash at its end. Throws an Error that says what is wrong with it. */
export function readBase(text) {
  let url;
  try {
    url = new URL(text.trim());
  } catch {
    throw new Error("This is not a URL. A base URL looks like https://….amazonaws.com/production/auth.");
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal(url))) {
    throw new Error("Only https reaches another machine: passwords and tokens are not sent in the clear.");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Error("Leave out what comes before the host and after the path: the base URL ends with /auth.");
  }
  return url.href.replace(/\/+$/, "");
}

/**
 * The body of a request: the mode's example in openapi.yaml, with the values that `valueOf` gives by name. A route that
 * the mode does not have takes the other's.
 */
export function bodyOf(route, mode, valueOf) {
  const { examples } = specification.paths[`/${route}`].post.requestBody.content["application/json"];
  const filled = (fields) => {
    const entries = Object.entries(fields);
    return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === "object" ? filled(value) : valueOf(name)]));
  };
  return filled((examples[mode] ?? Object.values(examples)[0]).value);
}

/** Whether a route is for the signed-in user, who sends the access token in a header. */
export const needsToken = (route) => Boolean(specification.paths[`/${route}`].post.security);

const authorization = (token) => (token === undefined ? {} : { Authorization: `Bearer ${token}` });

/**
 * Posts a body, with an access token if there is one. The answer has `status` (0 where none came), `took` (ms), `body`, `retryAfter` (seconds) where the
 * API asks to wait, and `error` with its type and message where it is not a success; no type where it is not the
 * API that says so.
 */
export async function post({ base, route, token, body }) {
  const start = performance.now();
  const answer = { status: 0, took: 0, body: null };
  try {
    const response = await fetch(`${base}/${route}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorization(token) },
      body: JSON.stringify(body),
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer.status = response.status;
    answer.retryAfter = Number(response.headers.get("Retry-After")) || undefined;
    answer.body = await response.text();
    try {
      answer.body = JSON.parse(answer.body);
    } catch {
      answer.error = NOT_THE_API;
    }
    if (!response.ok) answer.error = answer.body?.error ?? NOT_THE_API;
  } catch (failure) {
    const message =
      failure.name === "TimeoutError"
        ? `${base} did not answer within ${PATIENCE / 1000} seconds.`
        : `No answer from ${base}. Is it running, and does its AllowedOrigin admit ${location.origin}?`;
    answer.error = { message };
  }
  answer.took = Math.round(performance.now() - start);
  return answer;
}

/** A body as indented JSON, its secrets masked unless they are to be seen. */
export function shown(body, reveal, indent = 2) {
  const masked = (name, value) => (SECRETS.includes(name) && value && !reveal ? MASK : value);
  return typeof body === "string" ? body : JSON.stringify(body, masked, indent);
}

/** The curl command of a request. */
export function curl({ base, route, token, body }, reveal) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const headers = Object.entries(authorization(token && !reveal ? MASK : token));
  return [
    `curl -X POST ${quoted(`${base}/${route}`)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    ...headers.map(([name, value]) => `  -H ${quoted(`${name}: ${value}`)} \\`),
    `  -d ${quoted(shown(body, reveal, 0))}`,
  ].join("\n");
}

/** The header and the payload of a JWT; it is not verified. */
export function decoded(jwt) {
  const [header, payload] = jwt.split(".", 2).map((part) => {
    const bytes = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))));
  });
  return { header, payload };
}

/** Seconds as a clock has them: 9:05, or 1:00:00. */
export function clock(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
