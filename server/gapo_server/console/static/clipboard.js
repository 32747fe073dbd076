// Copies, and shows what was copied: over plain HTTP from another machine browsers lend no clipboard.

import { byId } from "./dom.js";

export async function copy(text, what) {
  const shown = byId("copied");
  byId("code").hidden = false;
  shown.value = text;
  shown.rows = Math.min(14, text.split("\n").length + 1);
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    shown.select();
    done = document.execCommand("copy");
  }
  byId("copy-outcome").textContent = done ? `Copied as ${what}:` : `Select this ${what} and copy it:`;
}
