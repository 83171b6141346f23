// A person's journeys through the console, in Chromium, against the routes as `make watch` serves them. The API is of
// another origin than the page, so that its requests have a preflight. Run by local/test-console.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const { USER_PASSWORD, PASSWORDLESS, GATEWAY, EMBEDDED_AWS } = process.env;
const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run"];
const PASSWORD = "Sup3r!'s-secret"; // with what a shell would trip over
const SIGN_UP_CODE = "123456";
const RESET_CODE = "654321";

let server, consoleUrl, browser, context, page, hosts, preflights, faults;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  // A group of its own, so that `after` ends what make started too.
  server = spawn("make", ["-s", "console"], { cwd, detached: true, env: { ...process.env, CONSOLE_PORT: "0" } });
  // What make has to install tells of itself first.
  while (!consoleUrl) {
    const [text] = await once(server.stdout, "data");
    [consoleUrl] = String(text).match(/http:\/\/[\d.]+:\d+/) ?? [];
  }
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
});

after(async () => {
  await browser?.close();
  if (server) process.kill(-server.pid);
});

/** A fresh browser profile with the console open, and a link's base URL taken. */
async function open(options) {
  await follow(options);
  await press("connect", "Use this API");
}

/** A fresh browser profile with a link to the console followed. */
async function follow({ base = USER_PASSWORD, mode = "UserPassword", hash = "", width = 1280, colorScheme = "light" }) {
  context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });
  context.setDefaultTimeout(20_000);
  page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  network.on("Network.requestWillBeSent", ({ request }) => {
    if (!request.url.startsWith("data:")) hosts.add(new URL(request.url).hostname);
    if (request.method === "OPTIONS") preflights.push(request);
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  await page.goto(`${consoleUrl}/?${new URLSearchParams({ base, mode })}${hash}`);
}

beforeEach(() => {
  [hosts, preflights, faults] = [new Set(), [], []];
});

// Whatever a test is about: the page talked to this machine only, kept no secret, and broke nothing.
afterEach(async () => {
  assert.deepEqual([...hosts], ["127.0.0.1"]);
  assert.deepEqual(faults, []);
  const kept = await page.evaluate(async () => ({
    local: { ...localStorage },
    others: [sessionStorage.length, document.cookie, (await indexedDB.databases()).length],
  }));
  assert.deepEqual(Object.keys(kept.local).filter((name) => !["base", "mode"].includes(name)), []);
  assert.deepEqual(kept.others, [0, "", 0]);
  await context.close();
});

const step = (id) => page.locator(`#${id}`);
const field = (id, name) => step(id).locator(`[name=${name}]:not([type=hidden])`);
const press = (id, name) => step(id).getByRole("button", { name, exact: true }).click();

/** The step and the field that have the focus, which a person can see. */
async function focused() {
  const focus = page.locator(":focus");
  await isSeen(focus);
  return focus.evaluate((element) => [element.closest(".step")?.id, element.name]);
}

async function isSeen(element) {
  const { top, bottom } = await element.evaluate((shown) => shown.getBoundingClientRect().toJSON());
  assert.ok(top >= 0 && bottom <= 900, `it is at ${top} to ${bottom} px of 900`);
}

async function shot(name, fullPage = false) {
  if (fullPage) await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage });
}

/** Waits until the step says so. */
async function says(id, ...texts) {
  const outcome = step(id).locator(".outcome");
  for (const text of texts) await outcome.getByText(text).first().waitFor();
  await assert.rejects(outcome.getByText("undefined").waitFor({ timeout: 1 }));
}

/** Waits until a countdown of this form has gone on. */
async function changes(timer, form) {
  await timer.filter({ hasText: form }).waitFor();
  const before = await timer.textContent();
  await timer.filter({ hasNotText: before }).filter({ hasText: form }).waitFor();
}

