// A person's journeys through the console, in Chromium, against the routes as `make watch` serves them. The API is of
// another origin than the page, so that its requests have a preflight. Run by local/test-console.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { parse } from "yaml";

const { USER_PASSWORD, PASSWORDLESS, GATEWAY, EMBEDDED_AWS } = process.env;
const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run"];
const PASSWORD = "Sup3r!'s-secret"; // with what a shell would trip over
const SIGN_UP_CODE = "123456";
const RESET_CODE = "654321";
const NOTHING = "9"; // a port that no one listens on

let consoleUrl, browser, context, page, hosts, preflights, faults;

const servers = [];

/** The URL of a console that looks for `make watch` and `make local` on these ports. */
async function serve(ports) {
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const env = { ...process.env, CONSOLE_PORT: "0", ...ports };
  // A group of its own, so that `after` ends what make started too.
  const server = spawn("make", ["-s", "console"], { cwd, detached: true, env });
  servers.push(server);
  // make may print what it installs first.
  for await (const text of server.stdout) {
    const [url] = String(text).match(/http:\/\/[\d.]+:\d+/) ?? [];
    if (url) return url;
  }
  throw new Error("The console did not start.");
}

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  // The embedded AWS runs, make watch does not.
  consoleUrl = await serve({ WATCH_PORT: NOTHING });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
});

after(async () => {
  await browser?.close();
  for (const { pid } of servers) process.kill(-pid);
});

/** A fresh browser profile with the console open, and a link's base URL taken. */
async function open(options) {
  await follow(options);
  await press("connect", "Use this API");
}

/** A fresh browser profile with a link to the console followed. */
async function follow({ base = USER_PASSWORD, mode = "UserPassword", ...options }) {
  await visit({ query: `?${new URLSearchParams({ base, mode })}`, ...options });
}

