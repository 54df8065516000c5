// A run while it trains and after: curves and samples under one slider, health, time left, stop and resume.

import { ask, listen, picture, post } from "/ask.js";
import { failed, h, labelled, put, say } from "/dom.js";
import { note } from "/state.js";

export const title = "Training";
export const keys = [["← →", "step through the kept samples"], ["Home End", "first and last"], ["Space", "play"], ["l", "logarithmic axes"]];

const AHEAD = 3; // Sheets that are fetched before they are asked for.
const PLAY_MS = 180;
const REFRESH_MS = 1000;

export async function show(place, given) {
  const run = given.get("run");
  const over = new AbortController();
  let sheets = [];
  let timer = 0;
  let wanted = given.get("at"); // null follows the newest.

  const heading = h("span", { class: "status" });
  const facts = h("div");
  const troubles = h("div");
  const charts = h("div");
  const sheet = h("img", { class: "sheet pixels", alt: "" });
  const other = h("div", { class: "other" }); // Lines, sounds: what a kind shows beside pictures, or instead.
  let has = { pictures: true, others: false };
  const none = h("p", { class: "note" }, "There are no sample sheets yet: the run has not drawn any.");
  const slider = h("input", { type: "range", min: 0, max: 0, step: 1, id: "moment", oninput: () => choose(Number(slider.value)) });
  const at = h("output", { for: "moment" });
  const play = h("button", { type: "button", onclick: toggle, "aria-pressed": "false" }, "Play");
  const log = h("input", { type: "checkbox", onchange: options });
  const smooth = h("select", { onchange: options }, ...[["0", "none"], ["0.02", "2 %"], ["0.05", "5 %"], ["0.1", "10 %"]].map(([value, text]) => h("option", { value }, text)));
  const stop = h("button", { type: "button", onclick: () => change("stop") }, "Stop");
  const resume = h("button", { type: "button", onclick: () => change("resume") }, "Resume");

  async function draw(index) {
    const kimg = sheets[index];
    at.textContent = `${kimg.toLocaleString("en", { minimumFractionDigits: 3 })} kimg`;
    slider.setAttribute("aria-valuetext", at.textContent);
    for (const line of charts.querySelectorAll(".cursor")) cursor(line, kimg);
    if (has.others) await drawOther(kimg);
    if (!has.pictures) return;
    const source = await picture("sheet", { run, kimg });
    if (sheets[Number(slider.value)] !== kimg) return;
    sheet.src = source;
    sheet.alt = `Samples at ${at.textContent}`;
    for (let near = 1; near <= AHEAD; near++) {
      for (const next of [index + near, index - near]) {
        if (next in sheets) picture("sheet", { run, kimg: sheets[next] }).catch(() => {});
      }
    }
  }

  async function drawOther(kimg) {
    if (other.dataset.kimg === String(kimg)) return; // A sound that is being heard goes on.
    const { html } = await ask("other_sheet", { run, kimg }, over.signal);
    if (sheets[Number(slider.value)] !== kimg) return;
    put(other, html);
    other.dataset.kimg = kimg;
  }

  function choose(index) {
    slider.value = index;
    wanted = index === sheets.length - 1 ? null : String(sheets[index]);
    note({ at: wanted ?? "" });
    draw(index).catch(failed);
  }

  function follow() {
    const known = wanted === null ? sheets.length - 1 : nearest(sheets, Number(wanted));
    slider.disabled = play.disabled = !sheets.length;
    sheet.hidden = !sheets.length || !has.pictures;
    other.hidden = !has.others;
    none.hidden = Boolean(sheets.length);
    slider.max = Math.max(sheets.length - 1, 0);
    slider.value = known;
    if (sheets.length) draw(known).catch(failed);
  }

  async function refresh() {
    const told = await ask("training", { run, log: log.checked ? "1" : "", smooth: smooth.value }, over.signal);
    heading.textContent = told.status;
    heading.className = `status ${told.status}`;
    put(facts, told.facts);
    put(troubles, told.troubles);
    put(charts, told.charts);
    sheets = told.sheets;
    has = told;
    stop.hidden = !told.write || !told.training;
    resume.hidden = !told.write || told.training || told.status === "finished";
    if (told.told) say(told.told, true);
    follow();
  }

  function options() {
    note({ log: log.checked ? "1" : "", smooth: smooth.value === "0.02" ? "" : smooth.value });
    refresh().catch(failed);
  }

  async function change(what) {
    try {
      say((await post(what, { run })).told);
    } catch (error) {
      failed(error);
    }
  }

  function toggle() {
    const isPlaying = Boolean(timer);
    clearInterval(timer);
    timer = isPlaying ? 0 : setInterval(() => choose((Number(slider.value) + 1) % sheets.length), PLAY_MS);
    play.textContent = timer ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(Boolean(timer)));
  }

  function key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const last = sheets.length - 1;
    if (event.target.matches("button, a") && event.key === " ") return false;
    if (event.key === "l") log.click();
    else if (!sheets.length) return false;
    else if (event.key === " ") toggle();
    else if (step) choose(Math.min(Math.max(Number(slider.value) + step, 0), last));
    else if (event.key === "Home") choose(0);
    else if (event.key === "End") choose(last);
    else return false;
    return true;
  }

  function update(now) {
    log.checked = now.get("log") === "1";
    smooth.value = now.get("smooth") ?? "0.02";
    wanted = now.get("at");
    return refresh().catch(failed);
  }

  place.append(
    h("header", {}, h("h1", {}, run, heading), facts, troubles, h("p", { class: "row" }, stop, resume)),
    h("div", { class: "row controls" }, labelled("Samples and curves at", slider), at, play,
      labelled("Logarithmic", log), labelled("Smoothing", smooth)),
    h("div", { class: "halves" }, h("div", { class: "stay" }, h("h2", { class: "unseen" }, "Samples"), sheet, other, none),
      h("div", {}, h("h2", { class: "unseen" }, "Curves"), charts)),
  );
  log.checked = given.get("log") === "1";
  smooth.value = given.get("smooth") ?? "0.02";
  await refresh();
  const stream = watched(run, () => refresh().catch(failed));
  return { key, update, close: () => { over.abort(); stream.close(); clearInterval(timer); } };
}

function cursor(line, kimg) {
  const { low, high, left, right } = line.dataset;
  const part = (kimg - low) / (high - low);
  const x = Number(left) + Math.min(Math.max(part, 0), 1) * (right - left);
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
  line.setAttribute("visibility", "visible");
}

const nearest = (sheets, kimg) => sheets.reduce((best, one, index) => (Math.abs(one - kimg) < Math.abs(sheets[best] - kimg) ? index : best), 0);

/** The run's stream, open while the page can be seen; what it tells is shown at most once a second. */
function watched(run, changed) {
  let open = null;
  let due = 0;
  const later = () => { due ||= setTimeout(() => { due = 0; changed(); }, REFRESH_MS); };
  const heard = (kind, why) => {
    if (kind === "change") later();
    else if (kind === "closed" || kind === "refused") say(why, true);
    else if (kind === "gone") say("This run is not there any more: its folder was removed or renamed.", true);
    else if (kind === "open" && document.getElementById("status").classList.contains("bad")) { say(""); later(); }
  };
  function look() {
    open?.abort();
    open = document.hidden ? null : new AbortController();
    if (open) listen(run, heard, open.signal);
  }
  function shown() {
    look();
    if (!document.hidden) later();
  }
  document.addEventListener("visibilitychange", shown);
  look();
  return { close: () => { document.removeEventListener("visibilitychange", shown); open?.abort(); clearTimeout(due); } };
}
