// Serves the console on loopback: the files that the page consists of, and nothing else of the repository.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const RENDERER = "node_modules/swagger-ui-dist";
const FILES = new Map(Object.entries({
  "/": ["index.html", "text/html"],
  "/console.css": ["console.css", "text/css"],
  "/console.js": ["console.js", "text/javascript"],
  "/api.js": ["api.js", "text/javascript"],
  "/openapi.yaml": ["../openapi.yaml", "application/yaml"],
  "/swagger-ui.css": [`${RENDERER}/swagger-ui.css`, "text/css"],
  "/swagger-ui-bundle.js": [`${RENDERER}/swagger-ui-bundle.js`, "text/javascript"],
}));
const port = Number(process.env.CONSOLE_PORT ?? 9100);

const server = createServer((request, response) => {
  const [file, type] = FILES.get(request.url.split("?")[0]) ?? [];
  if (!file || request.method !== "GET") {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
  });
  createReadStream(fileURLToPath(new URL(file, import.meta.url)))
    .on("error", () => response.destroy())
    .pipe(response);
});
server.on("error", (error) => {
  const taken = error.code === "EADDRINUSE";
  console.error(taken ? `Port ${port} is taken: choose another, make console CONSOLE_PORT=9101` : error.message);
  process.exit(1);
});
server.listen(port, "127.0.0.1", () => {
  console.log(`The console is on http://127.0.0.1:${server.address().port}. Ctrl+C ends it.`);
});
