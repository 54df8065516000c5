"""The page of one run: its pictures, how good they are, what the run cost, and how to do it again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from ganvas.core.number_text import number
from ganvas.core.progress import duration
from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.report.drawing.plot_frame import Band
from ganvas.report.pictures.row_names import row_names
from ganvas.report.web import page
from ganvas.report.web.chart import Chart
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.page import Html, element
from ganvas.report.web.run_curves import diverged, loss_charts, median_window, metric_charts, pace_chart
from ganvas.report.web.run_health import health_charts
from ganvas.report.web.run_numbers import Measurement, headline, numbers
from ganvas.report.web.run_temperatures import TemperaturePlace, chart_of, told

WIDE, NARROW = (560, 290), (370, 260)
_TRANSLATE = ("Your own pictures, translated by its newest model:", "ganvas translate {run} photos/ -o translated")
USES = {  # What is to be done with a run of a family whose models draw no samples of their own.
    "detect": ("Boxes in your own pictures:", "ganvas detect {run} photos/ -o boxes.json --draw drawn"),
    "fill": ("Your own pictures, with their holes filled:", "ganvas inpaint {run} photos/ --masks masks/ -o filled"),
    "segment": ("Labels of your own pictures:", "ganvas segment {run} photos/ -o labels --overlay"),
    "style": _TRANSLATE,
    "translate": _TRANSLATE,
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One picture of the run's folder: what the model made at a moment, or of the data, which has none."""

    name: str  # Of its file, without the ending.
    image: bytes  # Of a PNG file.
    kimg: float | None = None
    size: str = ""  # Of each picture on it, in pixels: "28", or "24×16".
    sound: bytes | None = None  # A wave file of what it shows, of a model of sounds.


@dataclass(frozen=True, kw_only=True)
class LineSheet:
    """Lines of text of a run: what the model said at a moment, or of the data, which has none."""

    lines: Sequence[str]
    kimg: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """Everything that the page shows, as plain values. What is not known is empty, and the page says so."""

    name: str  # Of the run's folder.
    model: str
    status: str = "unknown"
    preset: str | None = None
    preset_note: str = ""  # What the preset is, and after which source.
    paper: str | None = None  # Address of the model's paper.
    seed: int | None = None
    started: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    command: Sequence[str] = ()
    cause: str = ""  # Why it failed.
    cost: Mapping[str, float] = field(default_factory=dict)
    stages: Sequence[Band] = ()
    log: Mapping[str, np.ndarray] = field(default_factory=dict)  # Columns over "kimg"; nan where a line lacks one.
    pace: Mapping[str, np.ndarray] = field(default_factory=dict)  # Likewise.
    health: Mapping[str, np.ndarray] = field(default_factory=dict)  # The signs of check-ups, likewise.
    findings: Sequence[tuple[str, str]] = ()  # Of the last check-up: what was found, and what is advised.
    measures: Sequence[Measurement] = ()
    sheets: Sequence[Sheet] = ()  # Drawn at moments of the run, in order.
    others: Sequence[Sheet] = ()  # Of no moment, such as one of the data.
    texts: Sequence[LineSheet] = ()  # Of a run on text, in order; those of the data first.
    placed: TemperaturePlace | None = None  # Of a run on text, by the curve of a language model.
    film: bytes | None = None  # All sheets as an animated WebP.
    notes: Sequence[str] = ()  # What could not be read.
    run_path: str = ""  # As the user would type it.

    @property
    def kimg(self) -> float:
        """How far the run is, in thousands of samples shown: the furthest that any part of it knows."""
        known = [self.cost.get("nimg", 0.0) / 1000]
        known += [float(columns["kimg"][-1]) for columns in (self.log, self.pace) if len(columns.get("kimg", ()))]
        return max(known + [sheet.kimg for sheet in self.sheets if sheet.kimg is not None])


def html(run: RunPage) -> str:
    """The page as text."""
    return page.document(
        f"{run.name}: {run.model}",
        _header(run),
        _lines(run) if run.texts else _pictures(run),
        _quality(run),
        _by_temperature(run.placed),
        _training(run),
        _health(run),
        _cost(run),
        _again(run),
        sound=any(sheet.sound is not None for sheet in (*run.sheets, *run.others)),
    )


