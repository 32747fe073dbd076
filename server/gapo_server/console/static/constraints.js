// A list of constraints as people write it: one a line, ID or ID:{JSON}, as `gapo check --constraint` takes them.

export class LineError extends Error {}

// [{ id, kwargs, line }], or null for a list without any. Throws LineError.
export function parseConstraints(text) {
  const found = text
    .split("\n")
    .map((line, number) => ({ line: number + 1, text: line.trim() }))
    .filter((one) => one.text !== "")
    .map(({ line, text }) => ({ line, ...parseLine(line, text) }));
  return found.length ? found : null;
}

function parseLine(line, text) {
  const brace = text.indexOf("{");
  if (brace < 0) return { id: text.replace(/:$/, ""), kwargs: {} };
  try {
    return { id: text.slice(0, brace).trim().replace(/:$/, ""), kwargs: JSON.parse(text.slice(brace)) };
  } catch {
    throw new LineError(`Line ${line}: what follows the id is not JSON; write ID:{"name": value}.`);
  }
}
