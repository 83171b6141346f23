// What the embedded AWS sent: the console's server reads it, as the embedded AWS rejects pages of other origins.
import { $, element, inline } from "./dom.js";

const TIME = { timeStyle: "medium" };

/** Shows everything that was sent. */
export async function showOutbox() {
  const { embeddedAws, running, emails, sms } = await read();
  if (running) state();
  else if (!embeddedAws) state("The console's server does not answer. Start it again: `make console`.");
  else state(`Nothing answers on ${embeddedAws}. Start the embedded AWS with \`make local\`. If it listens on another port, such as 4567, start the console with \`make console PORT=4567\`.`);
  fill($("#emails"), emails, "No e-mails yet.");
  fill($("#sms"), sms, "No SMS yet.");
}

async function read() {
  try {
    return await (await fetch("outbox")).json();
  } catch {
    return { emails: [], sms: [] };
  }
}

/** Says why there is nothing to show, or shows it. */
function state(text) {
  replace($("#outbox-state"), text ?? "", ...inline(text ?? ""));
  $("#outbox-state").hidden = !text;
  $("#outbox .boxes").hidden = Boolean(text);
}

/** Replaces what a box shows if it is not the same: what a person selected or focused there stays. */
function replace(box, key, ...children) {
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...children);
}

function fill(box, messages, nothing) {
  const cards = messages.length ? messages.map(card) : [element("p", { className: "empty" }, nothing)];
  replace(box, JSON.stringify(messages), ...cards);
}

function card(message) {
  const to = element("h3", {}, message.to);
  const time = message.time ? element("time", {}, clockTime(message.time)) : "";
  const subject = message.subject ? element("p", { className: "subject" }, message.subject) : "";
  const body = element("p", { className: "body" }, textOf(message));
  return element("article", { className: "message" }, element("div", { className: "head" }, to, time), subject, body);
}

/** Shows in a step the message that its user was just sent, and offers the code in it. */
export async function showSent(inbox) {
  const username = inbox.closest("form").elements.username.value.trim().toLowerCase();
  const { emails, sms } = await read();
  const message = [...emails, ...sms].find(({ to }) => to.toLowerCase() === username);
  if (!message) return inbox.replaceChildren();
  const [code] = textOf(message).match(/\b\d{6}\b/) ?? [];
  const use = code ? element("button", { type: "button", className: "small" }, `Use ${code}`) : "";
  if (code) Object.assign(use.dataset, { action: "use", code });
  const kind = message.subject === undefined ? "SMS" : "E-mail";
  const text = element("p", {}, element("b", {}, `${kind} `), textOf(message));
  return inbox.replaceChildren(text, use);
}

/** The text of a message. Nothing of its HTML gets into the page. */
function textOf({ text, html }) {
  return text || new DOMParser().parseFromString(html, "text/html").body.textContent.trim();
}

const clockTime = (time) => new Date(time).toLocaleTimeString("en-GB", TIME);
