import { copy } from "./clipboard.js";
import { asCurl, asPython } from "./code.js";
import { byId, make } from "./dom.js";
import { Form } from "./form.js";
import { fromFragment, toFragment } from "./link.js";
import { show } from "./results.js";
import { Server, ServerError } from "./server.js";

const EXAMPLE = {
  prompt: "Describe a laptop. memory: 8 gb, price range: budget. Use fewer than 12 words and no commas.",
  responses: [
    "a budget laptop, with 4 gb of memory .",
    "a budget laptop with 8 gb of memory .",
    "an expensive laptop with 4 gb of memory .",
  ],
};
const READINESS_SECONDS = 15;
const PATIENCE_SECONDS = 2;
const ADDRESS_SECONDS = 0.4; // browsers refuse addresses that change more than some three times a second

const server = new Server();
const form = new Form(saveSoon);
let policies = [];
let models = [];
let made = null; // what "copy" copies: the requests that were made last
let running = null;
let saving = 0;

function saveSoon() {
  clearTimeout(saving);
  saving = setTimeout(saveInAddress, 1000 * ADDRESS_SECONDS);
}

function saveInAddress() {
  clearTimeout(saving);
  const fragment = toFragment(form.state);
  byId("link-note").textContent = fragment === null ? "Too long for a link: the address does not hold it." : "";
  history.replaceState(null, "", fragment || location.pathname + location.search);
}

function restoreFromAddress() {
  const state = fromFragment(location.hash);
  if (state) form.state = state;
}

async function tellServed() {
  const problem = await server.unreadiness();
  const names = models.map((one) => `${one.name} ${one.version}`);
  const ready = problem ? `not ready: ${problem}` : "ready";
  byId("served").replaceChildren(
    make("span", { class: `ready ${problem ? "no" : "yes"}`, "aria-hidden": "true" }),
    names.length ? `${names.join(", ")}: ${ready}` : `The server is ${ready}`,
  );
}

function askForKey() {
  byId("door").hidden = false;
  byId("question").hidden = true;
  byId("key-error").textContent = server.hasKey ? "The server does not take this key; correct it." : "";
  server.forgetKey();
  byId("key").focus();
}

// Asks what is served; a server with a key is asked again once the key is given.
async function open() {
  try {
    const [listed, known] = await Promise.all([server.get("v1/models"), server.get("v1/policies")]);
    models = listed.models;
    policies = known.policies;
    const byName = (list) => list.map(({ name }) => [name, name]);
    form.offer("model", [["", "the server’s default"], ...(models.length > 1 ? byName(models) : [])]);
    form.offer("policy", [["", "none: no decision"], ...byName(policies)]);
    byId("door").hidden = true;
    byId("question").hidden = false;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.reason === "unauthenticated") askForKey();
    else form.tell(error);
  }
  await tellServed();
}

function requestsOf({ prompt, responses, model, truncation, policy }, constraints) {
  const pairs = responses.map((response) => ({ prompt, response }));
  const list = constraints?.map(({ id, kwargs }) => ({ id, kwargs }));
  const demands = list ? pairs.map((pair) => ({ ...pair, constraints: list })) : pairs;
  const score = { pairs, ...(model && { model }), ...(truncation && { truncation }) };
  return [
    { path: "v1/score", body: score },
    { path: "v1/check", body: { pairs: demands } },
    ...(policy ? [{ path: "v1/gate", body: { pairs: demands, policy } }] : []),
  ];
}

async function run() {
  form.clearErrors();
  saveInAddress();
  const state = form.state;
  let constraints;
  try {
    constraints = form.constraints;
  } catch (error) {
    form.tell(error);
    return;
  }
  running?.abort();
  const mine = (running = new AbortController());
  byId("outcome").textContent = "Asking the server …";
  const patience = setTimeout(() => {
    byId("outcome").textContent = "Asking the server … its first check takes some seconds.";
  }, 1000 * PATIENCE_SECONDS);
  byId("results").setAttribute("aria-busy", "true");
  const requests = requestsOf(state, constraints);
  const settled = await Promise.allSettled(requests.map(({ path, body }) => server.post(path, body, mine.signal)));
  clearTimeout(patience);
  if (mine !== running) return; // another run has begun
  byId("results").removeAttribute("aria-busy");
  const [scored, checked, gated] = settled.map((one) => one.value ?? null);
  const errors = settled.filter((one) => one.reason).map((one) => one.reason);
  if (errors.some((error) => error.reason === "unauthenticated")) {
    byId("outcome").textContent = "";
    askForKey();
    return;
  }
  made = { state, constraints, requests, keyed: server.hasKey };
  byId("copying").hidden = byId("results").hidden = false;
  byId("code").hidden = true;
  const policy = policies.find((one) => one.name === state.policy)?.policy;
  if (scored || checked) {
    const outcome = show(byId("cards"), state, { scored, checked, gated }, policy?.constraints.length ?? 0);
    byId("outcome").textContent = errors.length ? `${outcome} Something was refused: see the form.` : outcome;
  } else {
    byId("cards").replaceChildren();
    byId("outcome").textContent = "No results: see the form.";
  }
  for (const error of errors) form.tell(error, constraints);
  await tellServed();
}

const base = () => new URL(".", location.href).href;

byId("question").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !byId("question").hidden) {
    event.preventDefault();
    run();
  }
});
byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = byId("key").value;
  byId("key").value = "";
  try {
    server.useKey(key);
  } catch (error) {
    byId("key-error").textContent = `The key ${error.message}.`;
    return;
  }
  open();
});
byId("example").addEventListener("click", () => {
  form.state = { ...EXAMPLE, truncation: "", model: "" };
  run();
});
byId("clear").addEventListener("click", () => {
  running?.abort();
  running = null;
  form.state = { truncation: "" };
  byId("results").hidden = true;
  byId("results").removeAttribute("aria-busy");
  byId("outcome").textContent = "";
  saveInAddress();
  byId("prompt").focus();
});
byId("copy-curl").addEventListener("click", () => copy(asCurl(made.requests, base(), made.keyed), "curl"));
byId("copy-python").addEventListener("click", () =>
  copy(asPython(made.state, made.constraints, base(), made.keyed), "Python"),
);
addEventListener("hashchange", restoreFromAddress);
setInterval(() => document.visibilityState === "visible" && tellServed(), READINESS_SECONDS * 1000);

restoreFromAddress();
open();
