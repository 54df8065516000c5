"""The style sheet of every page: the system's own letters, colours for light, dark and paper."""

from ganvas.report.web import chart

DARK = f"""{chart.DARK_STYLE}:root {{ --ink: #e3e7eb; --soft: #9aa4af; --paper: #14181c; --sunk: #1c2126;
  --line: #30363d; --link: #7db8f0; --good: #52c79c; --warn: #f0a868; }}
"""
"""What takes the place of the light colours."""

_PAGE = """
:root { --ink: #1d2329; --soft: #5b646e; --paper: #ffffff; --sunk: #f4f5f7; --line: #dfe3e7; --link: #0b5cad;
  --good: #00724f; --warn: #9a4a00; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 56px; }
h1 { font-size: 25px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 12px; }
h3 { font-size: 14px; margin: 0 0 4px; font-weight: 600; }
p { margin: 0 0 10px; max-width: 72ch; }
a { color: var(--link); }
header { margin-bottom: 20px; }
header p { color: var(--soft); margin: 0; max-width: none; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding-top: 18px; margin-top: 26px; }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 6px; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; height: auto; border-radius: 3px; }
img.pixels { image-rendering: pixelated; }
.note { color: var(--soft); font-size: 13.5px; }
.note.warn { color: var(--warn); }
.hero { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 20px; align-items: start; }
.hero + h3 { margin-top: 18px; }
.hero img, .stages img { width: 100%; }
.rows { display: flex; gap: 8px; }
.rows div { display: flex; flex-direction: column; flex: none; max-width: 30%; font-size: 12px; color: var(--soft); }
.rows span { flex: 1 1 0; min-height: 0; display: flex; align-items: center; line-height: 1.1; }
.stages .rows div { display: none; }
.rows img { flex: 1 1 0; min-width: 0; height: 100%; }
audio { width: 100%; margin-top: 8px; }
.stages { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 16px; align-items: start; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 24px 28px; }
.thirds { grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.drawing svg { display: block; width: 100%; height: auto; }
.charts + .note { margin-top: 12px; }
.narrow { display: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 10px; margin: 0 0 18px; }
.tile { background: var(--sunk); border-radius: 6px; padding: 9px 12px; min-width: 0; }
.tile b { display: block; font-size: 19px; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 12.5px; display: block; line-height: 1.35; }
dl { margin: 0 0 14px; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr));
  gap: 0 28px; }
dl > div { display: grid; grid-template-columns: 112px 1fr; gap: 10px; padding: 4px 0;
  border-bottom: 1px solid var(--line); }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin-bottom: 10px; }
table { border-collapse: collapse; font-size: 14px; min-width: 100%; }
th, td { padding: 5px 14px 5px 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap;
  vertical-align: middle; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td b { font-weight: 600; }
td.protocol { white-space: normal; overflow-wrap: anywhere; padding-top: 12px; }
td small, .soft { color: var(--soft); font-size: 12.5px; }
td svg { display: block; margin-left: auto; }
pre, code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
pre { background: var(--sunk); border-radius: 6px; padding: 10px 12px; margin: 0 0 12px; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: 0 0 10px; }
summary { cursor: pointer; padding: 3px 0; }
details > pre { margin-top: 6px; }
.status { display: inline-block; border: 1px solid currentColor; border-radius: 99px; font-size: 12.5px;
  padding: 0 9px; margin-left: 10px; vertical-align: 4px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.status.finished { color: var(--good); }
.status.failed { color: var(--warn); }
@media (max-width: 560px) {
  main { padding: 18px 14px 40px; }
  h1 { font-size: 21px; }
  .stages { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 12px; }
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: 6px 0; }
  td, td.number { border: 0; padding: 2px 0; white-space: normal; text-align: left; }
  td[data-label].number { display: grid; grid-template-columns: 128px 1fr; gap: 10px; }
  td[data-label].number::before { content: attr(data-label); color: var(--soft); font-size: 12.5px; }
  td svg { margin: 0; max-width: 100%; }
  .wide { display: none; }
  .narrow { display: block; }
}
@media print {
  main { max-width: none; padding: 0; }
  section, figure, .tile { break-inside: avoid; }
  pre { white-space: pre-wrap; }
}
"""

LIGHT = f"{chart.STYLE}{_PAGE}"
STYLE = f"{LIGHT}@media screen and (prefers-color-scheme: dark) {{\n{DARK}}}\n"
