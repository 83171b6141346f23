// Reads a token from standard input, and prints the user that Booster derives from it. FILE has the application's
// configuration.
//
//   node booster.mjs FILE
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

process.env.BOOSTER_ENV = "production";
const require = createRequire(import.meta.url);
const { Booster } = require("@boostercloud/framework-core");
const { BoosterTokenVerifier } = require("@boostercloud/framework-core/dist/booster-token-verifier");
await import(pathToFileURL(resolve(process.argv[2])));

try {
  const user = await new BoosterTokenVerifier(Booster.config).verify((await text(process.stdin)).trim());
  console.log(JSON.stringify({ id: user.id, username: user.username, roles: user.roles }));
} catch (error) {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exitCode = 1;
}