def _header(run: RunPage) -> Html:
    known = run.status if run.status in ("running", "stopped", "finished", "failed") else "unknown"
    status = element("span", run.status, class_=f"status {known}")
    model = page.link(run.paper, run.model) if run.paper else run.model
    parts: list[page.Content] = [model]
    if run.preset:
        parts.append(f"preset {run.preset}")
    parts.append(_data_sentence(run.data))
    if run.started:
        parts.append(f"started {moment(run.started)}")
    line = [piece for part in parts if part for piece in (" · ", part)][1:]
    warnings = [element("p", text, class_="note warn") for text in (*troubles(run), *run.notes)]
    return element("header", element("h1", run.name, status), element("p", *line), *warnings)


def troubles(run: RunPage) -> list[str]:
    """What went wrong in the run itself."""
    found = [f"The run failed: {run.cause}."] if run.cause and run.status == "failed" else []
    if far := diverged(run.log):
        found.append(
            f"The losses diverged: {far}. What this model draws was learnt by a game that had broken down; "
            "a lower learning rate may help."
        )
    return found


def _pictures(run: RunPage) -> Html:
    tiles = _tiles(_summary(run))
    shown = [_grid(sheet.image, _caption_of(sheet), sheet.name, sheet.sound) for sheet in run.others]
    if run.sheets:
        last = run.sheets[-1]
        newest = f"Newest, {_moment_of(last)}; every sheet is drawn from the same inputs"
        shown.insert(0, _grid(last.image, newest, "newest samples", last.sound))
    if run.film is not None:
        shown.append(_grid(run.film, "The whole run: every sheet that was drawn", "growth animation"))
    stages = [_grid(sheet.image, _moment_of(sheet), _moment_of(sheet)) for sheet in run.sheets]
    strip = element("div", *stages, class_="stages") if len(stages) > 1 else None
    none = None if run.sheets else page.note("There are no sample sheets yet: the run has not drawn any.")
    title = element("h3", "On the way") if strip else None
    return page.section("Pictures", tiles, none, element("div", *shown, class_="hero"), title, strip)


def _lines(run: RunPage) -> Html:
    """What a model of text said, the newest beside real lines, and on the way."""
    drawn = [sheet for sheet in run.texts if sheet.kimg is not None]
    first = [*drawn[-1:], *(sheet for sheet in run.texts if sheet.kimg is None)]
    shown = element("div", *(_line_sheet(sheet) for sheet in first), class_="charts")
    earlier = element("div", *(_line_sheet(sheet) for sheet in drawn[:-1]), class_="charts")
    title = element("h3", "On the way") if len(drawn) > 1 else None
    return page.section("Lines", _tiles(_summary(run)), shown, title, earlier if title else None)


def _line_sheet(sheet: LineSheet) -> Html:
    caption = "Real lines of the data" if sheet.kimg is None else f"Drawn at {number(sheet.kimg)} kimg"
    return page.figure(element("pre", "\n".join(sheet.lines)), caption)


def _caption_of(sheet: Sheet) -> str:
    return "Real samples of the data" if sheet.name == "reals" else sheet.name.replace("_", " ").capitalize()


def _quality(run: RunPage) -> Html:
    if not run.measures:
        hint = f"ganvas measure {shlex.quote(run.run_path or run.name)}"
        return page.section(
            "Quality", page.note("Nothing has been measured yet. ", page.code(hint), " measures the newest model.")
        )
    charts = metric_charts(run.measures, run.stages)
    drawn = element("div", *(_drawn(chart, caption) for chart, caption in charts), class_="charts") if charts else None
    return page.section("Quality", numbers(run.measures, data=_text(run.data.get("spec"))), drawn)


def _by_temperature(place: TemperaturePlace | None) -> Html | None:
    """Whether a run on text is better than another temperature of a language model would be."""
    if place is None:
        return None
    drawn = element("div", _drawn(chart_of(place), None), class_="charts")
    return page.section("By the temperature curve", page.note(told(place)), drawn)