/** A fresh browser profile with the console opened at an address. */
async function visit({ url = consoleUrl, query = "", hash = "", width = 1280, colorScheme = "light" }) {
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
  await page.goto(`${url}/${query}${hash}`);
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

const openView = (name) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();

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

/** Sees a step's answer beside its request, and goes on to the next step, which the Enter key does too. */
async function goOn(id, next) {
  for (const part of [".outcome", ".answer"]) await isSeen(step(id).locator(part));
  const button = step(id).getByRole("button", { name: /^Next: / });
  assert.ok(await button.evaluate((element) => element === document.activeElement));
  await page.keyboard.press("Enter");
  assert.deepEqual(await focused(), next);
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

/** Signs up, confirms and signs in as the user that the console proposes, and returns the username. */
async function signIn() {
  const username = await field("sign-up", "username").inputValue();
  await press("sign-up", "Sign up");
  await says("sign-up", "200");
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200");
  await press("sign-in", "Sign in");
  await says("sign-in", "200");
  return username;
}

test("a user with a password signs up, signs in and resets it", async () => {
  await open({});
  await press("connect", "Check the connection");
  await says("connect", "Connected", /The API answered in \d+ ms\. Its mode is UserPassword\./);
  await page.keyboard.press("Enter");
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
  await says("sign-up", "200", `${username} signed up with the role User.`);
  await shot("user-password-2-signed-up");
  await goOn("sign-up", ["confirm", "confirmationCode"]);
  assert.match(await step("sign-up").locator(".answer").textContent(), /200\s+\d+ ms/);
  const { id, ...granted } = JSON.parse(await step("sign-up").locator(".json").textContent());
  assert.deepEqual(granted, { username, userAttributes: { role: "User" } });
  await isSeen(step("confirm").locator("h2"));
  assert.equal(preflights.at(-1).url, `${USER_PASSWORD}/sign-up`);
  assert.equal(preflights.at(-1).headers["Access-Control-Request-Method"], "POST");

  await press("sign-in", "Sign in");
  await says("sign-in", "403", "UserNotConfirmedException", "User is not confirmed.");
  await press("confirm", "Send a new code");
  await says("confirm", `The confirmation code to activate your account has been sent to: ${username}.`);
  await field("confirm", "confirmationCode").fill("000000");
  await press("confirm", "Confirm");
  await says("confirm", "400", "CodeMismatchException", "Invalid verification code provided, please try again.");
  await shot("user-password-3-wrong-code");
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200", `The username: ${username} has been confirmed.`);
  await goOn("confirm", ["sign-in", "username"]);

  await press("sign-in", "Sign in");
  await says("sign-in", "200", "Signed in. The tokens are below.");
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

  await press("account", "Show my account");
  await says("account", "200", `${username} has the roles User.`);
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
  await press("account", "Show my account");
  await says("account", "401", "NotAuthorizedException");
  await press("sign-in", "Sign in");
  await says("sign-in", "200");

  await press("tokens", "Refresh");
  await says("tokens", "200", /New tokens\. The refresh token is (new, too|the same)\./);
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
  await step("tokens").getByText("Sign in to see the tokens here, decoded.").waitFor();
});

test("an account is deleted if its owner names it and agrees", async () => {
  await open({});
  const username = await signIn();

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
  await press("account", "Show my account");
  await says("account", "200", `${username} has the roles User.`);
  answer = true;
  await press("account", "Delete the account");
  await says("account", "200", "Your account has been deleted.");
  await isSeen(step("account").locator(".outcome"));
  assert.deepEqual(questions, Array(4).fill("Delete this account for good?"));
  await step("tokens").getByText("Sign in to see the tokens here, decoded.").waitFor();
  await shot("user-password-7-deleted");
  await press("sign-in", "Sign in");
  await says("sign-in", "404", "UserNotFoundException");
});

test("a user without a password signs in by SMS, within limits", async () => {
  await open({ base: PASSWORDLESS, mode: "Passwordless", colorScheme: "dark" });
  const number = await field("sign-up", "username").inputValue();
  assert.equal(await page.locator("[name=password]:visible").count(), 0);
  await press("sign-up", "Sign up");
  await says("sign-up", "200", `${number} signed up with the role User.`);
  await field("confirm", "confirmationCode").fill(SIGN_UP_CODE);
  await press("confirm", "Confirm");
  await says("confirm", "200");

  await press("sign-in", "Sign in");
  await says("sign-in", "200", /Use the session and the code we have sent you via SMS/);
  const sent = Date.now();
  await goOn("sign-in", ["code", "confirmationCode"]);
  const code = await codeSentTo(number);
  await field("code", "confirmationCode").fill(wrong(code));
  await press("code", "Get the tokens");
  await says("code", "401", "CodeMismatchException", "The next try uses the new session of this error.");
  await step("code").getByText("2 of 3 answers left").waitFor();
  await isSeen(step("code").locator(".outcome"));
  assert.deepEqual(await focused(), ["code", "confirmationCode"]);
  await shot("passwordless-1-wrong-code");
  await field("code", "confirmationCode").fill(code);
  await press("code", "Get the tokens");
  await says("code", "200", "Signed in. The tokens are below.");
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

test("Passwordless works by e-mail, with codes from the outbox", async () => {
  await open({ base: PASSWORDLESS, mode: "Passwordless", width: 360 });
  await step("connect").getByText("A phone number or an e-mail address, with one-time codes").waitFor();
  await step("sign-up").getByRole("radio", { name: "E-mail address" }).check();
  const username = await field("sign-up", "username").inputValue();
  assert.match(username, /^user-\w+@example\.com$/);
  await shot("outbox-3-channel");
  await press("sign-up", "Sign up");
  await says("sign-up", "200");
  await press("confirm", `Use ${SIGN_UP_CODE}`);
  assert.deepEqual(await focused(), ["confirm", "confirmationCode"]);
  await press("confirm", "Confirm");
  await says("confirm", "200");
  await press("sign-in", "Sign in");
  await says("sign-in", "200", /Use the session and the code we have sent you via email/);
  await press("code", /^Use \d{6}$/);
  await shot("outbox-4-code");
  await press("code", "Get the tokens");
  await says("code", "200", "Signed in. The tokens are below.");
});

test("the outbox shows e-mails and SMS, and each step its code", async () => {
  await open({});
  const username = await field("sign-up", "username").inputValue();
  await press("sign-up", "Sign up");
  await says("sign-up", "200");
  await step("confirm").locator(".inbox").getByText(SIGN_UP_CODE).first().waitFor();
  assert.equal(await step("reset").locator(".inbox").textContent(), "");
  await press("confirm", `Use ${SIGN_UP_CODE}`);
  await press("confirm", "Confirm");
  await says("confirm", "200");
  await press("reset", "Send a code");
  await says("reset", "200");
  await press("reset", `Use ${RESET_CODE}`);
  assert.equal(await field("reset", "confirmationCode").inputValue(), RESET_CODE);
  // What is another user's, no step shows.
  await press("sign-up", "Use another test user");
  assert.equal(await step("confirm").locator(".inbox").textContent(), "");

  const number = `+34999${Math.random().toString().slice(2, 8)}`;
  const post = (route, body) => fetch(`${PASSWORDLESS}/${route}`, { method: "POST", body: JSON.stringify(body) });
  await post("sign-up", { username: number, userAttributes: { role: "User" } });
  await post("sign-up/confirm", { username: number, confirmationCode: SIGN_UP_CODE });
  await openView("Outbox");
  const emails = page.locator("#emails .message").filter({ hasText: username });
  await emails.filter({ hasText: SIGN_UP_CODE }).waitFor();
  assert.match(await emails.first().textContent(), new RegExp(RESET_CODE)); // the latest first
  await post("sign-in", { username: number });
  const sms = page.locator("#sms .message").filter({ hasText: number });
  await sms.getByText(await codeSentTo(number)).waitFor(); // without a reload
  for (const [width, colorScheme] of [[1280, "light"], [360, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await hasNoOverflow();
    await shot(`outbox-1-${width}-${colorScheme}`);
    await isAccessible();
  }
});

test("an e-mail's HTML stays text in the outbox", async () => {
  await open({});
  const html = "<p>Code <b>111222</b></p><img src=x onerror='document.title=1'><script>document.title = 1</script>";
  const email = { step: "confirm", to: "someone@example.com", subject: "<i>Hello</i>", text: "", html, time: 0 };
  await page.route("**/outbox", (route) => route.fulfill({ json: { embeddedAws: EMBEDDED_AWS, running: true, emails: [email], sms: [] } }));
  await openView("Outbox");
  const message = page.locator("#emails .message");
  await message.getByText("Code 111222").waitFor();
  await message.getByText("<i>Hello</i>").waitFor();
  assert.equal(await message.locator("b, i, img, script").count(), 0);
});

test("a narrow screen shows the names of the steps", async () => {
  await open({ width: 360 });
  const names = ["Connect", "Sign up", "Confirm", "Sign in", "Tokens", "Account", "Reset the password"];
  const links = page.getByRole("navigation", { name: "Steps" }).getByRole("link");
  assert.deepEqual((await links.allInnerTexts()).map((name) => name.trim()), names);
  for (const [index, id] of ["connect", "sign-up", "confirm", "sign-in", "tokens", "account", "reset"].entries()) {
    await step(id).getByRole("button").first().focus();
    const { left, right, width } = await links.nth(index).locator("span").evaluate((span) => span.getBoundingClientRect().toJSON());
    assert.ok(width > 40 && left >= 0 && right <= 360, `${id} is at ${left} to ${right} px of 360`);
  }
  await shot("narrow-4-step-names");
});

test("the third wrong one-time code ends the sign-in", async () => {
  await open({ base: PASSWORDLESS, mode: "Passwordless" });
  const number = await signIn();
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
  await keyboard.press("Enter"); // Next
  const username = `keyboard-${Date.now()}@example.com`;
  await keyboard.type(username);
  await keyboard.press("Enter");
  await says("sign-up", "200");
  await isSeen(step("sign-up").locator(".outcome"));
  await shot("narrow-0-signed-up");
  await keyboard.press("Enter"); // Next
  await keyboard.press("Enter");
  await says("confirm", "400", "MissingRequiredParameter", "Missing required key 'ConfirmationCode' in params");
  await isSeen(step("confirm").locator(".outcome"));
  assert.deepEqual(await focused(), ["confirm", "confirmationCode"]);
  await hasNoOverflow();
  await shot("narrow-1-missing-code");
  await keyboard.type(SIGN_UP_CODE);
  await keyboard.press("Enter");
  await says("confirm", `The username: ${username} has been confirmed.`);
  await keyboard.press("Enter"); // Next
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
  await keyboard.press("Enter"); // Next
  await keyboard.press("Enter");
  await says("sign-in", "200");
  await press("sign-in", "Show secrets");
  await hasNoOverflow();
  await shot("narrow-3-whole-page", true);
  await isAccessible();
});

test("a missing API and a bad base URL get an error in words", async () => {
  await open({ base: "http://127.0.0.1:9/auth" });
  await press("connect", "Check the connection");
  await says("connect", "No answer", /No answer from http:\/\/127\.0\.0\.1:9\/auth/);
  for (const [base, message] of [
    ["auth", /not a URL/],
    ["http://api.example.com/auth", /Use https/],
    ["https://user@api.example.com/auth", /Remove the user/],
    ["https://api.example.com/auth?x=1", /Remove the user/],
  ]) {
    await field("connect", "base").fill(base);
    await press("connect", "Check the connection");
    await says("connect", "Not sent", message);
    assert.deepEqual(await focused(), ["connect", "base"]);
  }
  await shot("error-base-url");
});

test("a link's base URL is used once the person agrees", async () => {
  for (const base of [USER_PASSWORD, "https://api.example.com/production/auth"]) {
    await context?.close();
    await follow({ base });
    await says("connect", "Connected");
    assert.notEqual(await field("connect", "base").inputValue(), base);
    await step("connect").getByText(base, { exact: true }).waitFor();
    await press("connect", "Use this API");
    assert.equal(await field("connect", "base").inputValue(), base);
    assert.equal(await step("connect").locator("#proposal").isVisible(), false);
  }
  // Before that, no request goes there.
  await context.close();
  await follow({ base: USER_PASSWORD });
  await says("connect", "Connected");
  const inUse = await field("connect", "base").inputValue();
  await page.route("**/*", (route) => route.abort());
  const sent = page.waitForRequest((request) => request.method() === "POST");
  await field("sign-up", "username").fill("someone@example.com");
  await press("sign-up", "Sign up");
  assert.equal((await sent).url(), `${inUse}/sign-up`);
});

const running = (name) => page.locator("#running").getByRole("button", { name });
const hasMode = (name) => page.waitForFunction((value) => document.querySelector("[name=mode]:checked").value === value, name);

test("the console opens on make local and notices its mode", async () => {
  await visit({});
  await says("connect", "Connected");
  const base = await field("connect", "base").inputValue();
  assert.equal(await running(base).getAttribute("aria-pressed"), "true");
  await running("stack passwordless http").click();
  await says("connect", "Connected", /Its mode is Passwordless\./);
  await hasMode("Passwordless");
  assert.match(await field("sign-up", "username").inputValue(), /^\+34/);
  await shot("connect-1-passwordless");
  await running("stack standard").click();
  await says("connect", /Its mode is UserPassword\./);
  await hasMode("UserPassword");
  assert.equal(await field("connect", "base").inputValue(), GATEWAY);
});

test("the console opens on make watch and notices its mode", async () => {
  for (const [mode, base] of Object.entries({ UserPassword: USER_PASSWORD, Passwordless: PASSWORDLESS })) {
    await context?.close();
    await visit({ url: await serve({ WATCH_PORT: new URL(base).port, PORT: NOTHING }) });
    await says("connect", "Connected", `Its mode is ${mode}.`);
    await hasMode(mode);
    assert.equal(await field("connect", "base").inputValue(), base);
    assert.equal(await running("make watch").getAttribute("aria-pressed"), "true");
  }
});

test("the console forgets a local API that stopped", async () => {
  await visit({});
  await says("connect", "Connected");
  await page.evaluate((port) => localStorage.setItem("base", `http://127.0.0.1:${port}/auth`), NOTHING);
  await page.reload();
  await says("connect", "Connected");
  assert.match(await field("connect", "base").inputValue(), new RegExp(`^${EMBEDDED_AWS}/_aws/`));
});

test("the console says what to start if nothing runs", async () => {
  await visit({ url: await serve({ WATCH_PORT: NOTHING, PORT: NOTHING }) });
  await step("connect").getByText("Nothing runs yet. Start the API with make local, then reload this page.").waitFor();
  await shot("connect-2-nothing-runs");
  await openView("Outbox");
  await page.getByText(`Nothing answers on http://127.0.0.1:${NOTHING}.`).waitFor();
  await shot("outbox-2-not-running");
});

test("the base URL may be an export line or lack /auth", async () => {
  await open({});
  const stage = GATEWAY.replace(/\/auth$/, "");
  for (const text of [`  export AUTH=${GATEWAY}`, `AuthApiURL="${GATEWAY}"`, stage, `${stage}/`, `${GATEWAY}/sign-up/confirm`]) {
    await field("connect", "base").fill(text);
    await press("connect", "Check the connection");
    await says("connect", "Connected");
    assert.equal(await field("connect", "base").inputValue(), GATEWAY, text);
    await field("connect", "base").fill(USER_PASSWORD);
  }
});

test("no test user or code is offered for another machine's API", async () => {
  await open({ base: "https://api.example.com/production/auth" });
  assert.equal(await field("sign-up", "username").inputValue(), "");
  assert.equal(await page.locator("[data-local]:visible").count(), 0);
  // Nor is it called when the page opens again.
  await page.reload();
  await page.locator("#running button").first().waitFor();
  assert.equal(await field("connect", "base").inputValue(), "https://api.example.com/production/auth");
});

test("the embedded AWS answers the page, which remembers its URL", async () => {
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

test("the page and the reference are accessible, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await context?.close();
    await open({ colorScheme });
    await press("confirm", "Confirm");
    await says("confirm", "MissingRequiredParameter");
    await isAccessible();
    await openView("API reference");
    await page.getByRole("heading", { name: "API reference" }).waitFor();
    await isAccessible();
  }
});

test("the reference shows every route, field and error", async () => {
  const { paths, components } = parse(readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8"));
  const typesIn = (value) => JSON.stringify(value).match(/(?<="type":")\w+Exception|(?<=#\/components\/responses\/)\w+/g) ?? [];
  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [360, "light"]]) {
    await context?.close();
    await follow({ hash: "#reference", width, colorScheme });
    const cards = page.locator("#reference .step");
    const titles = await cards.locator("h3 code").allTextContents();
    assert.deepEqual(titles.sort(), Object.keys(paths).map((path) => `POST ${path}`).sort());
    for (const [path, { post }] of Object.entries(paths)) {
      const card = page.locator(`[id="reference${path}"]`);
      const text = await card.textContent();
      const statuses = await card.locator("details .chip").allTextContents();
      assert.deepEqual(statuses, Object.keys(post.responses), path);
      for (const type of typesIn(post.responses).flatMap((name) => components.responses[name] ? typesIn(components.responses[name]) : [name])) {
        assert.ok(text.includes(type), `${path}: ${type}`);
      }
      for (const { value } of Object.values(post.requestBody.content["application/json"].examples)) {
        for (const name of Object.keys(value)) assert.ok(text.includes(name), `${path}: ${name}`);
      }
    }
    await hasNoOverflow();
    await shot(`reference-${width}-${colorScheme}`);
  }
});

test("the reference looks like the page it is on", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await context?.close();
    await follow({ hash: "#reference/sign-in", colorScheme });
    const card = page.locator('[id="reference/sign-in"]');
    await isSeen(card.locator("h3"));
    const look = (element) => {
      const { fontFamily, backgroundColor, color, borderRadius, borderColor } = getComputedStyle(element);
      return { fontFamily, backgroundColor, color, borderRadius, borderColor };
    };
    assert.deepEqual(await card.evaluate(look), await step("sign-in").evaluate(look));
    const [side, exchange] = [card.locator(".exchange"), step("sign-in").locator(".exchange")];
    assert.deepEqual(await side.evaluate(look), await exchange.evaluate(look));
    await shot(`reference-sign-in-${colorScheme}`);
  }
});

/** The status of an answer to a request with these headers, which no browser and no fetch would send. */
async function statusOf(path, headers = {}, method = "GET") {
  const asked = request(consoleUrl + path, { headers, method, agent: false }).end();
  const [response] = await once(asked, "response");
  response.resume();
  return response.statusCode;
}

test("the server hands out the page's files and nothing else", async () => {
  await open({});
  for (const path of ["/package.json", "/serve.mjs", "/test/", "/node_modules/axe-core/axe.min.js", "/%2e%2e/template.yaml"]) {
    assert.equal(await statusOf(path), 404, path);
  }
});

test("the server rejects other hosts, origins and sites", async () => {
  await open({});
  const { host } = new URL(consoleUrl);
  for (const path of ["/", "/running", "/outbox"]) {
    assert.equal(await statusOf(path), 200, path);
    assert.equal(await statusOf(path, { Origin: consoleUrl }), 200, path);
    assert.equal(await statusOf(path, { Host: `evil.example:${new URL(consoleUrl).port}` }), 403, path);
    assert.equal(await statusOf(path, { Host: "127.0.0.1:1" }), 403, path);
    assert.equal(await statusOf(path, { Host: host, Origin: "https://evil.example" }), 403, path);
    assert.equal(await statusOf(path, { Host: host, Origin: "null" }), 403, path);
    assert.equal(await statusOf(path, {}, "POST"), 404, path);
    // A link may lead to the page, but no other page may read what was sent.
    assert.equal(await statusOf(path, { "Sec-Fetch-Site": "cross-site" }), path === "/" ? 200 : 403, path);
    assert.equal(await statusOf(path, { "Sec-Fetch-Site": "same-site" }), path === "/" ? 200 : 403, path);
  }
});
