// Screens that are read: what the server has made of a run, or of several, as a piece of a page.

import { ask, post, tab } from "/ask.js";
import { h, put } from "/dom.js";

function screen(title, waiting, read) {
  async function show(place, given) {
    const body = h("div", { class: "read" });
    place.append(h("h1", {}, given.get("run") ?? title), body);
    async function update(now) {
      const { html } = await read(now);
      put(body, html);
    }
    await update(given);
    return { update };
  }
  return { title, waiting, show };
}

const of = (given) => ({ run: given.get("run"), tab });

export const measure = screen("Measure", "Loading.", (given) => ask("measures", of(given)));
export const compare = screen("Compare", "Every model draws its first pictures.", (given) =>
  post("comparison", { runs: (given.get("runs") ?? "").split("|").filter(Boolean), tab }));
