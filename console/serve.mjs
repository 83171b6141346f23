// Serves the console on loopback: the files of the page, which APIs run on this machine, and what the embedded AWS
// sent. No other file of the repository, and no other page, gets anything.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";

const FILES = new Map(Object.entries({
  "/": ["index.html", "text/html"],
  "/console.css": ["console.css", "text/css"],
  "/console.js": ["console.js", "text/javascript"],
  "/api.js": ["api.js", "text/javascript"],
  "/dom.js": ["dom.js", "text/javascript"],
  "/outbox.js": ["outbox.js", "text/javascript"],
  "/reference.js": ["reference.js", "text/javascript"],
  "/openapi.js": ["../openapi.yaml", "text/javascript"],
}));
const DATA = new Map(Object.entries({ "/running": running, "/outbox": outbox }));
const port = Number(process.env.CONSOLE_PORT ?? 9100);
const embeddedAws = `http://127.0.0.1:${Number(process.env.PORT || 4566)}`;
const watch = { host: "127.0.0.1", port: Number(process.env.WATCH_PORT || 9000) };
const PATIENCE = 5_000;

/** A file as the page gets it: YAML, which browsers don't read, as a module. */
async function served(file) {
  const text = await readFile(new URL(file, import.meta.url), "utf8");
  return file.endsWith(".yaml") ? `export default ${JSON.stringify(parse(text))};` : text;
}

/** The APIs of `make watch` and of the stacks of `make local`. */
async function running() {
  const failed = ({ message }) => {
    console.error(message);
    return [];
  };
  const [watched, stacks] = await Promise.all([listens(watch), deployed().catch(failed)]);
  const apis = stacks.map(([stack, base]) => ({ name: `make local, stack ${stack}`, base }));
  if (watched) apis.unshift({ name: "make watch", base: `http://${watch.host}:${watch.port}/auth` });
  return { apis };
}

function listens(address) {
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE, () => end(false)).on("connect", () => end(true)).on("error", () => end(false));
  });
}

/** The stacks on the embedded AWS that have an API, each with the base URL that `local/embedded-aws outputs` gives. */
async function deployed() {
  if (!(await messages("health"))) return [];
  const query = "Stacks[].[StackName, Outputs[?OutputKey=='AuthApiURL'].OutputValue | [0]]";
  const aws = ["run", "aws", "cloudformation", "describe-stacks", "--query", query, "--output", "json"];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const { stdout } = await promisify(execFile)("local/embedded-aws", aws, { cwd });
  return JSON.parse(stdout).flatMap(([name, url]) => {
    const [, api, path] = url?.match(/^https:\/\/(\w+)\.execute-api\.[^/]+\/(.*)$/) ?? [];
    return api ? [[name, `${embeddedAws}/_aws/execute-api/${api}/${path}`]] : [];
  });
}

/** What the embedded AWS sent, the latest first. It does not record the time of an SMS. */
async function outbox() {
  const [emails, sms] = await Promise.all([messages("ses/messages"), messages("sns/sms-messages")]);
  const every = (byKey) => Object.values(byKey ?? {}).flat().reverse();
  return {
    embeddedAws,
    running: Boolean(emails && sms),
    emails: every(emails?.messages).map((email) => ({
      to: email.To.join(", "),
      subject: email.Subject,
      text: email.BodyText,
      html: email.BodyHtml,
      time: email.Timestamp * 1000,
    })),
    sms: every(sms?.sms_messages).map((message) => ({ to: message.PhoneNumber, text: message.Message })),
  };
}

/** A list that the embedded AWS keeps for inspection: it rejects the page itself, which has another origin. */
async function messages(list) {
  try {
    const url = `${embeddedAws}/_ministack/${list}`;
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(PATIENCE) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Whether a request names this server. A web site can give its own name this machine's address. */
function isForUs({ host, origin }) {
  const names = ["127.0.0.1", "localhost"].map((name) => `${name}:${server.address().port}`);
  return names.includes(host) && (origin === undefined || origin === `http://${host}`);
}

/** Whether the console's own page asks, if it is a browser that does. */
const isFromUs = ({ "sec-fetch-site": site }) => site === undefined || site === "same-origin";

const server = createServer(async (request, response) => {
  const [path] = request.url.split("?");
  const [file, type = "application/json"] = FILES.get(path) ?? [];
  const data = DATA.get(path);
  if (!isForUs(request.headers) || (data && !isFromUs(request.headers))) {
    response.writeHead(403).end();
    return;
  }
  if ((!file && !data) || request.method !== "GET") {
    response.writeHead(404).end();
    return;
  }
  try {
    const text = data ? JSON.stringify(await data()) : await served(file);
    response.writeHead(200, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": data ? "no-store" : "no-cache",
      "Content-Security-Policy": "frame-ancestors 'none'",
      "Cross-Origin-Resource-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
    });
    response.end(text);
  } catch (error) {
    console.error(`${path}: ${error.message}`);
    response.writeHead(500).end();
  }
});
server.on("error", (error) => {
  const taken = error.code === "EADDRINUSE";
  console.error(taken ? `Port ${port} is in use. Choose another: make console CONSOLE_PORT=9101` : error.message);
  process.exit(1);
});
server.listen(port, "127.0.0.1", () => {
  console.log(`The console is on http://127.0.0.1:${server.address().port}. Press Ctrl+C to stop it.`);
});
