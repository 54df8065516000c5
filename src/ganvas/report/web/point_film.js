"use strict";
// Draws the moments of the page's own data on two canvases, and plays them. Nothing is fetched.
const film = JSON.parse(document.getElementById("moments").textContent);
const part = (id) => document.getElementById(id);
const slider = part("at"), button = part("play"), moments = film.moments;
const MILLISECONDS = 220, HOLD = 8, MARGIN = 36;
slider.max = moments.length - 1;
let playing = !matchMedia("(prefers-reduced-motion: reduce)").matches, held = 0;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function plot(canvas) {
  const side = canvas.clientWidth, scale = devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(side * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.clearRect(0, 0, side, side);
  const inner = side - 2 * MARGIN;
  const x = (value) => MARGIN + (value / film.unit) * inner, y = (value) => MARGIN + (1 - value / film.unit) * inner;
  pen.strokeStyle = colour("--line");
  pen.strokeRect(MARGIN, MARGIN, inner, inner);
  pen.fillStyle = colour("--soft");
  pen.font = "11px system-ui, sans-serif";
  const [left, right, bottom, top] = film.span.map((value) => value.toPrecision(3).replace(/\.?0+$/, ""));
  pen.fillText(left, MARGIN, side - 10);
  pen.textAlign = "end";
  pen.fillText(right, side - MARGIN, side - 10);
  pen.fillText(bottom, MARGIN - 3, side - MARGIN);
  pen.fillText(top, MARGIN - 3, MARGIN + 9);
  pen.beginPath();
  pen.rect(MARGIN, MARGIN, inner, inner);
  pen.clip();
  return { pen, x, y, inner };
}

function dots({ pen, x, y }, points, fill, alpha) {
  pen.globalAlpha = alpha;
  pen.fillStyle = fill;
  for (const [across, up] of points) {
    pen.beginPath();
    pen.arc(x(across), y(up), 1.9, 0, 7);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function levels({ pen, x, y }, found) {
  found.forEach((pieces, index) => {
    pen.strokeStyle = `hsl(${280 - (230 * index) / Math.max(found.length - 1, 1)} 75% ${35 + (20 * index) / found.length}%)`;
    pen.beginPath();
    for (let at = 0; at < pieces.length; at += 4) {
      pen.moveTo(x(pieces[at]), y(pieces[at + 1]));
      pen.lineTo(x(pieces[at + 2]), y(pieces[at + 3]));
    }
    pen.stroke();
  });
}

function pushes({ pen, x, y, inner }, found) {
  pen.strokeStyle = "#d55e00";
  pen.lineWidth = 1.3;
  pen.beginPath();
  for (const [across, up, right, above] of found) {
    const length = (0.075 * inner) / film.unit, dx = right * length, dy = -above * length;
    const tip = [x(across) + dx, y(up) + dy];
    pen.moveTo(x(across), y(up));
    pen.lineTo(...tip);
    for (const turn of [2.6, -2.6]) {
      pen.moveTo(...tip);
      pen.lineTo(tip[0] + 0.35 * (dx * Math.cos(turn) - dy * Math.sin(turn)),
        tip[1] + 0.35 * (dx * Math.sin(turn) + dy * Math.cos(turn)));
    }
  }
  pen.stroke();
  pen.lineWidth = 1;
}

function latents({ pen, x, y }, grids) {
  grids.forEach((lines, index) => {
    pen.strokeStyle = ["#2f86c6", "#009e73"][index];
    pen.beginPath();
    for (const line of lines) {
      line.forEach(([across, up], at) => (at ? pen.lineTo(x(across), y(up)) : pen.moveTo(x(across), y(up))));
    }
    pen.stroke();
  });
}

function draw() {
  const moment = moments[slider.value], left = plot(part("left")), right = plot(part("right"));
  for (const sheet of [left, right]) {
    if (part("real").checked) dots(sheet, film.real, "#98a2ab", 0.8);
  }
  if (part("levels").checked) levels(left, moment.levels);
  if (part("samples").checked) dots(left, moment.samples, "#2f86c6", 0.7);
  if (part("pushes").checked) pushes(left, moment.pushes);
  latents(right, moment.latents);
  part("kimg").textContent = `${moment.kimg.toLocaleString("en")} thousand points shown`;
  button.textContent = playing ? "Pause" : "Play";
}

setInterval(() => {
  if (!playing || document.hidden) return;
  const last = Number(slider.value) === moments.length - 1;
  if (last && held++ < HOLD) return;
  held = 0;
  slider.value = last ? 0 : Number(slider.value) + 1;
  draw();
}, MILLISECONDS);
button.addEventListener("click", () => { playing = !playing; draw(); });
slider.addEventListener("input", () => { playing = false; draw(); });
for (const id of ["real", "samples", "levels", "pushes"]) part(id).addEventListener("change", draw);
addEventListener("resize", draw);
draw();
