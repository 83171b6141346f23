// The API as the console calls it, and its calls and tokens in words. Nothing here knows the page.
import specification from "./openapi.js";

/** The error if the answer is not this API's. */
const NOT_THE_API = {
  message: "This is not an answer of Auth Rocket's API. Check the base URL.",
};

const SECRETS = ["password", "newPassword", "confirmationCode", "session", "accessToken", "tokenId", "refreshToken"];
const MASK = "••••••••";
const PATIENCE = 35_000;

/** Whether a base URL is on this machine. */
export const isLocal = (base) => ["127.0.0.1", "localhost"].includes(new URL(base).hostname);

/**
 * The base URL in a text: a URL with or without `/auth`, a route's, or a line such as `export AUTH=…` with one. Throws an
 * Error that says what is wrong with it.
 */
export function readBase(text) {
  const [, given] = text.trim().match(/^(?:(?:export\s+)?\w+=)?["']?(.*?)["']?$/s);
  let url;
  try {
    url = new URL(given);
  } catch {
    throw new Error("This is not a URL. A base URL looks like https://….amazonaws.com/production/auth.");
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal(url))) {
    throw new Error("Use https for another machine: passwords and tokens must not travel unencrypted.");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Error("Remove the user, the query and the fragment: a base URL ends with /auth.");
  }
  const [path] = url.pathname.match(/^.*\/auth(?=\/|$)/) ?? [`${url.pathname.replace(/\/+$/, "")}/auth`];
  return url.origin + path;
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
 * Posts a body, with an access token if there is one, and waits so many ms at most. The answer has `status` (0 if none
 * came), `took` (ms), `body`, `retryAfter` (seconds, if the API says when to retry), and for every status but success
 * `error` with its message. The error has a type if the API itself answered.
 */
export async function post({ base, route, token, body }, patience = PATIENCE) {
  const start = performance.now();
  const answer = { status: 0, took: 0, body: null };
  try {
    const response = await fetch(`${base}/${route}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorization(token) },
      body: JSON.stringify(body),
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(patience),
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
        ? `${base} did not answer within ${patience / 1000} seconds.`
        : `No answer from ${base}. Check that it runs, and that its AllowedOrigin allows ${location.origin}.`;
    answer.error = { message };
  }
  answer.took = Math.round(performance.now() - start);
  return answer;
}

/**
 * Asks an API for its mode, by a sign-in of a user that can't exist, without a password. UserPassword rejects it for the
 * password that is missing. Passwordless looks for the user, and sends nothing. The answer has `mode` if it is this API's.
 */
export async function findMode(base, patience) {
  const nobody = `nobody-${crypto.randomUUID()}@example.invalid`;
  const answer = await post({ base, route: "sign-in", body: { username: nobody } }, patience);
  const type = answer.error?.type;
  if (type === "MissingRequiredParameter") return { ...answer, mode: "UserPassword" };
  const passwordless = answer.body?.session || ["UserNotFoundException", "InvalidParameterException"].includes(type);
  return passwordless ? { ...answer, mode: "Passwordless" } : { ...answer, error: answer.error ?? NOT_THE_API };
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
