// The reference: openapi.yaml as cards that look like the steps of the walk-through.
import specification from "./openapi.js";
import { curl, shown } from "./api.js";
import { chip, element, inline } from "./dom.js";

const COMMON_HEADERS = ["Cache-Control", "Access-Control-"];
const LIMITS = { format: "", minimum: "at least ", maximum: "at most ", const: "always ", maxLength: "characters at most: " };

/** Builds the reference where there is none yet. */
export function showReference(main) {
  if (main.hasChildNodes()) return;
  const { info, paths, tags } = specification;
  const routes = Object.entries(paths).map(([path, { post }]) => ({ path, ...post }));
  const groups = tags.map((tag) => ({ ...tag, routes: routes.filter(({ tags: [name] }) => name === tag.name) }));
  const intro = element("div", { className: "intro" }, ...paragraphs(info.description));
  const cards = element("div", { className: "steps" }, ...groups.flatMap(group));
  main.append(element("h1", {}, "API reference"), contents(groups), intro, cards);
}

const idOf = (path) => `reference${path}`;

function contents(groups) {
  const lists = groups.map(({ name, routes }) => {
    const links = routes.map(({ path }) => element("li", {}, element("a", { href: `#${idOf(path)}` }, path)));
    return element("li", {}, element("b", {}, name), element("ul", {}, ...links));
  });
  return element("nav", { className: "contents", ariaLabel: "Routes" }, element("ul", {}, ...lists));
}

function group({ name, description, routes }) {
  const title = element("div", { className: "group" }, element("h2", {}, name), element("p", {}, description));
  return [title, ...routes.map(route)];
}

function route({ path, summary, description, "x-modes": modes, security, requestBody, responses }) {
  const id = idOf(path);
  const { schema, examples } = requestBody.content["application/json"];
  const heading = element("h3", {}, element("code", {}, `POST ${path}`), ` ${summary}`);
  const marks = element("p", { className: "marks" }, ...modes.map((mode) => chip("", mode)));
  if (security) marks.append(chip("", "Access token"));
  const text = element("div", { className: "task" }, heading, marks, ...paragraphs(description), ...bodies(schema), answers(responses));
  const requests = Object.entries(examples).map(([mode, { value }]) => {
    const token = security ? "eyJ…" : undefined;
    return pane("Request", several(examples) && mode, curl({ base: "https://YOUR-API/auth", route: path.slice(1), token, body: value }, true));
  });
  const success = Object.entries(resolve(responses["200"]).content["application/json"].examples);
  const results = success.map(([mode, example]) => {
    return pane("Answer", success.length > 1 && mode, shown(resolve(example).value, true));
  });
  const side = element("div", { className: "exchange" }, ...requests, ...results);
  return element("article", { id, className: "step", ariaLabel: summary }, text, side);
}

const several = (entries) => Object.keys(entries).length > 1;

function pane(title, mode, text) {
  const head = element("div", { className: "head" }, element("h4", {}, title), mode ? chip("", mode) : "");
  return element("div", { className: "pane" }, head, element("pre", {}, text));
}

/** What a `$ref` stands for, with what is said beside it. */
function resolve({ $ref, ...rest }) {
  if (!$ref) return rest;
  const found = $ref.slice(2).split("/").reduce((node, key) => node[key], specification);
  return { ...resolve(found), ...rest };
}

/** The fields of a body; of each mode's, if they differ. */
function bodies(schema) {
  const { anyOf } = schema;
  const variants = anyOf ? anyOf.map((variant) => [variant["x-modes"].join(", "), variant]) : [["", schema]];
  return variants.map(([mode, variant]) => {
    const rows = fields(resolve(variant), "");
    if (!rows.length) return element("p", {}, "The body is empty: {}.");
    return element("table", {}, element("caption", {}, `Body${mode && ` in ${mode}`}`), element("tbody", {}, ...rows));
  });
}

function fields({ properties = {}, required = [] }, prefix) {
  return Object.entries(properties).flatMap(([name, property]) => {
    const field = resolve(property);
    const kind = [field.anyOf?.map((one) => resolve(one).title.toLowerCase()).join(" or ") ?? field.type, ...limits(field)];
    const note = element("small", {}, kind.filter(Boolean).join(", ") + (required.includes(name) ? "" : ", optional"));
    const row = element("tr", {},
      element("th", { scope: "row" }, element("code", {}, prefix + name), note),
      element("td", {}, ...inline(field.description ?? "")),
    );
    return [row, ...fields(field, `${prefix}${name}.`)];
  });
}

const limits = (field) => Object.entries(LIMITS).filter(([name]) => name in field).map(([name, text]) => text + field[name]);

/** Every answer that a route gives, its errors with their texts. */
function answers(responses) {
  const list = Object.entries(responses).map(([status, response]) => {
    const { description, headers, content } = resolve(response);
    const summary = element("summary", {}, chip(status === "200" ? "good" : "bad", status), " ", ...inline(description));
    const extra = Object.keys(headers ?? {}).filter((name) => !COMMON_HEADERS.some((common) => name.startsWith(common)));
    const noted = extra.length ? [element("p", {}, "Header: ", element("code", {}, extra.join(", ")))] : [];
    const { schema, examples } = content["application/json"];
    if (status === "200") return element("details", {}, summary, ...noted, ...success(schema));
    const errors = Object.values(examples).map((example) => {
      const { type, message } = resolve(example).value.error;
      return [element("dt", {}, element("code", {}, type)), element("dd", {}, message)];
    });
    return element("details", {}, summary, ...noted, element("dl", {}, ...errors.flat()));
  });
  return element("div", { className: "answers" }, element("h4", {}, "Answers"), ...list);
}

function success({ oneOf, ...schema }) {
  return (oneOf ?? [schema]).flatMap(({ "x-modes": modes, ...variant }) => bodies({ ...variant }).map((table) => {
    if (modes) table.caption.textContent = `Body in ${modes.join(", ")}`;
    return table;
  }));
}

/** The paragraphs of a description. */
const paragraphs = (text) => text.trim().split(/\n\s*\n/).map((paragraph) => element("p", {}, ...inline(paragraph)));