async function hasNoOverflow() {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${content} px in a window of ${window} px`);
}

async function isAccessible() {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
}

/** The one-time code that a phone was sent last. */
async function codeSentTo(number) {
  const log = await fetch(`${EMBEDDED_AWS}/_ministack/sns/sms-messages?phoneNumber=${encodeURIComponent(number)}`);
  const { sms_messages: messages } = await log.json();
  return messages[number].at(-1).Message.match(/\d{6}/)[0];
}

const wrong = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

test("with a password: sign-up, code, sign-in, tokens, refresh, sign-out, reset", async () => {
  await open({});
  await press("connect", "Check the connection");
  await says("connect", "Connected", /The API answers/);
  assert.deepEqual(await focused(), ["sign-up", "username"]);
  const username = await field("sign-up", "username").inputValue();
  assert.match(username, /^user-\w+@example\.com$/);
  await shot("user-password-1-connected");

  await field("sign-up", "password").fill("short");
  await press("sign-up", "Sign up");
  await says("sign-up", "400", "InvalidPasswordException", /[Pp]assword/);
  assert.deepEqual(await focused(), ["sign-up", "password"]);
  await shot("user-password-2-weak-password");
  await field("sign-up", "password").fill(PASSWORD);
  await press("sign-up", "Sign up");
  await says("sign-up", "200", `${username} has signed up as User.`);
  assert.deepEqual(await focused(), ["confirm", "confirmationCode"]);
  assert.match(await step("sign-up").locator(".answer").textContent(), /200\s+\d+ ms/);
  const { id, ...granted } = JSON.parse(await step("sign-up").locator(".json").textContent());
  assert.deepEqual(granted, { username, userAttributes: { role: "User" } });
  await isSeen(step("confirm").locator("h2"));
  assert.equal(preflights.at(-1).url, `${USER_PASSWORD}/sign-up`);
  assert.equal(preflights.at(-1).headers["Access-Control-Request-Method"], "POST");

  await press("sign-in", "Sign in");
  await says("sign-in", "403", "UserNotConfirmedException", "User is not confirmed.");
  await press("confirm", "Send it again");
  await says("confirm", `The confirmation code to activate your account has been sent to: ${username}.`);
  await field("confirm", "confirmationCode").fill("000000");
  await press("confirm", "Confirm");
  await says("confirm", "400", "CodeMismatchException", "Invalid verification code provided, please try again.");
  await shot("user-password-3-wrong-code");
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200", `The username: ${username} has been confirmed.`);
  assert.deepEqual(await focused(), ["sign-in", "username"]);

  await press("sign-in", "Sign in");
  await says("sign-in", "200", "Signed in: the tokens are below.");
  const idToken = step("tokens").getByRole("article").filter({ hasText: "tokenId" });
  await idToken.getByRole("row", { name: /cognito:groups/ }).getByText("User", { exact: true }).waitFor();
  await changes(step("tokens").getByRole("timer").first(), /^(59:5\d|1:00:00) left of 1:00:00$/);
  await shot("user-password-4-tokens");

  // Secrets are seen only where they are asked for.
  const request = step("sign-in").locator(".curl");
  assert.doesNotMatch(await request.textContent(), /Sup3r/);
  const answer = step("sign-in").locator(".json");
  for (const [button, seen] of [["Show secrets", true], ["Hide secrets", false]]) {
    await press("sign-in", button);
    assert.equal(/Sup3r/.test(await request.textContent()), seen);
    assert.equal(/eyJ/.test(await answer.textContent()), seen);
    assert.equal(await field("sign-in", "password").getAttribute("type"), seen ? "text" : "password");
  }
  // A copied request is one that works.
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await press("sign-in", "Copy");
  await step("sign-in").getByText("Copied").waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const { tokenType } = JSON.parse(execFileSync("bash", ["-c", command], { stdio: ["ignore", "pipe", "ignore"] }));
  assert.equal(tokenType, "Bearer");

  await press("account", "Who am I");
  await says("account", "200", `${username}, with the roles User.`);
  const header = step("account").locator(".curl");
  assert.match(await header.textContent(), /'Authorization: Bearer •+'/);
  assert.match(preflights.at(-1).headers["Access-Control-Request-Headers"], /authorization/);
  await field("account", "newPassword").fill("weak-word");
  await press("account", "Set the password");
  await says("account", "400", "InvalidPasswordException");
  assert.deepEqual(await focused(), ["account", "newPassword"]);
  await field("account", "newPassword").fill("An0ther!secret");
  await press("account", "Set the password");
  await says("account", "200", "Your password has been successfully changed.");
  assert.equal(await field("sign-in", "password").inputValue(), "An0ther!secret");
  await press("account", "Who am I");
  await says("account", "401", "NotAuthorizedException");
  await press("sign-in", "Sign in");
  await says("sign-in", "200");

  await press("tokens", "Refresh");
  await says("tokens", "200", /New tokens; the refresh token is (a new one|the same)\./);
  await press("tokens", "Sign out here only");
  await says("tokens", "200", "Signed out");
  assert.match(await step("tokens").locator(".curl").textContent(), /-d '\{"refreshToken":"•+"\}'/);
  await press("sign-in", "Sign in");
  await says("sign-in", "200");
  await press("tokens", "Sign out");
  await says("tokens", "200", "Signed out");
  await press("tokens", "Refresh");
  await says("tokens", "401", "NotAuthorizedException");
  await shot("user-password-5-signed-out");

  await press("reset", "Send a code");
  await says("reset", `The confirmation code to change your password has been sent to: ${username}.`);
  assert.deepEqual(await focused(), ["reset", "confirmationCode"]);
  await field("reset", "confirmationCode").fill(RESET_CODE);
  await field("reset", "password").fill("N3w!secret");
  await press("reset", "Change the password");
  await says("reset", "200", "Your password has been successfully changed.");
  assert.equal(await field("sign-in", "password").inputValue(), "N3w!secret");
  await press("sign-in", "Sign in");
  await says("sign-in", "200");
  await field("sign-in", "password").fill("Wr0ng!secret");
  await press("sign-in", "Sign in");
  await says("sign-in", "401", "NotAuthorizedException", "Incorrect username or password.");
  await shot("user-password-6-whole-page", true);

  // What one API has granted is never sent to another.
  assert.match(await step("tokens").locator(".curl").textContent(), /"refreshToken":"•+"/);
  await field("connect", "base").fill(PASSWORDLESS);
  assert.match(await step("tokens").locator(".curl").textContent(), /"refreshToken":""/);
  await step("tokens").getByText("Sign in, and the tokens are taken apart here.").waitFor();
});

test("an account is deleted when its owner names it and says yes", async () => {
  await open({});
  const username = await field("sign-up", "username").inputValue();
  await press("sign-up", "Sign up");
  await says("sign-up", "200");
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200");
  await press("sign-in", "Sign in");
  await says("sign-in", "200");

  const questions = [];
  let answer = true;
  page.on("dialog", (dialog) => {
    questions.push(dialog.message());
    return answer ? dialog.accept() : dialog.dismiss();
  });
  assert.equal(await field("account", "username").last().inputValue(), "");
  await press("account", "Delete the account");
  await says("account", "400", "MissingRequiredParameter");
  await field("account", "username").fill("another@example.com");
  await press("account", "Delete the account");
  await says("account", "400", "InvalidParameterException", "Username is not that of the signed-in user.");
  answer = false;
  await field("account", "username").fill(username);
  await press("account", "Delete the account");
  await press("account", "Who am I");
  await says("account", "200", `${username}, with the roles User.`);
  answer = true;
  await press("account", "Delete the account");
  await says("account", "200", "Your account has been deleted.");
  await isSeen(step("account").locator(".outcome"));
  assert.deepEqual(questions, Array(4).fill("Delete this account for good?"));
  await step("tokens").getByText("Sign in, and the tokens are taken apart here.").waitFor();
  await shot("user-password-7-deleted");
  await press("sign-in", "Sign in");
  await says("sign-in", "404", "UserNotFoundException");
});

test("without a password: sign-up, code, sign-in, a wrong one-time code, tokens, a code too soon", async () => {
  await open({ base: PASSWORDLESS, mode: "Passwordless", colorScheme: "dark" });
  const number = await field("sign-up", "username").inputValue();
  assert.equal(await page.locator("[name=password]:visible").count(), 0);
  await press("sign-up", "Sign up");
  await says("sign-up", "200", `${number} has signed up as User.`);
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200");

  await press("sign-in", "Sign in");
  await says("sign-in", "200", /Use the session and the code we have sent you via SMS/);
  const sent = Date.now();
  assert.deepEqual(await focused(), ["code", "confirmationCode"]);
  const code = await codeSentTo(number);
  await field("code", "confirmationCode").fill(wrong(code));
  await press("code", "Get the tokens");
  await says("code", "401", "CodeMismatchException", "The next try uses the session of this answer.");
  await step("code").getByText("2 of 3 answers left").waitFor();
  await isSeen(step("code").locator(".outcome"));
  assert.deepEqual(await focused(), ["code", "confirmationCode"]);
  await shot("passwordless-1-wrong-code");
  await field("code", "confirmationCode").fill(code);
  await press("code", "Get the tokens");
  await says("code", "200", "Signed in: the tokens are below.");
  await step("tokens").getByRole("row", { name: /cognito:groups/ }).first().waitFor();
  await shot("passwordless-2-tokens");
  await press("tokens", "Refresh");
  await says("tokens", "200");
  await press("tokens", "Sign out");
  await says("tokens", "Signed out");

  // Within 15 s a sign-in shares the code of the last; after them, and within 30 s, it has to wait.
  await page.waitForTimeout(Math.max(0, sent + 17_000 - Date.now()));
  await press("sign-in", "Sign in");
  await says("sign-in", "429", "TooManyRequestsException");
  const wait = step("sign-in").locator(".outcome").getByRole("timer");
  await changes(wait, /^Try again in 0:\d\d$/);
  await shot("passwordless-3-too-often");
  await shot("passwordless-4-whole-page", true);
});

test("the third wrong one-time code ends it, and the page says to sign in again", async () => {
  await open({ base: PASSWORDLESS, mode: "Passwordless" });
  const number = await field("sign-up", "username").inputValue();
  await press("sign-up", "Sign up");
  await says("sign-up", "200");
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200");
  await press("sign-in", "Sign in");
  await says("sign-in", "200");
  await field("code", "confirmationCode").fill(wrong(await codeSentTo(number)));
  for (const left of ["2 of 3 answers left", "1 of 3 answers left", "Sign in for a new code"]) {
    await press("code", "Get the tokens");
    await step("code").getByText(left).waitFor();
  }
  await says("code", "401", "NotAuthorizedException");
  await shot("passwordless-5-no-answers-left");
});

test("the keyboard alone is enough, on a narrow screen", async () => {
  await open({ width: 360, colorScheme: "dark" });
  const { keyboard } = page;
  /** Tabs on to a field or a button, whose focus can be seen. */
  const tabTo = async (id, name) => {
    for (let tabs = 0; tabs < 40; tabs++) {
      const { at, names, outline } = await page.evaluate(({ activeElement: element } = document) => ({
        at: element.closest(".step")?.id,
        names: [element.name, element.textContent],
        outline: getComputedStyle(element).outlineStyle,
      }));
      if (at === id && names.includes(name)) {
        assert.notEqual(outline, "none");
        return;
      }
      await keyboard.press("Tab");
    }
    assert.fail(`Tab does not lead to ${name} in ${id}`);
  };
  await tabTo("connect", "base");
  await keyboard.press("Enter");
  await says("connect", "Connected");
  const username = `keyboard-${Date.now()}@example.com`;
  await keyboard.type(username);
  await keyboard.press("Enter");
  await says("sign-up", "200");
  await keyboard.press("Enter");
  await says("confirm", "400", "MissingRequiredParameter", "Missing required key 'ConfirmationCode' in params");
  await isSeen(step("confirm").locator(".outcome"));
  assert.deepEqual(await focused(), ["confirm", "confirmationCode"]);
  await hasNoOverflow();
  await shot("narrow-1-missing-code");
  await keyboard.type(SIGN_UP_CODE);
  await keyboard.press("Enter");
  await says("confirm", `The username: ${username} has been confirmed.`);
  await keyboard.press("Enter");
  await says("sign-in", "200");
  await hasNoOverflow();
  await shot("narrow-2-tokens");
  await tabTo("tokens", "Refresh");
  await keyboard.press("Enter");
  await says("tokens", "200");
  await tabTo("tokens", "Sign out");
  await keyboard.press("Space");
  await says("tokens", "Signed out");
  await tabTo("reset", "Send a code");
  await keyboard.press("Enter");
  await says("reset", "200");
  await keyboard.type(RESET_CODE);
  await keyboard.press("Enter");
  await says("reset", "Your password has been successfully changed.");
  await keyboard.press("Enter");
  await says("sign-in", "200");
  await press("sign-in", "Show secrets");
  await hasNoOverflow();
  await shot("narrow-3-whole-page", true);
  await isAccessible();
});

test("an API that is not there, and a base URL that is none, are told in words", async () => {
  await open({ base: "http://127.0.0.1:9/auth" });
  await press("connect", "Check the connection");
  await says("connect", "No answer", /No answer from http:\/\/127\.0\.0\.1:9\/auth/);
  for (const [base, message] of [
    ["auth", /not a URL/],
    ["http://api.example.com/auth", /Only https/],
    ["https://user@api.example.com/auth", /Leave out/],
    ["https://api.example.com/auth?x=1", /Leave out/],
  ]) {
    await field("connect", "base").fill(base);
    await press("connect", "Check the connection");
    await says("connect", "Not sent", message);
    assert.deepEqual(await focused(), ["connect", "base"]);
  }
  await shot("error-base-url");
});

test("a link's base URL is used once the person says so", async () => {
  for (const base of [USER_PASSWORD, "https://api.example.com/production/auth"]) {
    await context?.close();
    await follow({ base });
    assert.equal(await field("connect", "base").inputValue(), "http://127.0.0.1:9000/auth");
    await step("connect").getByText(base, { exact: true }).waitFor();
    await press("connect", "Use this API");
    assert.equal(await field("connect", "base").inputValue(), base);
    assert.equal(await step("connect").getByText(base, { exact: true }).isVisible(), false);
  }
  // Nor does a request go anywhere else before.
  await context.close();
  await follow({ base: USER_PASSWORD });
  await page.route("**/*", (route) => route.abort());
  const sent = page.waitForRequest((request) => request.method() === "POST");
  await field("sign-up", "password").fill(PASSWORD);
  await press("sign-up", "Sign up");
  assert.equal((await sent).url(), "http://127.0.0.1:9000/auth/sign-up");
});

test("no user is made up, and no code hinted at, for an API on another machine", async () => {
  await open({ base: "https://api.example.com/production/auth" });
  assert.equal(await field("sign-up", "username").inputValue(), "");
  assert.equal(await page.locator("[data-local]:visible").count(), 0);
});

test("the API of the embedded AWS answers the page as well, whose URL is remembered", async () => {
  await open({ base: USER_PASSWORD });
  await field("connect", "base").fill(`${GATEWAY}/`);
  await press("connect", "Check the connection");
  await says("connect", "Connected");
  await press("sign-up", "Sign up");
  await says("sign-up", "200");
  assert.ok(preflights.some(({ url }) => url === `${GATEWAY}/sign-up`));
  await page.goto(consoleUrl);
  assert.equal(await field("connect", "base").inputValue(), GATEWAY);
});

test("the page is accessible, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await context?.close();
    await open({ colorScheme });
    await press("confirm", "Confirm");
    await says("confirm", "MissingRequiredParameter");
    await isAccessible();
  }
});

test("the reference shows every route of openapi.yaml, wide and narrow", async () => {
  const description = readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8");
  const routes = description.match(/^ {2}\/[a-z/-]+(?=:$)/gm).map((route) => route.trim());
  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [360, "light"]]) {
    await context?.close();
    await follow({ hash: "#reference", width, colorScheme });
    await page.locator(".opblock").nth(routes.length - 1).waitFor();
    const shown = await page.locator(".opblock-summary-path").evaluateAll((paths) => paths.map(({ dataset }) => dataset.path));
    assert.deepEqual(shown.sort(), routes.sort());
    await page.locator(".opblock-summary-control").first().click();
    await page.locator(".opblock-body").first().waitFor();
    await hasNoOverflow();
    await shot(`reference-${width}-${colorScheme}`);
  }
});

test("the server hands out the page's files and nothing else", async () => {
  await open({});
  for (const path of ["/package.json", "/serve.mjs", "/test/", "/node_modules/axe-core/axe.min.js", "/%2e%2e/template.yaml"]) {
    assert.equal((await fetch(consoleUrl + path)).status, 404, path);
  }
});
