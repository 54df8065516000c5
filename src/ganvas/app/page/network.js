// A run's network: its drawing, and on a sample the pixels that a cell of a layer moves or is moved by.

import { ask, latest, tab } from "/ask.js";
import { ARROWS, failed, h, labelled, put } from "/dom.js";
import { note } from "/state.js";

export const title = "Network";
export const waiting = "The network is being traced.";
export const keys = [["← → ↑ ↓", "move the cell"], ["[ ]", "the layer before, the layer after"], [", .", "the sample before, the one after"]];

const NAMES = ["part", "layer", "row", "column", "sample"];

export async function show(place, given) {
  const run = given.get("run");
  let at = asked(given);
  let known = null;
  const field = h("div", { onclick: pointed });
  const part = h("select", { onchange: () => to({ part: part.value, layer: "", row: "", column: "" }) });
  const layer = h("select", { onchange: () => to({ layer: layer.value, row: "", column: "" }) });
  const sample = h("input", { type: "number", min: 0, max: 9999, step: 1, onchange: () => to({ sample: sample.value }) });
  const controls = h("div", { class: "row" }, labelled("Network", part), labelled("Layer", layer), labelled("Sample", sample));
  const drawing = h("div", { class: "read" });
  const hint = h("p", { class: "note" });

  const draw = latest(async () => {
    try {
      const chosen = Object.entries(at).filter(([, value]) => value !== "");
      known = await ask("field", { run, tab, ...Object.fromEntries(chosen) });
      put(field, known.html);
      told();
    } catch (error) {
      if (known) return failed(error);
      hint.textContent = error.message; // Of a run without pictures, say.
      controls.hidden = true;
    }
  });

  function told() {
    const parts = known.parts.map((name) => h("option", { value: name }, name));
    part.replaceChildren(h("option", { value: "" }, "the one that draws"), ...parts);
    layer.replaceChildren(...known.layers.map((one) => h("option", { value: one.name }, one.title)));
    part.value = at.part ?? "";
    layer.value = known.layer;
    sample.value = at.sample || 0;
    hint.textContent = `Click the picture, or use the arrow keys, to choose a cell. ${known.kind === "draws" ? "Shown is what the cell moves in what is drawn." : "Shown is what moves the cell in what is looked at."}`;
  }

  function to(changes) {
    at = { ...at, ...changes };
    note(Object.fromEntries(NAMES.map((name) => [name, at[name] ?? ""])));
    return draw();
  }

  function cell(row, column) {
    const inside = (value, size) => String(Math.min(Math.max(value, 0), size - 1));
    return to({ row: inside(row, known.size[0]), column: inside(column, known.size[1]) });
  }

  function pointed(event) {
    if (!event.target.matches("img")) return;
    const box = event.target.getBoundingClientRect();
    cell(Math.floor(((event.clientY - box.top) / box.height) * known.size[0]), Math.floor(((event.clientX - box.left) / box.width) * known.size[1]));
  }

  function key(event) {
    if (!known || event.target.matches("select")) return false;
    const way = ARROWS[event.key];
    const later = { "]": 1, "[": -1 }[event.key];
    const next = { ".": 1, ",": -1 }[event.key];
    if (way) cell(known.cell[0] + way[1], known.cell[1] + way[0]);
    else if (later) {
      const one = known.layers[known.layers.findIndex((each) => each.name === known.layer) + later];
      if (one) to({ layer: one.name, row: "", column: "" });
    } else if (next) to({ sample: String(Math.max(Number(at.sample || 0) + next, 0)) });
    else return false;
    return true;
  }

  place.append(h("h1", {}, run), h("h2", {}, "Fields on a sample"), controls, hint, field, h("h2", {}, "Drawing"), drawing);
  const [drawn] = await Promise.all([ask("network", { run, tab }), draw()]);
  put(drawing, drawn.html);
  return { key, update: (now) => { at = asked(now); draw(); } };
}

const asked = (given) => Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""]));
