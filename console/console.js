// The page: its steps send requests and show them with their answers. What a person types and what the API grants stays
// in this module's memory. The browser stores the base URL and the mode only.
import { bodyOf, clock, curl, decoded, findMode, isLocal, needsToken, post, readBase, shown } from "./api.js";
import { $, $$, chip, element, inline } from "./dom.js";
import { showOutbox, showSent } from "./outbox.js";
import { showReference } from "./reference.js";

const DEFAULT_BASE = "http://127.0.0.1:9000/auth"; // make watch
const OPENING_PATIENCE = 6_000;
const OUTBOX_INTERVAL = 3_000;
const ANSWERS_PER_CODE = 3;
const MOMENT = { dateStyle: "medium", timeStyle: "long" };
const TIMES = ["exp", "iat", "auth_time"];
const REFRESH_TOKEN =
  "Only Cognito can read it. It expires after the stack's RefreshTokenDays. If the stack rotates it, each refresh returns a new one.";
const CLAIMS = {
  alg: "Signature algorithm",
  kid: "Key, in the JWKS",
  iss: "Issuer: the user pool",
  sub: "The user's id",
  aud: "Pool client",
  client_id: "Pool client",
  token_use: "What the token is for",
  exp: "Expires",
  iat: "Issued",
  auth_time: "Signed in",
  jti: "Id of this token",
  origin_jti: "Id of the sign-in",
  "cognito:groups": "Roles",
  "cognito:username": "Name in the pool",
  "custom:role": "Role asked for at sign-up",
};

const baseField = $("#connect [name=base]");
const memory = {}; // session, accessToken, tokenId, refreshToken
const exchanges = new Map(); // by the id of a step
let base = DEFAULT_BASE;
let mode = "UserPassword";
let channel = "phone"; // of Passwordless
let reveal = false;

// ── What is asked ──────────────────────────────────────────────────────────────────────────────────────

function random(choices, length) {
  const numbers = crypto.getRandomValues(new Uint32Array(length));
  return Array.from(numbers, (number) => choices[number % choices.length]).join("");
}

/** Whether the username to ask for is a phone number first. */
const byPhone = () => mode === "Passwordless" && channel === "phone";

/** A user that no one else uses. On this machine only: elsewhere the messages would reach somebody. */
function makeUpUser() {
  const [small, large, digits] = ["abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKMNPQRSTUVWXYZ", "23456789"];
  const password = () => `${random(small, 6)}-${random(large, 4)}-${random(digits, 4)}`;
  const email = `user-${random(small + digits, 6)}@example.com`;
  const name = byPhone() ? `+34999${random("0123456789", 6)}` : email;
  share("username", isLocal(base) ? name : "");
  share("password", password());
  $("#reset [name=password]").value = password();
  $("[name=newPassword]").value = password();
  $("#account [name=username]").value = "";
  for (const code of $$("[name=confirmationCode]")) code.value = "";
}

/** Forgets what was granted: it is of another user or another API. */
function forgetTokens() {
  for (const name of Object.keys(memory)) delete memory[name];
  $("#answers-left").textContent = "No session yet: sign in first";
  const nothing = element("p", { className: "empty" }, "Sign in to see the tokens here, decoded.");
  $("#held").replaceChildren(nothing);
}

/** Forgets what was answered, too. */
function forget() {
  forgetTokens();
  exchanges.clear();
  for (const outcome of $$(".outcome")) outcome.replaceChildren();
  for (const link of $$(".rail a")) delete link.dataset.state;
  for (const inbox of $$(".inbox")) inbox.replaceChildren();
}

/** Puts a value into every step that asks for it. */
function share(name, value) {
  for (const input of $$(`[name=${name}][data-shared]`)) input.value = value;
}

/** The request that a form stands for, at a route; of this field alone where there is one. */
function requestIn(form, route, field) {
  const valueOf = (name) => form.elements[name]?.value ?? memory[name] ?? "";
  const body = field ? { [field]: valueOf(field) } : bodyOf(route, mode, valueOf);
  return { base, route, token: needsToken(route) ? valueOf("accessToken") : undefined, body };
}

// ── What is shown ──────────────────────────────────────────────────────────────────────────────────────

/** What a step has sent last, with its answer; before, what its form would send. */
function exchangeOf(step) {
  const form = $("form", step);
  return exchanges.get(step.id) ?? requestIn(form, form.dataset.route);
}

