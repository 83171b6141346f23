// Signs one person up, in, out and so on, with a client whose types are generated from openapi.yaml: what the
// specification says of bodies and answers is what the compiler holds this file to.
//
//   node dist/client.js MODE URL USERNAME
//
// The codes that the person was sent are read from standard input, one a line, when they are needed. Each step is
// told by its name, one a line.

import createClient from "openapi-fetch";
import { createInterface } from "node:readline/promises";
import type { components, paths } from "../dist/api.js";

type Tokens = components["schemas"]["Tokens"];

const [mode, baseUrl, username] = process.argv.slice(2) as [string, string, string];
const password = "Sup3r!secret";
const client = createClient<paths>({ baseUrl });
const input = createInterface({ input: process.stdin });
const codes = input[Symbol.asyncIterator]();

/** The answer of a step that was granted. */
function granted<T>(step: string, { data, error }: { data?: T; error?: components["schemas"]["Error"] }): T {
  if (data === undefined) throw new Error(`${step}: ${error?.error.type}: ${error?.error.message}`);
  console.log(step);
  return data;
}

/** Asks for the code that was sent. */
async function code(step: string): Promise<string> {
  console.log(`code for ${step}`);
  return (await codes.next()).value;
}

async function confirmedUser(): Promise<void> {
  const userAttributes = { role: "User" };
  const body = mode === "Passwordless" ? { username, userAttributes } : { username, password, userAttributes };
  const user = granted("signUp", await client.POST("/sign-up", { body }));
  if (user.username !== username) throw new Error(`signUp made ${user.username}`);
  granted("signUpResendCode", await client.POST("/sign-up/resend-code", { body: { username } }));
  const confirmationCode = await code("signUpConfirm");
  granted("signUpConfirm", await client.POST("/sign-up/confirm", { body: { username, confirmationCode } }));
}

async function tokensForPassword(password: string): Promise<Tokens> {
  const answer = granted("signIn", await client.POST("/sign-in", { body: { username, password } }));
  if (!("accessToken" in answer)) throw new Error("signIn gave no tokens");
  return answer;
}

async function tokensForCode(): Promise<Tokens> {
  const answer = granted("signIn", await client.POST("/sign-in", { body: { username } }));
  if (!("session" in answer)) throw new Error("signIn gave no session");
  // A wrong answer first: the error has the session to go on with.
  const attempt = { username, session: answer.session, confirmationCode: "wrong" };
  const wrong = await client.POST("/token", { body: attempt });
  if (wrong.error === undefined || !("session" in wrong.error.error)) throw new Error("token gave no session");
  const { session } = wrong.error.error;
  const confirmationCode = await code("token");
  return granted("token", await client.POST("/token", { body: { username, session, confirmationCode } }));
}

async function refreshed({ refreshToken }: Tokens): Promise<Tokens> {
  return granted("tokenRefresh", await client.POST("/token/refresh", { body: { refreshToken } }));
}

/** With the access token in the header. */
const signedIn = ({ accessToken }: Tokens) => ({ headers: { Authorization: `Bearer ${accessToken}` } });

async function isMyself(tokens: Tokens): Promise<void> {
  const account = granted("account", await client.POST("/account", { ...signedIn(tokens), body: {} }));
  if (account.username !== username) throw new Error(`account is ${account.username}'s`);
}

async function passwordReplaced(tokens: Tokens, password: string, newPassword: string): Promise<void> {
  const body = { password, newPassword };
  granted("accountPassword", await client.POST("/account/password", { ...signedIn(tokens), body }));
}

async function deleted(tokens: Tokens): Promise<void> {
  granted("accountDelete", await client.POST("/account/delete", { ...signedIn(tokens), body: { username } }));
  const { response } = await client.POST("/account", signedIn(tokens));
  if (response.status !== 401) throw new Error(`after accountDelete: ${response.status}`);
}

async function signedOut({ accessToken, refreshToken }: Tokens): Promise<void> {
  granted("tokenRevoke", await client.POST("/token/revoke", { body: { accessToken } }));
  const { response, error } = await client.POST("/token/refresh", { body: { refreshToken } });
  if (response.status !== 401) throw new Error(`after tokenRevoke: ${response.status} ${error?.error.type}`);
}

async function passwordChanged(newPassword: string): Promise<void> {
  granted("passwordForgot", await client.POST("/password/forgot", { body: { username } }));
  const confirmationCode = await code("passwordChange");
  const body = { username, password: newPassword, confirmationCode };
  granted("passwordChange", await client.POST("/password/change", { body }));
}

await confirmedUser();
if (mode === "Passwordless") {
  const tokens = await refreshed(await tokensForCode());
  await isMyself(tokens);
  await deleted(tokens);
  await confirmedUser();
  await signedOut(await tokensForCode());
} else {
  await signedOut(await refreshed(await tokensForPassword(password)));
  await passwordChanged("N3w!secret");
  const tokens = await tokensForPassword("N3w!secret");
  await isMyself(tokens);
  await passwordReplaced(tokens, "N3w!secret", password);
  await deleted(await tokensForPassword(password));
}
input.close();
