// What a run's units draw: the tables of its dissection, and its units for the eye, to be chosen by hand.

import { ask, post, tab } from "/ask.js";
import { download, failed, h, labelled, put, say } from "/dom.js";
import { note } from "/state.js";

export const title = "Dissect";
export const keys = [["u", "show the units of the layer"], ["s", "save the chosen units"]];

const ORDERS = { rare: "rarely active first", change: "largest change first", number: "by number" };

export async function show(place, given) {
  const run = given.get("run");
  let at = asked(given);
  let known = null;
  const tables = h("div", { class: "read" });
  const layer = h("select", { onchange: () => to({ layer: layer.value, units: [] }) });
  const order = h("select", { onchange: () => to({ order: order.value }) }, ...Object.entries(ORDERS).map(([value, text]) => h("option", { value }, text)));
  const open = h("button", { type: "button", onclick: () => to({ order: at.order || "rare" }) }, "Show the units of a layer");
  const controls = h("div", { class: "row", hidden: true }, labelled("Layer", layer), labelled("Order", order));
  const chosen = h("output");
  const command = h("div");
  const choice = h("div", { class: "row", hidden: true },
    h("button", { type: "button", onclick: save }, "Save units.json"),
    h("button", { type: "button", onclick: measure }, "How real without them"),
    h("button", { type: "button", onclick: () => to({ units: [] }) }, "Choose none"), chosen);
  const realism = h("div");
  const list = h("ul", { class: "units" });

  async function draw() {
    if (!at.order) return;
    try {
      say("The units are being drawn.");
      known = await ask("gallery", { run, tab, layer: at.layer, order: at.order });
      say("");
      layer.replaceChildren(...known.layers.map((one) => h("option", { value: one.name }, one.title)));
      layer.value = known.layer;
      order.value = at.order;
      list.replaceChildren(...known.units.map(unit));
      for (const part of [controls, choice]) part.hidden = false;
      open.hidden = true;
      told();
    } catch (error) {
      failed(error);
    }
  }

  function unit(one) {
    const box = h("input", { type: "checkbox", value: one.unit, onchange: () => pick(one.unit, box.checked) });
    box.checked = at.units.includes(one.unit);
    const about = `Unit ${one.unit}: active in ${(100 * one.active).toFixed(0)} %, changes ${one.change.toFixed(3)}`;
    return h("li", {}, h("label", {}, h("span", {}, box, about), h("img", { src: one.picture, alt: "" })));
  }

  function pick(number, isChosen) {
    const others = at.units.filter((other) => other !== number);
    at = { ...at, units: (isChosen ? [...others, number] : others).sort((a, b) => a - b) };
    noted();
    told();
  }

  function told() {
    chosen.textContent = at.units.length ? `Chosen: ${at.units.join(", ")}` : "No unit is chosen.";
    for (const box of list.querySelectorAll("input")) box.checked = at.units.includes(Number(box.value));
    for (const button of choice.querySelectorAll("button")) button.disabled = !at.units.length;
  }

  const noted = () => note({ layer: at.layer, order: at.order, units: at.units.join(".") });

  function to(changes) {
    at = { ...at, ...changes };
    noted();
    realism.replaceChildren();
    return draw();
  }

  function save() {
    if (!known || !at.units.length) return;
    download("units.json", JSON.stringify({ layer: known.layer, units: at.units }));
    command.replaceChildren(h("pre", { class: "command", tabindex: 0 }, known.command));
    say("Saved. The command writes a model without these units.");
  }

  async function measure() {
    try {
      say("Pictures are being drawn with and without them.");
      put(realism, (await post("realism", { run, tab, layer: known.layer, units: at.units })).html);
      say("");
    } catch (error) {
      failed(error);
    }
  }

  function key(event) {
    if (event.key === "u") open.click();
    else if (event.key === "s") save();
    else return false;
    return true;
  }

  place.append(h("h1", {}, run), tables, h("section", {}, h("h2", {}, "Units for the eye"),
    h("p", { class: "note" }, "What each unit is strongest on, bright where it is. Look for what no picture should have: stains, stripes, torn edges. Rarely active units, and those without which pictures change much, are worth a look first; no number finds artefacts by itself."),
    h("p", { class: "row" }, open), controls, choice, command, realism, list));
  async function update(now) {
    at = asked(now);
    put(tables, (await ask("dissection", { run, tab })).html);
    await draw();
  }
  await update(given);
  return { key, update };
}

function asked(given) {
  const units = (given.get("units") ?? "").split(".").filter(Boolean).map(Number);
  return { layer: given.get("layer") ?? "", order: given.get("order") ?? "", units };
}