function draw(step) {
  const pane = $(".exchange", step);
  if (!pane) return;
  const { answer, ...request } = exchangeOf(step);
  $(".curl", pane).textContent = curl(request, reveal);
  $("[data-action=reveal]", pane).textContent = reveal ? "Hide secrets" : "Show secrets";
  $("[data-action=reveal]", pane).setAttribute("aria-pressed", reveal);
  $(".answer", pane).hidden = !answer;
  pane.classList.toggle("answered", Boolean(answer));
  if (answer) drawAnswer(pane, answer);
  for (const text of $$("pre", pane)) text.tabIndex = text.scrollHeight > text.clientHeight ? 0 : -1;
}

function drawAnswer(pane, answer) {
  $(".chip", pane).replaceWith(chip(answer.error ? "bad" : "good", answer.status || "No answer"));
  $(".took", pane).textContent = `${answer.took} ms`;
  $(".json", pane).textContent = answer.status ? shown(answer.body, reveal) : answer.error.message;
}

function drawAll() {
  $$(".step").forEach(draw);
}

/** Says in the step what happened: an error in the API's words with the time to wait, or a success with the next step. */
function tell(step, { status, error, retryAfter }, message, next) {
  const what = message ?? element("code", {}, error.type ?? "");
  const said = [element("p", {}, chip(error ? "bad" : "good", status || "No answer"), " ", what)];
  if (error) said.push(element("p", {}, error.message));
  if (error?.session) said.push(element("p", {}, "The next try uses the new session of this error."));
  if (retryAfter) {
    const wait = element("span", { className: "wait", role: "timer" });
    countDown(wait, Date.now() + retryAfter * 1000, "Try again in {}", "You can try again now");
    said.push(element("p", {}, wait));
  }
  for (const other of $$(".next")) other.remove();
  if (next) {
    const button = element("button", { type: "button", className: "next" }, `Next: ${$("h2", next).textContent}`);
    Object.assign(button.dataset, { action: "next", next: next.id });
    said.push(button);
  }
  const outcome = $(".outcome", step);
  outcome.className = `outcome ${error ? "bad" : "good"}`;
  outcome.replaceChildren(...said);
  $(`.rail a[href="#${step.id}"]`).dataset.state = error ? "bad" : "good";
}

function countDown(timer, until, running, over) {
  Object.assign(timer.dataset, { until, running, over });
  setTimeout(tick); // once it is on the page
}

/** Every countdown of the page, once a second, with the bar beside it. */
function tick() {
  for (const timer of $$("[data-until]")) {
    const left = Math.max(0, Math.ceil((timer.dataset.until - Date.now()) / 1000));
    timer.textContent = left ? timer.dataset.running.replace("{}", clock(left)) : timer.dataset.over;
    timer.classList.toggle("over", !left);
    const bar = $("progress", timer.closest(".token") ?? timer);
    if (bar) bar.value = left;
  }
}

/** Tokens taken apart: what they say, how long they live. */
function showTokens() {
  const received = Date.now();
  const titles = { accessToken: "Access token", tokenId: "ID token", refreshToken: "Refresh token" };
  const cards = Object.entries(titles).map(([name, title]) => {
    const copy = element("button", { type: "button", className: "small", ariaLabel: `Copy the ${title}` }, "Copy");
    copy.dataset.token = name;
    const head = element("div", { className: "head" }, element("h3", {}, title), element("code", {}, name), copy);
    if (name === "refreshToken") {
      return element("article", { className: "token" }, head, element("p", {}, REFRESH_TOKEN));
    }
    const { header, payload } = decoded(memory[name]);
    const life = payload.exp - payload.iat;
    const timer = element("span", { className: "life", role: "timer" });
    // Counted from the answer on: this machine's clock may be another than Cognito's.
    countDown(timer, received + life * 1000, `{} left of ${clock(life)}`, "Expired");
    const bar = element("progress", { max: life, value: life, ariaLabel: `Remaining life of the ${title}` });
    const tables = [claims("Header", header), claims("Payload", payload)];
    const summary = element("summary", {}, "Header and payload");
    const details = element("details", { open: name === "tokenId" }, summary, ...tables);
    return element("article", { className: "token" }, head, element("p", {}, timer), bar, details);
  });
  $("#held").replaceChildren(...cards);
}

