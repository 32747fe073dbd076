// The question: a prompt, its responses and options. Errors stand at the field that they are about.

import { LineError, parseConstraints } from "./constraints.js";
import { byId, make } from "./dom.js";

export const MOST_RESPONSES = 8;
const TEXTS = ["prompt", "constraints"];
const CHOICES = ["model", "truncation", "policy"];

export class Form {
  #list = byId("responses");
  #changed;

  constructor(changed) {
    this.#changed = changed;
    this.#addResponse("");
    byId("add").addEventListener("click", () => {
      this.#addResponse("").focus();
      changed();
    });
    for (const name of [...TEXTS, ...CHOICES]) byId(name).addEventListener("input", changed);
  }

  // { prompt, responses, constraints, model, truncation, policy }, all texts.
  get state() {
    const values = Object.fromEntries([...TEXTS, ...CHOICES].map((name) => [name, byId(name).value]));
    return { ...values, responses: this.#responses.map((field) => field.value) };
  }

  // Fills in what is given; other choices stay as they are, other texts become empty.
  set state(given) {
    this.clearErrors();
    for (const name of TEXTS) byId(name).value = given[name] ?? "";
    for (const name of CHOICES) if (given[name] !== undefined) choose(byId(name), given[name]);
    this.#list.replaceChildren();
    for (const text of given.responses?.length ? given.responses : [""]) this.#addResponse(text);
    if (given.constraints || given.truncation) byId("options").open = true;
  }

  // Throws LineError.
  get constraints() {
    return parseConstraints(byId("constraints").value);
  }

  // Offers [value, label]; what was chosen stays so, even where it is not offered: the server then says so.
  offer(name, choices) {
    const select = byId(name);
    const chosen = select.value;
    select.replaceChildren(...choices.map(([value, label]) => make("option", { value }, label)));
    choose(select, chosen);
    byId(`${name}-field`).hidden = select.options.length < 2;
  }

  get #responses() {
    return [...this.#list.querySelectorAll("textarea")];
  }

  #addResponse(text) {
    const field = make("textarea", { rows: "2", spellcheck: "false" });
    field.value = text;
    const remove = make("button", { type: "button", class: "quiet" }, "Remove");
    const error = make("p", { class: "error" });
    const item = make("li", {}, make("div", { class: "label" }, make("label"), remove), field, error);
    field.addEventListener("input", this.#changed);
    remove.addEventListener("click", () => {
      item.remove();
      this.#number();
      (this.#responses.at(-1) ?? byId("prompt")).focus();
      this.#changed();
    });
    this.#list.append(item);
    this.#number();
    return field;
  }

  #number() {
    const items = [...this.#list.children];
    items.forEach((item, index) => {
      const [label, remove, field, error] = item.querySelectorAll("label, button, textarea, .error");
      field.id = `response-${index + 1}`;
      error.id = `${field.id}-error`;
      field.setAttribute("aria-describedby", error.id);
      label.htmlFor = field.id;
      label.textContent = items.length > 1 ? `Response ${index + 1}` : "Response";
      remove.hidden = items.length === 1;
      remove.setAttribute("aria-label", `Remove response ${index + 1}`);
    });
    byId("add").hidden = items.length >= MOST_RESPONSES;
  }

  clearErrors() {
    for (const error of document.querySelectorAll("#question .error")) error.textContent = "";
    for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  }

  // Shows an error of the server, or of a line, at its field; the first field takes the focus.
  // `constraints` are those that were asked about.
  tell(error, constraints = null) {
    const [id, message] = this.#place(error, constraints);
    const at = byId(`${id}-error`);
    if (at.textContent) return; // scores, checks and the gate refuse a text alike
    at.textContent = message;
    if (id === "question") return;
    const isFirst = !document.querySelector("[aria-invalid]");
    const field = byId(id);
    if (field.closest("details")) field.closest("details").open = true;
    field.setAttribute("aria-invalid", "true");
    if (isFirst) field.focus();
  }

  #place(error, constraints) {
    const field = error.field ?? "";
    if (error instanceof LineError) return ["constraints", error.message];
    const ofPair = /^pairs\[(\d+)\]\.(prompt|response|constraints)(?:\[(\d+)\])?/.exec(field);
    if (ofPair) {
      const [, number, name, place] = ofPair;
      const id = name === "response" ? `response-${Number(number) + 1}` : name;
      if (!byId(id)) return ["question", error.message];
      const label = { prompt: "The prompt", constraints: "The list" }[name] ?? "This response";
      if (place === undefined) return [id, `${label} ${ended(error.message)}`];
      return [id, `Line ${constraints?.[Number(place)]?.line ?? Number(place) + 1}: ${ended(error.message)}`];
    }
    if (CHOICES.includes(field)) return [field, ended(error.message)];
    return ["question", field ? `${field}: ${error.message}` : error.message];
  }
}

const ended = (sentence) => (/[.?!]$/.test(sentence) ? sentence : `${sentence}.`);

function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) {
    select.append(make("option", { value }, `${value} (not served)`));
  }
  select.value = value;
}
