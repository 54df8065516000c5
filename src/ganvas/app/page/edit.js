// Editing of a picture: what is to be filled in, lines of a sketch, colours; filled by the run's model when asked.

import { ask, drawn, tab } from "/ask.js";
import { ARROWS, download, failed, h, labelled, say } from "/dom.js";
import { note } from "/state.js";

export const title = "Edit";
export const waiting = "The model is being loaded: the first one takes some seconds.";
export const keys = [["m s c e", "pens: mask, sketch, colour, eraser"], ["[ ]", "thinner and thicker"], ["Enter", "fill in"],
  ["z / Shift z", "undo, redo"], ["b", "the picture before, while held"], ["← → ↑ ↓, Space", "on the picture: move the pen; put it down or lift it"]];

const PENS = { mask: 24, sketch: 1, colour: 6, eraser: 12 }; // Widths for a picture of 512 pixels.
const MASK = "#d55e00";

/** The bytes of a file as text that JSON can hold. */
const text64 = (file) => new Promise((done, fails) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => fails(reader.error);
  reader.readAsDataURL(file);
});

export async function show(place, given) {
  const run = given.get("run");
  const model = await ask("filler", { run, tab });
  const pens = Object.keys(PENS).filter((pen) => !["sketch", "colour"].includes(pen) || model.guides.includes(pen));
  const canvas = h("canvas", { class: "picture", tabindex: 0, role: "img", "aria-label": "No picture yet", width: 8, height: 8, hidden: true });
  const context = canvas.getContext("2d");
  const strokesLayer = document.createElement("canvas"); // So that the eraser takes strokes away, and not the picture.
  let picture = null; // Name, bytes, and the bitmap.
  let filled = null;
  let strokes = [];
  let undone = [];
  let current = null;
  let pen = given.get("pen") ?? "mask";
  let widths = { ...PENS };
  let before = false;
  let cursor = null;

  const width = h("input", { type: "range", min: 1, max: 96, step: 1, id: "width", oninput: () => { widths[pen] = Number(width.value); told(); } });
  const colour = h("input", { type: "color", value: "#c04030", id: "colour" });
  const file = h("input", { type: "file", accept: ".png,.jpg,.jpeg,.webp,.bmp", onchange: () => file.files[0] && open(file.files[0]).catch(failed) });
  const seed = h("input", { type: "number", min: 0, value: 0, size: 6 });
  const buttons = pens.map((name) => h("button", { type: "button", onclick: () => take(name) }, name));
  const doing = h("button", { type: "button", disabled: true, onclick: fill }, "Fill in");
  const command = h("div");

  async function open(one) {
    const bitmap = await createImageBitmap(one);
    picture = { name: one.name, bytes: await text64(one), bitmap };
    [filled, strokes, undone] = [null, [], []];
    for (const each of [canvas, strokesLayer]) [each.width, each.height] = [bitmap.width, bitmap.height];
    cursor = [Math.round(bitmap.width / 2), Math.round(bitmap.height / 2)];
    canvas.hidden = doing.disabled = false;
    canvas.setAttribute("aria-label", `${one.name}, ${bitmap.width} by ${bitmap.height} pixels`);
    paint();
  }

  const scaled = (value) => Math.max(1, Math.round((value * Math.max(canvas.width, canvas.height)) / 512));

  function take(name) {
    pen = name;
    note({ pen: name === "mask" ? "" : name });
    told();
  }

  function told() {
    pens.forEach((name, index) => buttons[index].setAttribute("aria-pressed", String(name === pen)));
    width.value = widths[pen];
    colour.parentElement?.toggleAttribute("hidden", pen !== "colour");
  }

  /** The picture, or what it was filled to, with the strokes on it. */
  function paint() {
    context.globalAlpha = 1;
    context.drawImage(filled && !before ? filled : picture.bitmap, 0, 0);
    if (before) return;
    const layer = strokesLayer.getContext("2d");
    layer.clearRect(0, 0, canvas.width, canvas.height);
    for (const one of current ? [...strokes, current] : strokes) line(layer, one);
    context.globalAlpha = filled ? 0.25 : 0.75;
    context.drawImage(strokesLayer, 0, 0);
    context.globalAlpha = 1;
    if (document.activeElement === canvas && cursor) context.strokeRect(cursor[0] - 2.5, cursor[1] - 2.5, 5, 5);
  }

  function line(layer, one) {
    layer.globalCompositeOperation = one.pen === "eraser" ? "destination-out" : "source-over";
    layer.strokeStyle = layer.fillStyle = { mask: MASK, sketch: "#000000", eraser: "#000000" }[one.pen] ?? one.colour;
    layer.lineWidth = one.width;
    layer.lineCap = layer.lineJoin = "round";
    layer.beginPath();
    for (const [x, y] of one.points) layer.lineTo(x, y);
    layer.stroke();
    if (one.points.length === 1) {
      layer.beginPath();
      layer.arc(...one.points[0], one.width / 2, 0, 7);
      layer.fill();
    }
  }

  function begin(point) {
    current = { pen, width: scaled(widths[pen]), points: [point], ...(pen === "colour" ? { colour: colour.value } : {}) };
    paint();
  }

  function extend(point) {
    current.points.push(point);
    paint();
  }

  function finish() {
    if (!current) return;
    strokes.push(current);
    [current, undone] = [null, []];
    paint();
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const round = (value) => Math.round(value * 100) / 100;
    return [round(((event.clientX - box.left) * canvas.width) / box.width), round(((event.clientY - box.top) * canvas.height) / box.height)];
  };
  canvas.addEventListener("pointerdown", (event) => { if (picture) { canvas.setPointerCapture(event.pointerId); begin(at(event)); } });
  canvas.addEventListener("pointermove", (event) => current && event.buttons && extend(at(event)));
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, finish);
  canvas.addEventListener("focus", () => picture && paint());
  canvas.addEventListener("blur", () => picture && paint());

  const written = () => ({ ganvas: "strokes", version: 1, size: [canvas.height, canvas.width], strokes });

  async function fill() {
    if (!picture) return say("Choose a picture first.", true);
    say("The model fills in what is marked.");
    try {
      filled = await drawn("fill", { run, tab, name: picture.name, picture: picture.bytes, seed: Number(seed.value), strokes: written() });
      say("");
      paint();
      command.replaceChildren(h("p", { class: "note" }, "With the saved strokes, this gives the same bits:"),
        h("pre", { class: "command" }, model.command.replace("PICTURE", picture.name) + (Number(seed.value) ? ` --seed ${seed.value}` : "")));
    } catch (error) {
      failed(error);
    }
  }

  function undo(isRedo) {
    const [from, onto] = isRedo ? [undone, strokes] : [strokes, undone];
    if (from.length) onto.push(from.pop());
    if (picture) paint();
  }

  function byKeys(step) {
    const far = Math.max(1, scaled(widths[pen]) / 2);
    cursor = [Math.min(Math.max(cursor[0] + step[0] * far, 0), canvas.width), Math.min(Math.max(cursor[1] + step[1] * far, 0), canvas.height)];
    if (current) extend(cursor);
    else paint();
  }

  function key(event) {
    const step = ARROWS[event.key];
    const named = pens.find((name) => name[0] === event.key);
    if (event.target.matches("input")) return false;
    if (step && event.target === canvas) byKeys(step);
    else if (event.key === " " && event.target === canvas) current ? finish() : begin(cursor);
    else if (event.key === "Enter" && !event.target.matches("button, a")) fill();
    else if (named) take(named);
    else if (event.key === "[" || event.key === "]") { widths[pen] = Math.min(Math.max(widths[pen] + (event.key === "]" ? 2 : -2), 1), 96); told(); say(`The pen is ${widths[pen]} wide.`); }
    else if (event.key === "z" || event.key === "Z") undo(event.shiftKey);
    else if (event.key === "b" && picture) { before = true; paint(); }
    else return false;
    return true;
  }

  const up = (event) => { if (event.key === "b" && picture) { before = false; paint(); } };
  addEventListener("keyup", up);
  place.append(
    h("header", {}, h("h1", {}, run), h("p", {}, `${model.model} at ${model.kimg} kimg heeds ${["the mask", ...model.guides].join(", ")}`)),
    h("div", { class: "row" }, labelled("Picture", file)),
    h("div", { class: "halves" }, h("div", {}, canvas),
      h("div", { class: "panel" },
        h("div", { class: "row", role: "group", "aria-label": "Pens" }, ...buttons),
        labelled("Width", width), labelled("Colour", colour), labelled("Seed of the noise", seed),
        h("p", { class: "row" }, doing, h("button", { type: "button", onclick: () => undo(false) }, "Undo"),
          h("button", { type: "button", onclick: () => download("strokes.json", `${JSON.stringify(written(), null, 1)}\n`) }, "Save strokes")),
        command)),
  );
  told();
  return { key, close: () => removeEventListener("keyup", up) };
}