function claims(caption, values) {
  const rows = Object.entries(values).map(([name, value]) => {
    const note = (text) => (text ? element("small", {}, text) : "");
    const moment = TIMES.includes(name) && new Date(value * 1000).toLocaleString("en-GB", MOMENT);
    return element("tr", {},
      element("th", { scope: "row" }, element("code", {}, name), note(CLAIMS[name])),
      element("td", {}, moment || [value].flat().join(", "), note(moment && `${value}`)),
    );
  });
  return element("table", {}, element("caption", {}, caption), element("tbody", {}, ...rows));
}

function showRevoked() {
  $("#held").prepend(element("p", { className: "empty" }, "Revoked: Cognito rejects these tokens now."));
}

function showAnswersLeft() {
  const left = memory.answersLeft;
  $("#answers-left").textContent = left ? `${left} of ${ANSWERS_PER_CODE} answers left` : "Sign in for a new code";
  $("#answers-left").classList.toggle("bad", left === 0);
}

// ── What follows from an answer ────────────────────────────────────────────────────────────────────────

/** Keeps what an answer grants, and gives what to say and the step to go on with. */
function follow({ route, body }, form, answer) {
  switch (route) {
    case "sign-in":
    case "token":
    case "token/refresh": {
      if (!answer.accessToken) {
        Object.assign(memory, { session: answer.session, answersLeft: ANSWERS_PER_CODE });
        $("#code [name=confirmationCode]").value = "";
        showAnswersLeft();
        return [answer.message, "code"];
      }
      const rotated = memory.refreshToken && memory.refreshToken !== answer.refreshToken;
      Object.assign(memory, answer);
      showTokens();
      if (route !== "token/refresh") return ["Signed in. The tokens are below.", "tokens"];
      return [`New tokens. The refresh token is ${rotated ? "new, too" : "the same"}.`];
    }
    case "sign-up":
      return [`${answer.username} signed up with the role ${answer.userAttributes.role}.`, form.dataset.next];
    case "sign-up/resend-code":
      return [answer.message, "confirm"];
    case "password/change":
      share("password", body.password);
      return [answer.message, form.dataset.next];
    case "token/revoke":
      showRevoked();
      return [answer.message];
    default:
      if (answer.roles) return [`${answer.username} has the roles ${answer.roles.join(", ") || "none"}.`];
      if (body.newPassword) share("password", body.newPassword);
      if (form.dataset.ends === "sessions") showRevoked();
      if (form.dataset.ends === "account") forgetTokens();
      return [answer.message, form.dataset.next];
  }
}

/** Keeps the session of a wrong code, and gives the field that an error is about. */
function recover(route, form, { type = "", message, session }) {
  if (route === "token") {
    if (session) Object.assign(memory, { session, answersLeft: memory.answersLeft - 1 });
    else if (type === "NotAuthorizedException") memory.answersLeft = 0;
    showAnswersLeft();
  }
  const [, missing] = message.match(/^Missing required key '(\w+)'/) ?? [];
  if (missing) return form.elements[missing[0].toLowerCase() + missing.slice(1)];
  if (type.includes("Code")) return form.elements.confirmationCode;
  if (type.includes("Password")) return form.elements.newPassword ?? form.elements.password;
  return undefined;
}

/** Leads on to a step: to the first field that is still empty. */
function goTo(step) {
  const fields = $$("input:not([type=hidden])", step).filter((input) => input.checkVisibility());
  const field = fields.find((input) => !input.value) ?? fields.find(({ type }) => type !== "radio") ?? $("button", step);
  field.focus({ preventScroll: true });
  if (field.matches("input")) field.select();
  step.scrollIntoView({ block: step.offsetHeight > innerHeight / 2 ? "start" : "nearest" });
}

/** Scrolls until the outcome of a step is in view, with the answer that it is about if there is room for both. */
function showAnswer(step) {
  const [outcome, answer] = [$(".outcome", step), $(".answer", step)];
  answer?.scrollIntoView({ block: "nearest" });
  outcome.scrollIntoView({ block: "nearest" });
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  const step = form.closest(".step");
  if (form.getAttribute("aria-busy") === "true") return;
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  form.setAttribute("aria-busy", true);
  $(".outcome", step).replaceChildren();
  try {
    if (!takeBase()) return;
    if (step.id === "connect") await connect(base);
    else await send(step, form, event.submitter?.dataset ?? {});
  } finally {
    form.setAttribute("aria-busy", false);
  }
}

