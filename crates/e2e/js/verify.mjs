// Verifies an access token, read from standard input, and prints its claims.
//
//   node verify.mjs USER_POOL_ID CLIENT_ID [JWKS_URI]
import { text } from "node:stream/consumers";
import { CognitoJwtVerifier } from "aws-jwt-verify";

const [userPoolId, clientId, jwksUri] = process.argv.slice(2);

// Clocks differ, by up to 30 seconds here.
const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: "access", graceSeconds: 30 });
// The embedded AWS has the keys on loopback, not at the issuer's URL. On AWS, leave this out.
if (jwksUri) verifier.cacheJwks(await (await fetch(jwksUri)).json());

try {
  const claims = await verifier.verify((await text(process.stdin)).trim());
  console.log(JSON.stringify(claims));
} catch (error) {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exitCode = 1;
}
