// The requests that were made, as a program. The key is never among them: GAPO_API_KEY stands for it.

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function asCurl(requests, base, keyed) {
  const key = keyed ? ' -H "authorization: Bearer $GAPO_API_KEY"' : "";
  return requests
    .map(({ path, body }) => {
      const url = quoted(base + path);
      return `curl -s ${url} -H 'content-type: application/json'${key} -d ${quoted(JSON.stringify(body))}\n`;
    })
    .join("");
}

// A JSON string is a Python string too; true, false and null are written otherwise.
function literal(value) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, one]) => `${literal(name)}: ${literal(one)}`)
    .join(", ")}}`;
}

function call(method, options) {
  const given = Object.entries(options).filter(([, value]) => value);
  return `client.${method}(${["pairs", ...given.map(([name, value]) => `${name}=${value}`)].join(", ")})`;
}

export function asPython({ prompt, responses, model, truncation, policy }, constraints, base, keyed) {
  const text = (value) => (value ? literal(value) : "");
  const given = constraints ? "constraints" : "";
  const list = (constraints ?? []).map(({ id, kwargs }) => `    (${literal(id)}, ${literal(kwargs)}),\n`);
  const decided = policy ? ", decisions" : "";
  return [
    keyed ? "import os\n\n" : "",
    "import gapo\n\n",
    `prompt = ${literal(prompt)}\n`,
    `responses = [\n${responses.map((one) => `    ${literal(one)},\n`).join("")}]\n`,
    constraints ? `constraints = [\n${list.join("")}]\n` : "",
    "pairs = [(prompt, response) for response in responses]\n",
    `with gapo.Client(${literal(base.replace(/\/$/, ""))}${keyed ? ', api_key=os.environ["GAPO_API_KEY"]' : ""}) as client:\n`,
    `    scores = ${call("score_batch", { model: text(model), truncation: text(truncation) })}\n`,
    `    checks = ${call("check_batch", { constraints: given })}\n`,
    policy ? `    decisions = ${call("gate_batch", { policy: text(policy), constraints: given })}\n` : "",
    `for response, score, check${policy ? ", decision" : ""} in zip(responses, scores, checks${decided}):\n`,
    `    print(score.score, score.probability, check.status, ${policy ? "decision.decision, " : ""}response)\n`,
  ].join("");
}