/** Uses the base URL in its field. If it is none, says so there. */
function takeBase() {
  try {
    use(readBase(baseField.value));
  } catch (error) {
    tell($("#connect"), { status: "Not sent", error });
    mark(baseField);
    return false;
  }
  keepBase();
  return true;
}

function keepBase() {
  baseField.value = base;
  localStorage.setItem("base", base);
}

/** Shows the base URL of a link that led here. It is used, with the link's mode, only if the person agrees. */
function propose(text, linkMode) {
  try {
    const proposed = readBase(text);
    $("#proposal code").textContent = proposed;
    $("#proposal").dataset.mode = linkMode;
    $("#proposal").hidden = proposed === base;
  } catch {
    // Not a base URL: there is nothing to propose.
  }
}

async function send(step, form, { route = form.dataset.route, field }) {
  if (form.dataset.question && !confirm(form.dataset.question)) return;
  const request = requestIn(form, route, field);
  const answer = await post(request);
  if (request.base !== base) return; // the person chose another API meanwhile
  exchanges.set(step.id, { ...request, answer });
  if (answer.error) {
    const field = recover(route, form, answer.error);
    tell(step, answer);
    drawAll();
    if (field) mark(field);
    showAnswer(step);
    return;
  }
  const [message, id] = follow(request, form, answer.body);
  const next = id && $(`#${id}`);
  const goesOn = next === step;
  tell(step, answer, message, goesOn ? undefined : next);
  drawAll();
  // The answer stays in view. Enter leads on.
  if (goesOn) goTo(step);
  else $(".next", step)?.focus({ preventScroll: true });
  showAnswer(step);
  const inbox = next && $(".inbox", next);
  if (inbox && isLocal(base)) await showSent(inbox);
}

/** Puts a person back at the field that was rejected. */
function mark(field) {
  field.setAttribute("aria-invalid", true);
  field.focus();
  field.select();
}

/** Connects to an API, and takes over its mode. */
async function connect(candidate) {
  const step = $("#connect");
  const answer = await findMode(candidate);
  if (candidate !== base) return;
  if (answer.error && !answer.mode) {
    tell(step, answer);
    return;
  }
  connected(answer, step);
  $(".next", step).focus({ preventScroll: true });
  showAnswer(step);
}

/** Says that the API in use answered, and with which mode. */
function connected({ mode: found, took }, step = $("#connect")) {
  useMode(found);
  tell(step, { status: "Connected" }, `The API answered in ${took} ms. Its mode is ${mode}.`, $("#sign-up"));
}

/**
 * Opens on the first API that answers: the remembered one, then what runs on this machine. One on another machine is
 * remembered because the person chose it, and is not called before the person does so.
 */
async function openOnWhatRuns(remembered) {
  const before = base;
  const untouched = () => base === before && baseField.value === before && !exchanges.size;
  const { apis } = await fetch("running").then((response) => response.json()).catch(() => ({ apis: [] }));
  showRunning(apis);
  if (remembered && !isLocal(remembered)) return;
  const candidates = new Set([...(remembered ? [remembered] : []), ...apis.map((api) => api.base)]);
  for (const candidate of candidates) {
    if (!untouched()) return; // the person was quicker
    const answer = await findMode(candidate, OPENING_PATIENCE);
    if (answer.mode && untouched()) {
      use(candidate);
      keepBase();
      connected(answer);
      return;
    }
  }
  if (!candidates.size) say("Nothing runs yet. Start the API with `make local`, then reload this page.");
  else say("No API answered. Check that `make local` or `make watch` runs, then reload this page.");
}

/** Says it under the list of what runs. */
function say(text) {
  $("#running").append(element("p", { className: "empty" }, ...inline(text)));
}

function showRunning(apis) {
  const buttons = apis.map(({ name, base: address }) => {
    const button = element("button", { type: "button", className: "api" }, element("b", {}, name), element("code", {}, address));
    Object.assign(button.dataset, { action: "choose", base: address });
    return button;
  });
  $("#running").replaceChildren(...buttons);
  markRunning();
}

/** Marks the API in use in the list of what runs. */
function markRunning() {
  for (const button of $$("#running button")) button.setAttribute("aria-pressed", button.dataset.base === base);
}

// ── The page itself ────────────────────────────────────────────────────────────────────────────────────

