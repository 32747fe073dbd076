// The page's state in the address behind "#": browsers send that part to nobody.

import { MOST_RESPONSES } from "./form.js";

const LONGEST = 8000; // characters; longer addresses get cut by mail programs and chats
const SINGLE = ["prompt", "constraints", "model", "policy", "truncation"];

// The fragment with its "#", "" for an empty form, null where it would be too long.
export function toFragment(state) {
  const parameters = new URLSearchParams();
  for (const name of SINGLE) if (state[name]) parameters.append(name, state[name]);
  if (state.responses.some((text) => text)) for (const text of state.responses) parameters.append("response", text);
  if (!state.prompt && !parameters.has("response") && !state.constraints) return "";
  if (!state.policy) parameters.append("policy", "");
  const fragment = `#${parameters}`;
  return fragment.length > LONGEST ? null : fragment;
}

// What a fragment says; null where it says nothing.
export function fromFragment(fragment) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
  if (![...SINGLE, "response"].some((name) => parameters.has(name))) return null;
  const state = { responses: parameters.getAll("response").slice(0, MOST_RESPONSES) };
  for (const name of SINGLE) if (parameters.has(name)) state[name] = parameters.get(name);
  return state;
}
