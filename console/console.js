// The page: its steps send requests, show them with their answers, and lead on to the next. What a person types and
// what the API grants stays in this module's memory; only the base URL and the mode are kept.
import specification from "./openapi.js";
import { NOT_THE_API, bodyOf, clock, curl, decoded, isLocal, needsToken, post, readBase, shown } from "./api.js";

const DEFAULT_BASE = "http://127.0.0.1:9000/auth";
const EMBEDDED_AWS = "http://127.0.0.1:4566";
const ANSWERS_PER_CODE = 3;
const MOMENT = { dateStyle: "medium", timeStyle: "long" };
const TIMES = ["exp", "iat", "auth_time"];
const REFRESH_TOKEN =
  "Opaque: only Cognito reads it. It lives for the stack's RefreshTokenDays; where it rotates, a refresh replaces it.";
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

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const baseField = $("#connect [name=base]");
const memory = {}; // session, accessToken, tokenId, refreshToken
const exchanges = new Map(); // by the id of a step
let base = DEFAULT_BASE;
let mode = "UserPassword";
let reveal = false;

/** An element with properties and children. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const chip = (kind, text) => element("span", { className: `chip ${kind}` }, text);

// ── What is asked ──────────────────────────────────────────────────────────────────────────────────────

function random(choices, length) {
  const numbers = crypto.getRandomValues(new Uint32Array(length));
  return Array.from(numbers, (number) => choices[number % choices.length]).join("");
}

/** A user whom nobody is. The name is for this machine only: elsewhere a message would go out to it. */
function makeUpUser() {
  const [small, large, digits] = ["abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKMNPQRSTUVWXYZ", "23456789"];
  const password = () => `${random(small, 6)}-${random(large, 4)}-${random(digits, 4)}`;
  const email = `user-${random(small + digits, 6)}@example.com`;
  const name = mode === "Passwordless" ? `+34999${random("0123456789", 6)}` : email;
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
  const nothing = element("p", { className: "empty" }, "Sign in, and the tokens are taken apart here.");
  $("#held").replaceChildren(nothing);
}

/** Forgets what was answered, too. */
function forget() {
  forgetTokens();
  exchanges.clear();
  for (const outcome of $$(".outcome")) outcome.replaceChildren();
  for (const link of $$(".rail a")) delete link.dataset.state;
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
  const embedded = base.includes("/_aws/") ? new URL(base).origin : EMBEDDED_AWS;
  const number = encodeURIComponent($("#code [name=username]").value);
  $("#messages").href = `${embedded}/_ministack/sns/sms-messages?phoneNumber=${number}`;
}

/** Says in the step what came of it: an error in the API's words, with the time to wait if it names one. */
function tell(step, { status, error, retryAfter }, message) {
  const what = message ?? element("code", {}, error.type ?? "");
  const said = [element("p", {}, chip(error ? "bad" : "good", status || "No answer"), " ", what)];
  if (error) said.push(element("p", {}, error.message));
  if (error?.session) said.push(element("p", {}, "The next try uses the session of this answer."));
  if (retryAfter) {
    const wait = element("span", { className: "wait", role: "timer" });
    countDown(wait, Date.now() + retryAfter * 1000, "Try again in {}", "You can try again now");
    said.push(element("p", {}, wait));
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
  $("#held").prepend(element("p", { className: "empty" }, "Revoked: Cognito takes none of these any more."));
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
      if (route !== "token/refresh") return ["Signed in: the tokens are below.", "tokens"];
      return [`New tokens; the refresh token is ${rotated ? "a new one" : "the same"}.`];
    }
    case "sign-up":
      return [`${answer.username} has signed up as ${answer.userAttributes.role}.`, form.dataset.next];
    case "password/change":
      share("password", body.password);
      return [answer.message, form.dataset.next];
    case "token/revoke":
      showRevoked();
      return [answer.message];
    default:
      if (answer.roles) return [`${answer.username}, with the roles ${answer.roles.join(", ") || "none"}.`];
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
  const field = fields.find((input) => !input.value) ?? fields[0] ?? $("button", step);
  field.focus({ preventScroll: true });
  if (field.matches("input")) field.select();
  step.scrollIntoView({ block: step.offsetHeight > innerHeight / 2 ? "start" : "nearest" });
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
    if (step.id === "connect") await connect(step);
    else await send(step, form, event.submitter?.dataset ?? {});
  } finally {
    form.setAttribute("aria-busy", false);
  }
}

/** Takes the base URL that stands in its field; if it is none, says so there. */
function takeBase() {
  try {
    use(readBase(baseField.value));
  } catch (error) {
    tell($("#connect"), { status: "Not sent", error });
    mark(baseField);
    return false;
  }
  baseField.value = base;
  localStorage.setItem("base", base);
  return true;
}

/** Shows the base URL of a link that led here, unless it is the one in use: only the person's word makes it that. */
function propose(text) {
  try {
    const proposed = readBase(text);
    $("#proposal code").textContent = proposed;
    $("#proposal").hidden = proposed === base;
  } catch {
    // A link to nothing that can be used is none.
  }
}