/** Uses another API, or the same one in another mode. */
function use(newBase, newMode = mode) {
  if (newBase !== base || newMode !== mode) forget();
  const another = newMode !== mode || isLocal(newBase) !== isLocal(base);
  [base, mode] = [newBase, newMode];
  for (const choice of $$("[name=mode]")) choice.checked = choice.value === mode;
  for (const part of $$("[data-only]")) part.hidden = part.dataset.only !== mode;
  for (const hint of $$("[data-local]")) hint.hidden = !isLocal(base);
  showChannel();
  markRunning();
  if (another) makeUpUser();
  drawAll();
}

function useMode(newMode) {
  use(base, newMode);
  localStorage.setItem("mode", mode);
}

/** Asks for usernames of the kind that was chosen. Either kind may be typed in. */
function showChannel() {
  const label = byPhone() ? "Phone number or e-mail address" : "E-mail address or phone number";
  for (const part of $$("[data-username]")) part.textContent = label;
  for (const input of $$("[name=username]")) {
    input.placeholder = byPhone() ? "+34600000000" : "you@example.org";
    input.inputMode = byPhone() ? "tel" : "email";
  }
}

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

const ACTIONS = {
  accept: () => {
    baseField.value = $("#proposal code").textContent;
    takeBase();
    useMode($("#proposal").dataset.mode);
    $("#proposal").hidden = true;
    baseField.focus();
  },
  generate: () => {
    forget();
    makeUpUser();
    drawAll();
  },
  reveal: () => {
    reveal = !reveal;
    for (const input of $$("[name=password], [name=newPassword]")) input.type = reveal ? "text" : "password";
    drawAll();
  },
  next: (button) => {
    button.remove();
    goTo($(`#${button.dataset.next}`));
  },
  choose: ({ dataset }) => {
    baseField.value = dataset.base;
    takeBase();
    connect(base);
  },
  use: (button) => {
    const { confirmationCode } = button.closest("form").elements;
    confirmationCode.value = button.dataset.code;
    confirmationCode.focus();
    drawAll();
  },
  // A copied request works: it has the secrets.
  copy: (button) => copy(button, curl(exchangeOf(button.closest(".step")), true)),
};

/** Shows the view that the address names, and the part of it. */
function view() {
  const [name, part] = location.hash.slice(1).split("/", 2);
  const shown = ["outbox", "reference"].includes(name) ? name : "walk";
  for (const main of $$("[data-view]")) main.hidden = main.id !== shown;
  for (const link of $$(".bar nav a")) {
    if (link.hash === `#${shown}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown === "reference") showReference($("#reference"));
  if (shown === "outbox") showOutbox();
  // The browser looked for the part before it was there.
  if (part) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  else if (shown !== "walk") scrollTo(0, 0);
}

for (const step of $$(".step:not(#connect)")) step.firstElementChild.after($("#exchange").content.cloneNode(true));
document.addEventListener("submit", submit);
document.addEventListener("input", ({ target }) => {
  if (target.name === "mode") {
    useMode(target.value);
  }
  if (target.name === "channel") {
    channel = target.value;
    showChannel();
    if (isLocal(base)) ACTIONS.generate();
  }
  if (target.name === "base") {
    try {
      use(readBase(target.value));
    } catch {
      // The person is still typing.
    }
  }
  if ("shared" in target.dataset) share(target.name, target.value);
  drawAll();
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  const { action, token } = button?.dataset ?? {};
  if (action) ACTIONS[action](button);
  if (token) copy(button, memory[token]);
});
document.addEventListener("focusin", ({ target }) => {
  const step = target.closest(".step");
  for (const link of step ? $$(".rail a") : []) {
    if (link.hash === `#${step.id}`) {
      link.setAttribute("aria-current", "step");
      // On a narrow screen the list scrolls.
      link.closest("ol").scrollTo({ left: link.parentElement.offsetLeft - 16 });
    } else link.removeAttribute("aria-current");
  }
});
addEventListener("hashchange", view);
setInterval(tick, 1000);
setInterval(() => {
  if (!$("#outbox").hidden && !document.hidden) showOutbox();
}, OUTBOX_INTERVAL);

const asked = new URLSearchParams(location.search);
const remembered = localStorage.getItem("base");
base = remembered ?? DEFAULT_BASE;
baseField.value = base;
const wanted = asked.get("mode") ?? localStorage.getItem("mode");
use(base, wanted === "Passwordless" ? wanted : "UserPassword");
if (asked.has("base")) propose(asked.get("base"), mode);
forget();
makeUpUser();
drawAll();
view();
say("Looking for `make local` and `make watch`…");
openOnWhatRuns(remembered);
