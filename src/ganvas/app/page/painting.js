// The place and the file of a painting, as Walk and Paint share them.

import { post, tab } from "/ask.js";
import { download, failed, h } from "/dom.js";

/** What the address says of a place: also of the one that a painting began at. */
export function placeOf(given) {
  const number = (name) => Number(given.get(name) ?? 0) || 0;
  return {
    run: given.get("run"),
    kimg: given.get("kimg"),
    x: number("x"),
    y: number("y"),
    steps: (given.get("steps") ?? "").split(",").filter(Boolean).map(Number),
    truncation: given.get("psi") === null ? null : number("psi"),
    label: given.get("label") === null ? null : number("label"),
  };
}

/** Gives the person the painting of a place with strokes as a file, and shows the command that draws it again. */
export async function savePainting(painted, command) {
  try {
    const kept = await post("painting", { ...painted, tab });
    download("painting.json", JSON.stringify(kept.painting, null, 1));
    command.replaceChildren(h("p", { class: "note" }, "Saved by the browser. This draws it again, to the bit:"), h("pre", { class: "command" }, kept.command));
  } catch (error) {
    failed(error);
  }
}
