// Serves the console on loopback: the files that the page consists of, and nothing else of the repository.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { parse } from "yaml";

const RENDERER = "node_modules/swagger-ui-dist";
const FILES = new Map(Object.entries({
  "/": ["index.html", "text/html"],
  "/console.css": ["console.css", "text/css"],
  "/console.js": ["console.js", "text/javascript"],
  "/api.js": ["api.js", "text/javascript"],
  "/openapi.js": ["../openapi.yaml", "text/javascript"],
  "/swagger-ui.css": [`${RENDERER}/swagger-ui.css`, "text/css"],
  "/swagger-ui-bundle.js": [`${RENDERER}/swagger-ui-bundle.js`, "text/javascript"],
}));
const port = Number(process.env.CONSOLE_PORT ?? 9100);

/** A file as the page gets it: YAML, which browsers don't read, as a module. */
async function served(file) {
  const text = await readFile(new URL(file, import.meta.url), "utf8");
  return file.endsWith(".yaml") ? `export default ${JSON.stringify(parse(text))};` : text;
}

const server = createServer(async (request, response) => {
  const [file, type] = FILES.get(request.url.split("?")[0]) ?? [];
  if (!file || request.method !== "GET") {
    response.writeHead(404).end();
    return;
  }
  try {
    const text = await served(file);
    response.writeHead(200, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": "no-cache",
      "Content-Security-Policy": "frame-ancestors 'none'",
      "X-Content-Type-Options": "nosniff",
    });
    response.end(text);
  } catch (error) {
    console.error(`${file}: ${error.message}`);
    response.writeHead(500).end();
  }
});
server.on("error", (error) => {
  const taken = error.code === "EADDRINUSE";
  console.error(taken ? `Port ${port} is taken: choose another, make console CONSOLE_PORT=9101` : error.message);
  process.exit(1);
});
server.listen(port, "127.0.0.1", () => {
  console.log(`The console is on http://127.0.0.1:${server.address().port}. Ctrl+C ends it.`);
});
