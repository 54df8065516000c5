// Painting with units: a grid over the picture, whose cells a brush of units is put into or taken out of.

import { ask, drawn, latest, tab } from "/ask.js";
import { ARROWS, empty, failed, h, labelled, say, show as showPicture } from "/dom.js";
import { placeOf, savePainting } from "/painting.js";
import { address, note } from "/state.js";

export const title = "Paint";
export const waiting = "The model is being loaded: the first one takes some seconds.";
export const keys = [["← → ↑ ↓", "from cell to cell"], ["Space", "paint the cell"], ["x", "erase, or paint again"], ["[ ]", "smaller and larger brush"],
  ["1 … 9", "choose a brush"], ["z / Shift z", "undo, redo"], ["b", "the picture before, while held"]];

const SIZES = [1, 3, 5];

/** Strokes as the address has them: brush*erases*strength*cells, cells as numbers in reading order. */
const written = (strokes) => strokes.map((one) => [one.brush, one.erases ? 1 : 0, one.strength, one.cells.join(".")].join("*")).join("_");

function parsed(text) {
  return (text ?? "").split("_").filter(Boolean).map((part) => {
    const [brush, erases, strength, cells] = part.split("*");
    return { brush, erases: erases === "1", strength: Number(strength), cells: (cells ?? "").split(".").map(Number) };
  });
}