def _training(run: RunPage) -> Html:
    charts = loss_charts(run.log, run.stages)
    if not charts:
        lines = len(run.log.get("kimg", ()))
        told = "one line" if lines == 1 else "no line" if lines == 0 else f"{lines} lines and no loss"
        return page.section("Training", page.note(f"The log has {told} so far: there is no curve to draw."))
    drawn = [_drawn(chart, None) for chart in charts]
    legend = "Each curve is a term of that player's loss, averaged over a batch. "
    median = "Strong lines are running medians over 2 % of the run, faint ones the values. "
    bands = "Shaded stretches are resolutions; in hatched ones the next resolution is faded in." if run.stages else None
    smoothed = median if median_window(len(run.log["kimg"])) > 1 else None
    return page.section("Training", element("div", *drawn, class_="charts"), page.note(legend, smoothed, bands))


def _health(run: RunPage) -> Html | None:
    """What the monitor saw; nothing for a run that had none."""
    charts = health_charts(run.health, run.log, run.stages)
    if not charts and not run.findings:
        return None
    told = [element("p", f"{text}. {advice}", class_="note warn") for text, advice in run.findings]
    quiet = None if told else page.note("Nothing was found at the last check-up.")
    drawn = element("div", *(_drawn(chart, caption) for chart, caption in charts), class_="charts") if charts else None
    return page.section("Health", *told, quiet, drawn)


def _cost(run: RunPage) -> Html:
    pairs = _cost_pairs(run)
    if not pairs:
        return page.section("Cost", page.note("The run has not reported any cost yet."))
    chart = pace_chart(run.pace, run.stages)
    drawn = element("div", _drawn(chart, None), class_="charts") if chart else None
    return page.section("Cost", _tiles(pairs), drawn)


def _again(run: RunPage) -> Html:
    told, command = _use(run)
    made = shlex.join(run.command) if run.command else None
    return page.section(
        "How it was made, and how to resume it",
        page.facts(_provenance(run)),
        element("p", "The command that made it; the same command resumes the run where it stopped:") if made else None,
        page.command(made) if made else page.note("The run does not say which command made it."),
        element("p", told),
        page.command(command),
        page.details("Configuration of the model", page.plain_values(run.config)) if run.config else None,
        page.details("Plan of the run", page.plain_values(run.plan)) if run.plan else None,
        page.details("Data", page.plain_values(run.data)) if run.data else None,
    )


def _use(run: RunPage) -> tuple[str, str]:
    """What the run is good for, and the command."""
    where, file = shlex.quote(run.run_path or run.name), "lines.txt" if run.texts else "grid.png"
    drawn = f"ganvas sample {{run}} -n 64 --seed 1 -o {file}\nganvas measure {{run}}"
    told, command = USES.get(run.model.partition("/")[0], ("Samples and numbers from its newest model:", drawn))
    return told, command.replace("{run}", where)


def _summary(run: RunPage) -> list[tuple[str, str]]:
    """The numbers that one looks for first."""
    total = run.plan.get("total_kimg")
    shown = f"{number(run.kimg)} of {number(total)}" if isinstance(total, int | float) else number(run.kimg)
    pairs = [("kimg: thousands of samples shown", shown)]
    if run.stages:
        pairs.append(("pixels, size of the pictures", run.stages[-1].label))
    if run.cost.get("seconds"):
        pairs.append(("of training", duration(run.cost["seconds"])))
    return pairs + headline(run.measures)


def _cost_pairs(run: RunPage) -> list[tuple[str, str]]:
    cost, pairs = run.cost, []
    seconds, nimg = cost.get("seconds", 0.0), cost.get("nimg", 0.0)
    if seconds:
        pairs.append(("wall-clock time", duration(seconds)))
    if nimg:
        pairs.append(("samples shown", f"{nimg:,.0f}"))
    if seconds and nimg:
        pairs.append(("samples per second, on average", number(nimg / seconds, digits=3)))
    if "gpu_seconds" in cost:
        pairs.append(("GPU time", duration(cost["gpu_seconds"]) if cost["gpu_seconds"] else "none"))
    if cost.get("flop"):
        pairs.append(("floating-point operations", number(cost["flop"], digits=3)))
    memory = run.pace.get("memory_mib", np.zeros(0))
    if np.isfinite(memory).any():
        pairs.append(("MiB of memory at the peak", f"{np.nanmax(memory):,.0f}"))
    return pairs


