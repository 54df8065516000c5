// A walk between seeds: the picture under the hand, drawn anew for every step of it.

import { ask, drawn, latest, post, tab } from "/ask.js";
import { ARROWS, empty, failed, h, labelled, put, say, show as showPicture } from "/dom.js";
import { placeOf, savePainting } from "/painting.js";
import { note } from "/state.js";

export const title = "Walk";
export const waiting = "The model is being loaded: the first one takes some seconds.";
export const keys = [["← → ↑ ↓", "walk (Shift: ten times as far)"], ["r", "somewhere else"], ["p", "pin this picture"],
  ["b", "the pinned picture, while held"], ["0", "directions back to 0"], ["n", "nearest training pictures"]];

const SEED_PX = 260; // Of the hand, from one seed to the next.
const STEP = 0.05;

const round = (value) => Math.round(value * 1000) / 1000;

export async function show(place, given) {
  const run = given.get("run");
  let at = placeOf(given);
  let pinned = null;
  const easel = await ask("easel", { run, tab, kimg: at.kimg ?? "" });
  const canvas = h("canvas", { class: "picture", tabindex: 0, role: "img", width: easel.size[1], height: easel.size[0] });
  const where = h("output", {});
  const scales = easel.directions.map((change, index) => scale(index, change));
  const psi = h("input", { type: "range", min: 0, max: 1, step: 0.01, id: "psi", oninput: () => to({ truncation: Number(psi.value) }) });
  const label = h("select", { onchange: () => to({ label: Number(label.value) }) }, ...easel.labels.map((name, index) => h("option", { value: index }, name)));
  const command = h("div");
  const near = h("div");

  const draw = latest(async () => {
    try {
      showPicture(canvas, await drawn("draw", { ...at, tab, view: "walk" }));
    } catch (error) {
      failed(error);
    }
  });

  function to(changes) {
    at = { ...at, ...changes };
    note({
      x: round(at.x) || "", y: round(at.y) || "", steps: at.steps.some(Boolean) ? at.steps.map(round).join(",") : "",
      psi: at.truncation, label: at.label,
    });
    near.replaceChildren(); // They are another picture's.
    told();
    return draw();
  }

  function told() {
    where.textContent = `seed ${round(at.x)} across, ${round(at.y)} down`;
    canvas.setAttribute("aria-label", `Picture at ${where.textContent}`);
    scales.forEach((one, index) => { one.value = at.steps[index] ?? 0; });
    psi.value = at.truncation ?? 1;
    label.value = at.label ?? 0;
  }

  function scale(index, change) {
    return h("input", {
      type: "range", min: -6, max: 6, step: 0.1, title: `changes colours by ${change.toFixed(2)} at 3`,
      oninput: (event) => {
        const steps = easel.directions.map((_, other) => at.steps[other] ?? 0);
        steps[index] = Number(event.target.value);
        to({ steps });
      },
    });
  }

  async function neighbours() {
    try {
      say("The nearest training pictures are being looked for.");
      put(near, (await post("neighbours", { ...at, tab })).html);
      say("");
    } catch (error) {
      failed(error);
    }
  }

  function pin() {
    pinned = at;
    say("Pinned. Hold b to see it again.");
  }

  async function held(isDown) {
    if (!pinned) return;
    try {
      showPicture(canvas, await drawn("draw", { ...(isDown ? pinned : at), tab, view: "walk" }));
    } catch (error) {
      failed(error);
    }
  }

  const somewhere = () => to({ x: Math.floor(Math.random() * 1000), y: Math.floor(Math.random() * 1000), steps: [] });

  function key(event) {
    const way = ARROWS[event.key];
    if (event.target.matches("input, select")) return false;
    if (way) {
      const far = STEP * (event.shiftKey ? 10 : 1);
      to({ x: at.x + way[0] * far, y: at.y + way[1] * far });
    } else if (event.key === "r") somewhere();
    else if (event.key === "p") pin();
    else if (event.key === "b" && !event.repeat) held(true);
    else if (event.key === "n") neighbours();
    else if (event.key === "0") to({ steps: [] });
    else return event.key === "b";
    return true;
  }

  const up = (event) => { if (event.key === "b") held(false); };
  addEventListener("keyup", up);
  dragged(canvas, (dx, dy) => to({ x: at.x - dx / SEED_PX, y: at.y - dy / SEED_PX }));
  const rows = scales.map((one, index) => h("div", { class: "row" }, labelled(`Direction ${index + 1}`, one), h("small", {}, easel.directions[index].toFixed(2))));
  place.append(
    h("header", {}, h("h1", {}, run), h("p", {}, `${easel.model} at ${easel.kimg} kimg, ${easel.latents} latents`)),
    h("div", { class: "halves" },
      h("div", {}, canvas, h("p", { class: "row" }, where)),
      h("div", { class: "panel" },
        h("p", { class: "note" }, "Drag the picture, or use the arrow keys: seeds stand on a lattice, and between them latents are blended."),
        h("p", { class: "row" },
          h("button", { type: "button", onclick: somewhere }, "Somewhere else"),
          h("button", { type: "button", onclick: pin }, "Pin"),
          h("button", { type: "button", onclick: () => to({ steps: [] }) }, "Directions to 0"),
          h("button", { type: "button", onclick: () => savePainting(at, command) }, "Save painting"),
          h("button", { type: "button", onclick: neighbours }, "Nearest training pictures")),
        command,
        near,
        easel.labels.length ? labelled("Class", label) : null,
        easel.truncates ? labelled("Truncation", psi)
          : h("p", { class: "note" }, "No truncation: this model has no space of its own between latents and pictures to pull towards the middle of."),
        rows.length ? h("h2", {}, "Directions that change the picture most") : empty(easel.why_none),
        ...rows,
        rows.length ? h("p", { class: "note" }, "Beside each: the root mean square change of colours, from −1 to 1, at a step of 3.") : null)),
  );
  told();
  await draw();
  return { key, update: (now) => { at = placeOf(now); told(); draw(); }, close: () => removeEventListener("keyup", up) };
}

/** Tells how far the hand has moved while it is down. */
function dragged(element, moved) {
  let last = null;
  element.addEventListener("pointerdown", (event) => {
    last = [event.clientX, event.clientY];
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!last) return;
    moved(event.clientX - last[0], event.clientY - last[1]);
    last = [event.clientX, event.clientY];
  });
  for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { last = null; });
}
