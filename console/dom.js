// What every view builds its elements with.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element with properties and children. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export const chip = (kind, text) => element("span", { className: `chip ${kind}` }, text);

/** A line of Markdown: its code and its bold words. */
export function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (/^`.*`$/s.test(part)) return element("code", {}, part.slice(1, -1));
    if (/^\*\*.*\*\*$/s.test(part)) return element("b", {}, part.slice(2, -2));
    return part;
  });
}
