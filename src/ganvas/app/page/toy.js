// A game of points, step by step: what the players do, beside how far the two laws are apart.

import { ask, latest, tab } from "/ask.js";
import { failed, h, labelled, put, say } from "/dom.js";
import { note, read } from "/state.js";

export const title = "Toy";
export const waiting = "The game is being set up: the first one takes some seconds.";
export const keys = [["← →", "one stride back and on"], ["Space", "play and pause"], ["Home", "the beginning"], ["[ ]", "shorter and longer strides"]];

const STRIDES = [1, 10, 50];
const FIRST = { game: "gan/wgan_gp", law: "ring8_wide", seed: "0", step: "0", stride: "10" };

const options = (values) => Object.entries(values).map(([value, text]) => h("option", { value }, text));

export async function show(place, given) {
  const known = await ask("games", { tab });
  let at = asked(given);
  let playing = false;
  let closed = false;
  const change = (control) => () => to({ [control]: controls[control].value, step: "0" });
  const controls = {
    game: h("select", { onchange: () => change("game")() }, ...options(Object.fromEntries(known.games.map((name) => [name, name])))),
    law: h("select", { onchange: () => change("law")() }, ...options(known.laws)),
    seed: h("input", { type: "number", min: 0, max: 999999, step: 1, onchange: () => change("seed")() }),
    stride: h("select", { onchange: () => to({ stride: controls.stride.value }) }, ...options(Object.fromEntries(STRIDES.map((n) => [n, `${n} step${n > 1 ? "s" : ""}`])))),
  };
  const step = h("output");
  const play = h("button", { type: "button", onclick: toggle, "aria-pressed": "false" }, "Play");
  const picture = h("div", { class: "game" });
  const distances = h("div");
  const course = h("div", { class: "charts" });

  const draw = latest(async () => {
    try {
      const { game, law, seed } = at;
      let found;
      do {
        found = await ask("toy", { game, law, seed, step: at.step, tab });
        if (closed) return;
        step.textContent = found.told;
        put(picture, found.picture);
        put(distances, found.distances);
        put(course, found.course);
      } while (!found.arrived && [game, law, seed].join() === [at.game, at.law, at.seed].join());
      say("");
      if (playing) on(1);
    } catch (error) {
      stop();
      failed(error);
    }
  });

  function to(changes) {
    at = { ...at, ...changes };
    note(Object.fromEntries(Object.keys(FIRST).map((name) => [name, at[name] === FIRST[name] ? "" : at[name]])));
    told();
    return draw();
  }

  function told() {
    for (const [name, control] of Object.entries(controls)) control.value = at[name];
    play.textContent = playing ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(playing));
  }

  const on = (way) => to({ step: String(Math.min(Math.max(Number(at.step) + way * Number(at.stride), 0), known.most)) });

  function stop() {
    playing = false;
    told();
  }

  function toggle() {
    playing = !playing;
    told();
    if (playing) on(1);
  }

  function walk(way) {
    stop();
    on(way);
  }

  function begin() {
    stop();
    to({ step: "0" });
  }

  function key(event) {
    if (event.target.matches("select")) return false;
    if (event.key === " " && event.target.matches("button, a")) return false;
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const longer = { "]": 1, "[": -1 }[event.key];
    if (way) walk(way);
    else if (event.key === " ") toggle();
    else if (event.key === "Home") begin();
    else if (longer) to({ stride: String(STRIDES[Math.min(Math.max(STRIDES.indexOf(Number(at.stride)) + longer, 0), STRIDES.length - 1)]) });
    else return false;
    return true;
  }

  const button = (text, work) => h("button", { type: "button", onclick: work }, text);
  place.append(
    h("header", {}, h("h1", {}, title), h("p", {}, "A generator learns to place points as a law does; a critic learns to tell the two apart.")),
    h("div", { class: "row" }, labelled("Game", controls.game), labelled("Law", controls.law), labelled("Seed", controls.seed)),
    h("div", { class: "row controls" }, button("Begin", begin), button("Back", () => walk(-1)), button("Step", () => walk(1)), play,
      labelled("Stride", controls.stride), step),
    picture,
    h("div", { class: "halves even" }, h("div", {}, h("h2", {}, "How far apart"), distances), h("div", {}, h("h2", {}, "So far"), course)),
  );
  told();
  await draw();
  return { key, update: (now) => { at = asked(now); told(); draw(); }, close: () => { closed = true; playing = false; } };
}

const asked = (given = read().given) => Object.fromEntries(Object.entries(FIRST).map(([name, first]) => [name, given.get(name) ?? first]));
