// All runs, one to a row: what they are, how far they are, what was measured last, what the monitor saw.

import { ask } from "/ask.js";
import { empty, h, labelled, say } from "/dom.js";
import { address, go, note } from "/state.js";

export const title = "Runs";
export const keys = [["/", "filter"], ["j and k", "next and previous run"], ["Enter", "open the run"], ["m", "mark the run"], ["c", "compare the marked runs"]];

const number = (value) => (value === null ? "" : Number(value.toPrecision(6)).toLocaleString("en"));
const COLUMNS = [
  ["marked", "Compare", (run) => h("input", { type: "checkbox", value: run.name, "aria-label": `Mark ${run.name}` })],
  ["name", "Run", (run) => link(run)],
  ["model", "Model", (run) => run.model],
  ["data", "Data", (run) => run.data],
  ["status", "Status", (run) => run.status],
  ["kimg", "kimg", (run) => number(run.kimg) + (run.total_kimg ? ` of ${number(run.total_kimg)}` : ""), "number"],
  ["measure", "Last measured", (run) => run.measure, "number"],
  ["floor", "Real against real", (run) => run.floor, "number"],
  ["health", "Health", (run) => run.health],
  ["cost", "Cost", (run) => run.cost, "number"],
];

const link = (run) => h("a", { href: address("training", { run: run.name }) }, run.name);

export async function show(place, given) {
  const found = await ask("runs");
  const count = h("p", { class: "note" });
  const filter = h("input", { type: "search", id: "filter", value: given.get("q") ?? "", oninput: () => narrow(true) });
  const head = COLUMNS.map(([key, name, , kind]) =>
    h("th", { scope: "col", class: kind, "aria-sort": "none" },
      h("button", { type: "button", class: "plain", onclick: () => order(key) }, name)));
  const body = h("tbody");
  const rows = found.runs.map((run) => ({ run, text: Object.values(run).join(" ").toLowerCase(), row: row(run) }));
  body.append(...rows.map((one) => one.row));

  function narrow(isTyped) {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const one of rows) left += !(one.row.hidden = !words.every((word) => one.text.includes(word)));
    count.textContent = `${left} of ${rows.length} runs in ${found.root}/`;
    if (isTyped) note({ q: filter.value });
  }

  function compare() {
    const names = [...body.querySelectorAll("input:checked")].map((box) => box.value);
    if (names.length < 2) say("Mark two runs or more to compare them.", true);
    else go("compare", { runs: names.join("|") });
  }

  function order(key) {
    const at = COLUMNS.findIndex(([name]) => name === key);
    const isUp = head[at].getAttribute("aria-sort") !== "ascending";
    head.forEach((cell, index) => cell.setAttribute("aria-sort", index !== at ? "none" : isUp ? "ascending" : "descending"));
    const compare = (a, b) => (typeof a === "number" || typeof b === "number" ? (a ?? -1) - (b ?? -1) : String(a).localeCompare(b));
    rows.sort((a, b) => (isUp ? 1 : -1) * compare(a.run[key], b.run[key]));
    body.append(...rows.map((one) => one.row));
  }

  place.append(h("h1", {}, "Runs"));
  if (!rows.length) {
    place.append(empty(`There are no runs in ${found.root}/ yet. This makes one:`,
      `ganvas train gan/progan --data scenes:20000,32x32 --preset small --out ${found.root}/first`));
    return {};
  }
  place.append(
    h("div", { class: "row" }, labelled("Filter", filter), count, h("button", { type: "button", onclick: compare }, "Compare the marked")),
    h("div", { class: "scroll" }, h("table", { class: "list" }, h("thead", {}, h("tr", {}, ...head)), body)),
  );
  narrow(false);
  return { update: (now) => { filter.value = now.get("q") ?? ""; narrow(false); }, key: (event) => (event.key === "c" ? (compare(), true) : move(event, filter, body)) };
}

function row(run) {
  const cells = COLUMNS.map(([, name, value, kind]) => h("td", { class: kind, "data-label": name }, value(run)));
  return h("tr", {}, ...cells);
}

function move(event, filter, body) {
  if (event.key === "/") return filter.focus(), true;
  if (event.key === "m") return document.activeElement.closest("tr")?.querySelector("input")?.click(), true;
  const step = { j: 1, k: -1 }[event.key];
  if (!step) return false;
  const links = [...body.querySelectorAll("tr:not([hidden]) a")];
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
  return true;
}
