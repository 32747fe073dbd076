// What the server said, the best response first.

import { make } from "./dom.js";

const MOST_SHOWN = 20000; // characters of a response; a card is no reader of books

const signed = (number) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(2)}`;

function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// `answers` holds what /v1/score, /v1/check and /v1/gate gave, null for what was refused or not asked.
// `demanded` is how many constraints the policy itself has.
export function show(place, { prompt, responses }, answers, demanded) {
  const { scored, checked, gated } = answers;
  const scores = scored?.results.map((result) => result.score);
  const order = responses.map((_, index) => index);
  if (scores) order.sort((one, other) => scores[other] - scores[one]);
  const cards = order.map((index) => {
    const decided = gated?.results[index];
    const card = {
      title: responses.length > 1 ? `Response ${index + 1}` : "Response",
      rank: scores && responses.length > 1 ? 1 + scores.filter((score) => score > scores[index]).length : 0,
      behind: scores ? scores[order[0]] - scores[index] : 0,
      result: scored?.results[index],
      decided,
      verdicts: checked?.results[index].constraints ?? [],
      ofPolicy: decided && demanded ? decided.constraints.slice(-demanded) : [],
      wasChecked: Boolean(checked),
    };
    return cardOf(card, [...prompt], responses[index]);
  });
  place.replaceChildren(...remainderOf(checked), make("ol", { class: "cards" }, ...cards));
  if (!scores) return `${plural(responses.length, "response")} checked; no score was given.`;
  const by = `${scored.model} ${scored.model_version}`;
  if (responses.length === 1) return `Scored by ${by}.`;
  return `${plural(responses.length, "response")} ranked by ${by}; response ${order[0] + 1} comes first.`;
}

function remainderOf(checked) {
  const remainder = checked?.results[0].remainder?.trim();
  if (!remainder) return [];
  const told = "Read as no constraint, so no rule has looked at it: ";
  return [make("p", { class: "remainder" }, told, make("q", {}, remainder))];
}

function cardOf(card, prompt, response) {
  const verdicts = [...card.verdicts, ...card.ofPolicy];
  const parts = [
    make(
      "header",
      {},
      card.rank ? make("span", { class: "rank", "aria-label": `Rank ${card.rank}` }, String(card.rank)) : null,
      make("h2", {}, card.title),
      card.decided ? make("span", { class: `decision ${card.decided.decision}` }, card.decided.decision) : null,
    ),
    card.result ? scoreOf(card.result, card.behind) : make("p", { class: "meta" }, "No score."),
    make("blockquote", {}, ...marked(response, verdicts)),
    verdictsOf(card, prompt),
  ];
  if (card.decided) parts.push(...reasonsOf(card.decided));
  if (card.result) parts.push(tokensOf(card.result));
  return make("li", { class: "card" }, ...parts);
}

function scoreOf(result, behind) {
  const filled = make("span");
  filled.style.inlineSize = `${100 * result.probability}%`;
  return make(
    "dl",
    { class: "figures" },
    make(
      "div",
      {},
      make("dt", {}, "Score"),
      make("dd", { class: "score" }, signed(result.score)),
      behind > 0 ? make("dd", { class: "meta" }, `${behind.toFixed(2)} behind`) : null,
    ),
    make(
      "div",
      { class: "probability" },
      make("dt", {}, "Probability that all is kept"),
      make("dd", {}, make("span", { class: "bar", "aria-hidden": "true" }, filled), percent(result.probability)),
    ),
  );
}

// The response in pieces: what a verdict points at is marked, a violation above all.
// Places count code points, as the server does.
function marked(response, verdicts) {
  const characters = [...response].slice(0, MOST_SHOWN);
  const kinds = new Array(characters.length).fill("");
  for (const status of ["satisfied", "violated"]) {
    for (const verdict of verdicts.filter((one) => one.status === status)) {
      for (const { start, end } of verdict.evidence) kinds.fill(status, start, Math.min(end, kinds.length));
    }
  }
  const pieces = [];
  for (let start = 0, end; start < characters.length; start = end) {
    for (end = start + 1; end < characters.length && kinds[end] === kinds[start]; end++);
    const text = characters.slice(start, end).join("");
    pieces.push(kinds[start] ? make("mark", { class: kinds[start] }, text) : text);
  }
  if ([...response].length > MOST_SHOWN) pieces.push(" …");
  if (!response.trim()) pieces.push(make("span", { class: "meta" }, "(no visible text)"));
  return pieces;
}

function verdictsOf({ verdicts, ofPolicy, wasChecked }, prompt) {
  if (!wasChecked && !ofPolicy.length) return make("p", { class: "meta" }, "No verdicts.");
  if (!verdicts.length && !ofPolicy.length) {
    return make("p", { class: "meta" }, "No constraint was found in the prompt.");
  }
  return make(
    "ul",
    { class: "verdicts" },
    ...verdicts.map((one) => verdictOf(one, prompt, "")),
    ...ofPolicy.map((one) => verdictOf(one, prompt, "demanded by the policy")),
  );
}

function verdictOf({ id, kwargs, status, reason, span }, prompt, note) {
  const given = Object.keys(kwargs).length ? `${id}:${JSON.stringify(kwargs)}` : id; // as the form takes it
  const demand = span ? make("q", {}, prompt.slice(span.start, span.end).join("")) : null;
  return make(
    "li",
    {},
    make("span", { class: `status ${status}` }, status),
    make(
      "div",
      {},
      make("p", {}, demand ?? make("code", {}, given), `: ${reason}.`),
      demand || note ? make("p", { class: "meta" }, demand ? make("code", {}, given) : note) : null,
    ),
  );
}

function reasonsOf({ decision, reasons }) {
  if (!reasons.length) return [make("p", { class: "gate" }, `Gate: ${decision}. Nothing that was looked at is broken.`)];
  const items = reasons.map((one) => make("li", {}, `${one.decision}: ${one.message}`));
  return [make("div", { class: "gate" }, make("p", {}, `Gate: ${decision}`), make("ul", {}, ...items))];
}

function tokensOf(result) {
  const told = `${plural(result.prompt_tokens, "token")} of the prompt and ${result.response_tokens} of the response`;
  if (!result.truncated_tokens) return make("p", { class: "meta" }, `${told} were scored; nothing was cut.`);
  const cut = [
    [result.prompt_truncated_tokens, "the prompt"],
    [result.response_truncated_tokens, "the response"],
  ]
    .filter(([count]) => count)
    .map(([count, where]) => `${count} of ${where}`);
  return make("p", { class: "cut" }, `${told} were scored; ${cut.join(" and ")} were cut.`);
}