export async function show(place, given) {
  const run = given.get("run");
  let at = placeOf(given);
  const easel = await ask("easel", { run, tab, kimg: at.kimg ?? "" });
  let strokes = parsed(given.get("strokes"));
  let undone = [];
  let current = null;
  let erases = given.get("erases") === "1";
  let size = Number(given.get("size") ?? 0) || 0;
  let before = false;
  const named = Object.fromEntries(easel.brushes.map((brush) => [brush.name, { layer: easel.brush_layer, units: brush.units }]));
  const first = easel.brushes[0]?.name ?? `${easel.layers[0]?.name.slice(1)}:0`;
  let brush = given.get("brush") ?? first;

  const canvas = h("canvas", { class: "picture", role: "img", "aria-label": "The painted picture", width: easel.size[1], height: easel.size[0] });
  const cells = h("div", { class: "cells", role: "grid", "aria-label": "Cells of the layer that is painted on" });
  const history = h("ol", { class: "strokes" });
  const strength = h("input", { type: "range", min: 0.05, max: 1, step: 0.05, value: given.get("strength") ?? 1, id: "strength", oninput: keep });
  const layer = h("select", { onchange: () => choose(`${layer.value.slice(1)}:0`) }, ...easel.layers.map((one) => h("option", { value: one.name }, `${one.name} ${one.label}: ${one.units} units, ${one.size.join("×")}`)));
  const units = h("input", { type: "text", size: 14, onchange: () => choose(`${layer.value.slice(1)}:${units.value.replace(/[^0-9]+/g, " ").trim().replaceAll(" ", ",")}`) });
  const eraser = h("button", { type: "button", onclick: () => { erases = !erases; keep(); } }, "Erase");
  const command = h("div");
  const buttons = easel.brushes.map((one, index) => h("button", { type: "button", title: `units ${one.units.join(", ")}`, onclick: () => choose(one.name) },
    h("kbd", {}, String(index + 1)), ` ${one.name} `, h("small", {}, `${Math.round(100 * one.gone)} ± ${Math.round(100 * one.error)} %`)));

  /** Layer and units of a brush: of the dissection by name, or ones that a person named, as "31:3,17". */
  function unitsOf(name) {
    if (named[name]) return named[name];
    const [number, list = ""] = name.split(":");
    return { layer: `#${number}`, units: list.split(",").filter(Boolean).map(Number) };
  }

  const layerOf = (name) => easel.layers.find((one) => one.name === unitsOf(name).layer) ?? easel.layers[0];

  function request(all) {
    return {
      ...at, tab, view: "paint",
      strokes: all.map((one) => {
        const columns = layerOf(one.brush).grid[1];
        return { ...unitsOf(one.brush), erases: one.erases, strength: one.strength, cells: one.cells.map((cell) => [Math.floor(cell / columns), cell % columns]) };
      }),
    };
  }

  const draw = latest(async () => {
    try {
      showPicture(canvas, await drawn("draw", request(before ? [] : current ? [...strokes, current] : strokes)));
    } catch (error) {
      failed(error);
    }
  });

  function keep() {
    note({ strokes: written(strokes), brush, erases: erases ? 1 : "", size: size || "", strength: strength.value === "1" ? "" : strength.value });
    told();
    return draw();
  }

  function told() {
    easel.brushes.forEach((one, index) => buttons[index].setAttribute("aria-pressed", String(one.name === brush)));
    eraser.setAttribute("aria-pressed", String(erases));
    layer.value = unitsOf(brush).layer;
    units.value = unitsOf(brush).units.join(", ");
    const items = strokes.map((one, index) => h("li", {}, `${one.erases ? "erase" : "paint"} ${one.brush} in ${one.cells.length} cells at ${one.strength} `,
      h("button", { type: "button", class: "plain", "aria-label": `Remove stroke ${index + 1}`, onclick: () => { undone = []; strokes = strokes.filter((_, other) => other !== index); keep(); } }, "✕")));
    history.replaceChildren(...items);
    const marked = new Set(strokes.filter((one) => layerOf(one.brush).name === layerOf(brush).name).flatMap((one) => one.cells));
    cells.querySelectorAll("button").forEach((cell, index) => cell.setAttribute("aria-selected", String(marked.has(index))));
  }

  function choose(name) {
    const isOther = layerOf(name).name !== layerOf(brush).name;
    brush = name;
    if (isOther) lay();
    keep();
  }

  /** The grid of the brush's layer, one button to a cell; the arrow keys move through it. */
  function lay() {
    const [rows, columns] = layerOf(brush).grid;
    const cell = (row, column) => h("button", {
      type: "button", role: "gridcell", tabindex: row + column ? -1 : 0, "aria-label": `row ${row + 1}, column ${column + 1}`, "data-cell": row * columns + column,
    });
    const line = (row) => h("div", { role: "row" }, ...Array.from({ length: columns }, (_, column) => cell(row, column)));
    cells.style.setProperty("--columns", columns);
    cells.replaceChildren(...Array.from({ length: rows }, (_, row) => line(row)));
  }

  /** The cells under a brush whose middle is at one. */
  function under(middle) {
    const [rows, columns] = layerOf(brush).grid;
    const reach = (SIZES[size] - 1) / 2;
    const found = [];
    for (let row = Math.floor(middle / columns) - reach; row <= Math.floor(middle / columns) + reach; row++) {
      for (let column = (middle % columns) - reach; column <= (middle % columns) + reach; column++) {
        if (row >= 0 && row < rows && column >= 0 && column < columns) found.push(row * columns + column);
      }
    }
    return found;
  }

  function dab(cell) {
    current ??= { brush, erases, strength: Number(strength.value), cells: [] };
    current.cells = [...new Set([...current.cells, ...under(cell)])];
    draw();
  }

  function finish() {
    if (!current) return;
    strokes = [...strokes, current];
    undone = [];
    current = null;
    keep();
  }

  const cellAt = (event) => document.elementFromPoint(event.clientX, event.clientY)?.dataset?.cell;
  cells.addEventListener("pointerdown", (event) => {
    const cell = cellAt(event);
    if (cell === undefined) return;
    cells.setPointerCapture(event.pointerId);
    dab(Number(cell));
  });
  cells.addEventListener("pointermove", (event) => {
    const cell = current && cellAt(event);
    if (cell !== null && cell !== undefined && !current.cells.includes(Number(cell))) dab(Number(cell));
  });
  for (const end of ["pointerup", "pointercancel"]) cells.addEventListener(end, finish);

  function undo(isRedo) {
    const [from, onto] = isRedo ? [undone, strokes] : [strokes, undone];
    if (!from.length) return;
    onto.push(from.pop());
    keep();
  }

  function moveFocus(step) {
    const all = [...cells.querySelectorAll("button")];
    const columns = layerOf(brush).grid[1];
    const now = Math.max(all.indexOf(document.activeElement), 0);
    const next = now + step[0] + step[1] * columns;
    const isOver = step[0] && Math.floor(next / columns) !== Math.floor(now / columns);
    const target = document.activeElement.closest?.(".cells") && !isOver ? all[next] : all[now];
    all.forEach((one) => { one.tabIndex = one === (target ?? all[now]) ? 0 : -1; });
    (target ?? all[now]).focus();
  }

  function key(event) {
    if (event.target.matches("input, select")) return false;
    const step = ARROWS[event.key];
    const onCell = event.target.dataset.cell;
    if (step) moveFocus(step);
    else if (event.key === " " && onCell !== undefined) { dab(Number(onCell)); finish(); }
    else if (event.key === "x") eraser.click();
    else if (event.key === "[" || event.key === "]") { size = Math.min(Math.max(size + (event.key === "]" ? 1 : -1), 0), SIZES.length - 1); say(`The brush has ${SIZES[size]} × ${SIZES[size]} cells.`); keep(); }
    else if (event.key === "z" || event.key === "Z") undo(event.shiftKey);
    else if (event.key === "b") { if (!event.repeat) { before = true; draw(); } }
    else if (easel.brushes[Number(event.key) - 1]) choose(easel.brushes[Number(event.key) - 1].name);
    else return false;
    return true;
  }

  const up = (event) => { if (event.key === "b") { before = false; draw(); } };
  addEventListener("keyup", up);

  const walked = { run, ...Object.fromEntries([...given].filter(([name]) => ["x", "y", "steps", "label", "kimg"].includes(name))) };
  place.append(
    h("header", {}, h("h1", {}, run), h("p", {}, `${easel.model} at ${easel.kimg} kimg · `, h("a", { href: address("walk", walked) }, "walk to another picture"))),
    h("div", { class: "halves" },
      h("div", { class: "board" }, canvas, cells),
      h("div", { class: "panel" },
        easel.brushes.length
          ? h("div", {}, h("h2", {}, "Brushes"), h("div", { class: "row", role: "group", "aria-label": "Brushes" }, ...buttons),
            h("p", { class: "note" }, "Units that the dissection chose by their effect; beside each the share of its label that goes without them, on other pictures."))
          : empty("This run has no dissection, which finds out what units draw. Units can be named by number all the same.", easel.command),
        h("p", { class: "row" }, eraser, labelled("Strength", strength), h("button", { type: "button", onclick: () => undo(false) }, "Undo"),
          h("button", { type: "button", onclick: () => savePainting(request(strokes), command) }, "Save painting")),
        command,
        h("details", {}, h("summary", {}, "Units by number"), labelled("Layer", layer), labelled("Units", units)),
        h("h2", {}, "Strokes"), history)),
  );
  lay();
  told();
  await draw();
  const update = (now) => {
    at = placeOf(now);
    strokes = parsed(now.get("strokes"));
    told();
    draw();
  };
  return { key, update, close: () => removeEventListener("keyup", up) };
}