def _provenance(run: RunPage) -> list[tuple[str, page.Content]]:
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    preset = f"{run.preset}. {run.preset_note}".rstrip(". ") if run.preset else "none: the fields below as they are"
    paper = page.link(run.paper, run.paper.removeprefix("https://")) if run.paper else None
    return [
        ("Model", page.join(run.model, ", " if paper else None, paper)),
        ("Preset", preset),
        ("Data", page.join(_data_sentence(run.data), *_fingerprint(run.data))),
        ("Seed", None if run.seed is None else str(run.seed)),
        ("Machine", _machine(run.machine)),
        ("Versions", versions),
        ("Started", moment(run.started) if run.started else None),
    ]


def _machine(machine: Mapping[str, Any]) -> str:
    units = {"cores": "core", "threads": "thread", "memory_gib": "GiB", "gpus": "GPU", "cuda": "CUDA"}
    return ", ".join(_amount(value, units.get(name, "")) for name, value in machine.items() if value is not None)


def _amount(value: Any, unit: str) -> str:
    """
    >>> _amount(1, "thread"), _amount(2, "core"), _amount("12.8", "CUDA"), _amount("A Processor", "")
    ('1 thread', '2 cores', 'CUDA 12.8', 'A Processor')
    """
    if unit == "CUDA":
        return f"CUDA {value}"
    plural = "s" if unit in ("core", "thread") and value != 1 else ""
    return f"{value} {unit}{plural}".strip()


def _data_sentence(data: Mapping[str, Any]) -> str:
    height, width, count = (data.get(name) for name in ("height", "width", "count"))
    pictures = isinstance(height, int) and isinstance(width, int)
    parts = [_text(data.get("spec"))]
    if isinstance(count, int):
        parts.append(f"{count:,} {_counted_by(data)}")
    if pictures:
        channels = data.get("channels")
        kinds = {1: " grey", 3: " RGB", 4: " RGBA"}
        parts.append(f"{width}×{height}{kinds.get(channels, '') if isinstance(channels, int) else ''}")
    other = data.get("other")
    parts.append(f"and {_text(other.get('spec'))}" if isinstance(other, dict) and other.get("spec") else "")
    return ", ".join(part for part in parts if part)


def _counted_by(data: Mapping[str, Any]) -> str:
    """What the samples of a run are, told from what run.json says of its data."""
    units: dict[str, SampleUnit] = {
        "height": "pictures",
        "rate": "sounds",
        "alphabet": "lines",
        "dims": "points",
        "node_names": "graphs",
    }
    return next((unit for key, unit in units.items() if key in data), "examples")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _fingerprint(data: Mapping[str, Any]) -> list[Html]:
    mark = _text(data.get("fingerprint"))
    short = f"{mark[:19]}…" if len(mark) > 20 else mark
    return [Html(" "), element("span", page.code(short), title=mark)] if mark else []


def _moment_of(sheet: Sheet) -> str:
    size = f"{sheet.size} px, " if sheet.size else ""
    return f"{size}{number(sheet.kimg)} kimg"


def _grid(data: bytes, caption: str, alt: str, sound: bytes | None = None) -> Html:
    try:
        shown = page.beside(row_names(data), page.picture(data, alt))
        return page.figure(shown if sound is None else page.join(shown, page.player(sound)), caption)
    except OSError:
        return page.note(f"{caption}: this picture cannot be read.")


def _tiles(pairs: Sequence[tuple[str, str]]) -> Html:
    tiles = [element("div", element("b", value), element("span", name), class_="tile") for name, value in pairs]
    return element("div", *tiles, class_="tiles")


def _drawn(chart: Chart, caption: page.Content) -> Html:
    return chart_figure(chart, WIDE, NARROW, caption)


def moment(iso: str) -> str:
    """An ISO time to the minute, as it is otherwise.

    >>> moment("2025-11-21T07:21:09+00:00")
    '2025-11-21 07:21 UTC'
    """
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip()
