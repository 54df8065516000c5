// The page: shows the screen that the address names, and hears the keys that work everywhere.

import { NoAnswer } from "/ask.js";
import { empty, h, say } from "/dom.js";
import { address, go, read } from "/state.js";
import * as dissect from "/dissect.js";
import * as edit from "/edit.js";
import * as paint from "/paint.js";
import * as network from "/network.js";
import { compare, measure } from "/reading.js";
import * as runs from "/runs.js";
import * as toy from "/toy.js";
import * as training from "/training.js";
import * as walk from "/walk.js";

const SCREENS = { runs, training, walk, paint, edit, dissect, measure, network, compare, toy };
const OF_A_RUN = ["training", "walk", "paint", "edit", "dissect", "measure", "network"];
const OF_NONE = ["runs", "toy"]; // Screens that are there without a run.
const LETTERS = { toy: "y" }; // After g; of all others the first.
const SHARED = ["kimg", "x", "y", "steps", "label"]; // What goes along from one screen of a run to another.
const THEMES = ["as the system", "light", "dark"];
const main = document.getElementById("main");
let shown = { screen: "", run: "", close: () => {}, update: () => {} };
let prefix = -Infinity; // When g was pressed.

async function route() {
  const { screen, given } = read();
  const run = given.get("run") ?? "";
  const module = SCREENS[screen];
  if (!module) return go("runs");
  navigation();
  if (shown.screen === screen && shown.run === run) return shown.update(given);
  shown.close();
  const mine = { screen, run, close: () => {}, update: () => {} };
  shown = mine;
  say("");
  const place = h("div", { class: `screen ${screen}` });
  main.replaceChildren(h("h1", {}, run || module.title), h("p", { class: "note" }, module.waiting ?? "Loading."));
  document.title = run ? `${run}: ${module.title}` : `${module.title} · Ganvas`;
  try {
    const made = await module.show(place, given);
    if (shown !== mine) return made?.close?.();
    Object.assign(mine, made);
  } catch (error) {
    if (shown !== mine) return;
    if (!(error instanceof NoAnswer)) throw error;
    place.replaceChildren(h("h1", {}, module.title), failed(error));
  }
  main.replaceChildren(place);
}

/** What cannot be shown, and a way on: back to the runs, or the same once more. */
function failed(error) {
  const again = h("button", { type: "button", onclick: reload }, "Try again");
  const back = h("a", { href: address("runs") }, "All runs");
  return h("div", {}, empty(error.message), h("p", { class: "row" }, error.status === 401 ? null : again, back));
}

function reload() {
  shown.close();
  shown = { screen: "", run: "", close: () => {}, update: () => {} };
  route();
}

/** What a screen is opened with from the one that is shown. */
function along(name) {
  const { given } = read();
  const kept = [...given].filter(([key]) => key === "run" || SHARED.includes(key));
  return OF_NONE.includes(name) ? {} : Object.fromEntries(kept);
}

function navigation() {
  const { screen, given } = read();
  const names = [...OF_NONE, ...(screen === "compare" ? ["compare"] : []), ...(given.get("run") ? OF_A_RUN : [])];
  const links = names.map((name) =>
    h("a", { href: name === screen ? location.hash : address(name, along(name)), "aria-current": name === screen ? "page" : null }, SCREENS[name].title));
  document.getElementById("screens").replaceChildren(...links);
  document.querySelector(".brand").href = address("runs");
}

const letter = (name) => LETTERS[name] ?? name[0];

function theme(step) {
  const kept = Number(localStorage.getItem("theme") ?? 0);
  const chosen = (kept + step) % THEMES.length;
  localStorage.setItem("theme", chosen);
  const media = ["screen and (prefers-color-scheme: dark)", "not all", "screen"][chosen];
  document.getElementById("dark").media = media;
  document.documentElement.style.colorScheme = ["light dark", "light", "dark"][chosen];
  document.getElementById("theme").textContent = `Colours: ${THEMES[chosen]}`;
}

function help() {
  const keys = [
    ["?", "these keys"],
    ...[...OF_NONE, ...OF_A_RUN].map((name) => [`g then ${letter(name)}`, SCREENS[name].title]),
    ["Esc", "leave a field, close this"],
    ...(SCREENS[shown.screen]?.keys ?? []),
  ];
  const rows = keys.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)));
  document.getElementById("keys").replaceChildren(...rows);
  document.getElementById("help").showModal();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("help").open) return;
  const types = event.target.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
  if (types) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?") return help();
  if (performance.now() - prefix < 1500) {
    prefix = -Infinity;
    const screen = [...OF_NONE, ...OF_A_RUN].find((name) => letter(name) === event.key);
    if (screen && (OF_NONE.includes(screen) || shown.run)) go(screen, along(screen));
    return;
  }
  if (event.key === "g") prefix = performance.now();
  else if (shown.key?.(event)) event.preventDefault();
}

addEventListener("hashchange", route);
addEventListener("noted", navigation);
addEventListener("keydown", onKey);
document.getElementById("theme").addEventListener("click", () => theme(1));
document.getElementById("help-button").addEventListener("click", help);
document.getElementById("skip").addEventListener("click", () => main.focus());
theme(0);
route();