async function send(step, form, { route = form.dataset.route, field }) {
  if (form.dataset.question && !confirm(form.dataset.question)) return;
  const request = requestIn(form, route, field);
  const answer = await post(request);
  if (request.base !== base) return; // the person has turned to another API meanwhile
  exchanges.set(step.id, { ...request, answer });
  if (answer.error) {
    const field = recover(route, form, answer.error);
    tell(step, answer);
    drawAll();
    if (field) mark(field);
    $(".outcome", step).scrollIntoView({ block: "nearest" });
  } else {
    const [message, next] = follow(request, form, answer.body);
    tell(step, answer, message);
    drawAll();
    if (next) goTo($(`#${next}`));
    else $(".outcome", step).scrollIntoView({ block: "nearest" });
  }
}

/** Puts a person back at the field that was refused. */
function mark(field) {
  field.setAttribute("aria-invalid", true);
  field.focus();
  field.select();
}

/** Asks the API for nothing: that it says so shows that it is there and lets this page in. */
async function connect(step) {
  const answer = await post({ base, route: "sign-in", body: {} });
  if (answer.error?.type === "MissingRequiredParameter") {
    tell(step, { status: "Connected" }, `The API answers, in ${answer.took} ms.`);
    goTo($("#sign-up"));
  } else {
    tell(step, { ...answer, error: answer.error ?? NOT_THE_API });
  }
}

// ── The page itself ────────────────────────────────────────────────────────────────────────────────────

/** Turns to another API, or the same one in another mode. */
function use(newBase, newMode = mode) {
  if (newBase !== base || newMode !== mode) forget();
  const another = newMode !== mode || isLocal(newBase) !== isLocal(base);
  [base, mode] = [newBase, newMode];
  for (const choice of $$("[name=mode]")) choice.checked = choice.value === mode;
  for (const part of $$("[data-only]")) part.hidden = part.dataset.only !== mode;
  for (const hint of $$("[data-local]")) hint.hidden = !isLocal(base);
  const phone = mode === "Passwordless";
  const label = phone ? "Phone number" : "E-mail address or phone number";
  for (const part of $$("[data-username]")) part.textContent = label;
  for (const input of $$("[name=username]")) {
    input.placeholder = phone ? "+34600000000" : "you@example.org";
    input.inputMode = phone ? "tel" : "email";
  }
  if (another) makeUpUser();
  drawAll();
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
    $("#proposal").hidden = true;
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
  // What is copied works: with the secrets, as whoever copies it asks for.
  copy: (button) => copy(button, curl(exchangeOf(button.closest(".step")), true)),
};

/** The view that the address names; the reference is loaded when it is first looked at. */
function view() {
  const reference = location.hash === "#reference";
  for (const part of $$("[data-view]")) part.hidden = (part.id === "reference") !== reference;
  for (const link of $$(".bar nav a")) {
    if ((link.hash === "#reference") === reference) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (reference && !window.SwaggerUIBundle && !$("script[src*=swagger]")) {
    document.head.append(element("link", { rel: "stylesheet", href: "swagger-ui.css" }));
    document.head.append(element("script", { src: "swagger-ui-bundle.js", onload: showReference }));
  }
}

function showReference() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", paint);
  paint();
  const node = element("div");
  $("#reference").append(node);
  window.SwaggerUIBundle({
    domNode: node,
    spec: specification,
    validatorUrl: null,
    supportedSubmitMethods: [], // trying is what the walk-through is for
    showExtensions: true, // x-modes
    defaultModelsExpandDepth: 0,
    onComplete: () => $("#reference > .empty")?.remove(),
  });
}

for (const step of $$(".step:not(#connect)")) step.firstElementChild.after($("#exchange").content.cloneNode(true));
document.addEventListener("submit", submit);
document.addEventListener("input", ({ target }) => {
  if (target.name === "mode") {
    localStorage.setItem("mode", target.value);
    use(base, target.value);
  }
  if (target.name === "base") {
    try {
      use(readBase(target.value));
    } catch {
      // Said when it is used: a person is still typing.
    }
  }
  if ("shared" in target.dataset) share(target.name, target.value);
  drawAll();
});
document.addEventListener("click", ({ target }) => {
  const { action, token } = target.dataset ?? {};
  if (action) ACTIONS[action](target);
  if (token) copy(target, memory[token]);
});
document.addEventListener("focusin", ({ target }) => {
  const step = target.closest(".step");
  for (const link of step ? $$(".rail a") : []) {
    if (link.hash === `#${step.id}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
});
addEventListener("hashchange", view);
setInterval(tick, 1000);

const asked = new URLSearchParams(location.search);
base = localStorage.getItem("base") ?? DEFAULT_BASE;
baseField.value = base;
const passwordless = (asked.get("mode") ?? localStorage.getItem("mode")) === "Passwordless";
use(base, passwordless ? "Passwordless" : "UserPassword");
if (asked.has("base")) propose(asked.get("base"));
forget();
makeUpUser();
drawAll();
view();
