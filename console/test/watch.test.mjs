// What `make watch` starts: functions that a route needs, and no other, as every web page can ask for any by its name.
// Run by local/test-console.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const { USER_PASSWORD } = process.env;
const root = new URL("../../", import.meta.url);
const routes = readFileSync(new URL("Cargo.toml", root), "utf8").match(/(?<=^"\/auth\/.*" = ")[a-z-]+/gm);
const others = readdirSync(new URL("functions", root)).filter((name) => !routes.includes(name));

async function post(route, body) {
  const answer = await fetch(`${USER_PASSWORD}/${route}`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, `${route}: ${answer.status}`);
  return answer.json();
}

/** Invokes a function as a page of any origin can: without asking first. */
function invoke(name, event) {
  return fetch(new URL(`/2015-03-31/functions/${name}/invocations`, USER_PASSWORD), {
    method: "POST",
    mode: "no-cors",
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(20_000),
  });
}

test("no function starts that no route needs", async () => {
  const username = `watched-${crypto.randomUUID()}@example.com`;
  const password = "Sup3r!secret";
  await post("sign-up", { username, password, userAttributes: { role: "User" } });
  await post("sign-up/confirm", { username, confirmationCode: "123456" });
  const claims = async () => {
    const { accessToken } = await post("sign-in", { username, password });
    return JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
  };
  const { iss, sub, client_id: clientId } = await claims();

  // To the trigger that gives roles, this user chose another one.
  const event = {
    version: "1",
    triggerSource: "PostConfirmation_ConfirmSignUp",
    region: "us-east-1",
    userPoolId: iss.split("/").at(-1),
    userName: sub,
    callerContext: { awsSdkVersion: "1", clientId },
    request: { userAttributes: { sub, email: username, "cognito:user_status": "CONFIRMED", "custom:role": "Admin" } },
    response: {},
  };
  assert.ok(others.includes("post-confirmation"));
  // No answer comes, as nothing starts that could give one.
  await Promise.all(others.map((name) => assert.rejects(invoke(name, event), { name: "TimeoutError" }, name)));
  assert.deepEqual((await claims())["cognito:groups"], ["User"]);
});
