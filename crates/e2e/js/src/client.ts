// Calls every route as one user, with a client whose types are generated from openapi.yaml. So the compiler checks the
// bodies and answers against the specification.
//
//   node dist/client.js MODE URL USERNAME
//
// Prints the name of each step, one a line. Reads codes from standard input, one a line, when it needs them.

import createClient from "openapi-fetch";
import { createInterface } from "node:readline/promises";
import type { components, paths } from "../dist/api.js";

type Tokens = components["schemas"]["Tokens"];

const [mode, baseUrl, username] = process.argv.slice(2) as [string, string, string];
const password = "Sup3r!secret";
const client = createClient<paths>({ baseUrl });
const input = createInterface({ input: process.stdin });
const codes = input[Symbol.asyncIterator]();

/** The data of a successful answer; throws the error of any other. */
function dataOf<T>(step: string, { data, error }: { data?: T; error?: components["schemas"]["Error"] }): T {
  if (data === undefined) throw new Error(`${step}: ${error?.error.type}: ${error?.error.message}`);
  console.log(step);
  return data;
}

/** Requests the sent code. */
async function code(step: string): Promise<string> {
  console.log(`code for ${step}`);
  return (await codes.next()).value;
}

async function confirmedUser(): Promise<void> {
  const userAttributes = { role: "User" };
  const body = mode === "Passwordless" ? { username, userAttributes } : { username, password, userAttributes };
  const user = dataOf("signUp", await client.POST("/sign-up", { body }));
  if (user.username !== username) throw new Error(`signUp made ${user.username}`);
  dataOf("signUpResendCode", await client.POST("/sign-up/resend-code", { body: { username } }));
  const confirmationCode = await code("signUpConfirm");
  dataOf("signUpConfirm", await client.POST("/sign-up/confirm", { body: { username, confirmationCode } }));
}

async function tokensForPassword(password: string): Promise<Tokens> {
  const answer = dataOf("signIn", await client.POST("/sign-in", { body: { username, password } }));
  if (!("accessToken" in answer)) throw new Error("signIn gave no tokens");
  return answer;
}

async function tokensForCode(): Promise<Tokens> {
  const answer = dataOf("signIn", await client.POST("/sign-in", { body: { username } }));
  if (!("session" in answer)) throw new Error("signIn gave no session");
  // First a wrong code: the error has the session for the next answer.
  const attempt = { username, session: answer.session, confirmationCode: "wrong" };
  const wrong = await client.POST("/token", { body: attempt });
  if (wrong.error === undefined || !("session" in wrong.error.error)) throw new Error("token gave no session");
  const { session } = wrong.error.error;
  const confirmationCode = await code("token");
  return dataOf("token", await client.POST("/token", { body: { username, session, confirmationCode } }));
}

async function refreshed({ refreshToken }: Tokens): Promise<Tokens> {
  return dataOf("tokenRefresh", await client.POST("/token/refresh", { body: { refreshToken } }));
}

/** The header with the access token. */
const signedIn = ({ accessToken }: Tokens) => ({ headers: { Authorization: `Bearer ${accessToken}` } });

async function checkAccount(tokens: Tokens): Promise<void> {
  const account = dataOf("account", await client.POST("/account", { ...signedIn(tokens), body: {} }));
  if (account.username !== username) throw new Error(`account is ${account.username}'s`);
}

async function passwordReplaced(tokens: Tokens, password: string, newPassword: string): Promise<void> {
  const body = { password, newPassword };
  dataOf("accountPassword", await client.POST("/account/password", { ...signedIn(tokens), body }));
}

async function deleted(tokens: Tokens): Promise<void> {
  dataOf("accountDelete", await client.POST("/account/delete", { ...signedIn(tokens), body: { username } }));
  const { response } = await client.POST("/account", signedIn(tokens));
  if (response.status !== 401) throw new Error(`after accountDelete: ${response.status}`);
}

async function signedOut({ accessToken, refreshToken }: Tokens): Promise<void> {
  dataOf("tokenRevoke", await client.POST("/token/revoke", { body: { accessToken } }));
  const { response, error } = await client.POST("/token/refresh", { body: { refreshToken } });
  if (response.status !== 401) throw new Error(`after tokenRevoke: ${response.status} ${error?.error.type}`);
}

async function passwordChanged(newPassword: string): Promise<void> {
  dataOf("passwordForgot", await client.POST("/password/forgot", { body: { username } }));
  const confirmationCode = await code("passwordChange");
  const body = { username, password: newPassword, confirmationCode };
  dataOf("passwordChange", await client.POST("/password/change", { body }));
}

await confirmedUser();
if (mode === "Passwordless") {
  const tokens = await refreshed(await tokensForCode());
  await checkAccount(tokens);
  await deleted(tokens);
  await confirmedUser();
  await signedOut(await tokensForCode());
} else {
  await signedOut(await refreshed(await tokensForPassword(password)));
  await passwordChanged("N3w!secret");
  const tokens = await tokensForPassword("N3w!secret");
  await checkAccount(tokens);
  await passwordReplaced(tokens, "N3w!secret", password);
  await deleted(await tokensForPassword(password));
}
input.close();
