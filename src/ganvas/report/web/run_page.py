"""The page of one run: what it draws, how good that is, what it cost, and how to do it again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from ganvas.core.progress import duration
from ganvas.report.drawing.axis import number
from ganvas.report.web import page
from ganvas.report.web.chart import Band, Chart, svg
from ganvas.report.web.page import Html, element
from ganvas.report.web.run_curves import loss_charts, median_window, metric_charts, pace_chart
from ganvas.report.web.run_numbers import Measurement, headline, numbers

WIDE, NARROW = (560, 290), (370, 260)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A grid of the fixed latents at a moment of the run."""

    kimg: float
    resolution: int | None
    image: bytes  # Of a PNG file.


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
    cost: Mapping[str, Any] = field(default_factory=dict)
    stages: Sequence[Band] = ()
    log: Mapping[str, np.ndarray] = field(default_factory=dict)  # Columns over "kimg"; nan where a line lacks one.
    pace: Mapping[str, np.ndarray] = field(default_factory=dict)  # Likewise.
    measures: Sequence[Measurement] = ()
    samples: Sequence[Sample] = ()
    reals: bytes | None = None
    growth: bytes | None = None  # An animated WebP.
    notes: Sequence[str] = ()  # What could not be read.
    run_path: str = ""  # As the user would type it.

    @property
    def kimg(self) -> float:
        """How far the run is, in thousands of images shown: the furthest that any part of it knows."""
        known = [float(self.cost.get("nimg") or 0) / 1000]
        known += [float(columns["kimg"][-1]) for columns in (self.log, self.pace) if len(columns.get("kimg", ()))]
        return max(known + [sample.kimg for sample in self.samples])


def html(run: RunPage) -> str:
    """The page as text."""
    return page.document(
        f"{run.name}: {run.model}",
        _header(run),
        _pictures(run),
        _quality(run),
        _training(run),
        _cost(run),
        _again(run),
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
    warnings = [element("p", text, class_="note warn") for text in run.notes]
    return element("header", element("h1", run.name, status), element("p", *line), *warnings)


def _pictures(run: RunPage) -> Html:
    tiles = _tiles(_summary(run))
    if not run.samples:
        return page.section("Pictures", tiles, page.note("There are no sample grids yet: the run has not drawn any."))
    last = run.samples[-1]
    newest = f"Newest, at {number(last.kimg)} kimg; every grid shows the same latents"
    shown = [_grid(last.image, newest, "newest samples")]
    if run.reals is not None:
        shown.append(_grid(run.reals, "Real pictures of the data", "real pictures"))
    if run.growth is not None:
        shown.append(_grid(run.growth, "The whole run: every grid that was drawn", "growth animation"))
    stages = [_grid(sample.image, _moment_of(sample), _moment_of(sample)) for sample in run.samples]
    strip = element("div", *stages, class_="stages") if len(stages) > 1 else None
    title = element("h3", "On the way") if strip else None
    return page.section("Pictures", tiles, element("div", *shown, class_="hero"), title, strip)


def _quality(run: RunPage) -> Html:
    if not run.measures:
        hint = f"ganvas measure {shlex.quote(run.run_path or run.name)}"
        return page.section(
            "Quality", page.note("Nothing has been measured yet. ", page.code(hint), " measures the newest model.")
        )
    charts = metric_charts(run.measures, run.stages)
    drawn = element("div", *(_drawn(chart, caption) for chart, caption in charts), class_="charts") if charts else None
    return page.section("Quality", numbers(run.measures), drawn)


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


def _cost(run: RunPage) -> Html:
    pairs = _cost_pairs(run)
    if not pairs:
        return page.section("Cost", page.note("The run has not reported any cost yet."))
    chart = pace_chart(run.pace, run.stages)
    drawn = element("div", _drawn(chart, None), class_="charts") if chart else None
    return page.section("Cost", _tiles(pairs), drawn)


def _again(run: RunPage) -> Html:
    where = shlex.quote(run.run_path or run.name)
    made = shlex.join(run.command) if run.command else None
    return page.section(
        "How it was made, and how to go on",
        page.facts(_provenance(run)),
        element("p", "The command that made it; the same command goes on where the run stopped:") if made else None,
        page.command(made) if made else page.note("The run does not say which command made it."),
        element("p", "Pictures and numbers from its newest model:"),
        page.command(f"ganvas sample {where} -n 64 --seed 1 -o grid.png\nganvas measure {where}"),
        page.details("Configuration of the model", page.plain_values(run.config)) if run.config else None,
        page.details("Plan of the run", page.plain_values(run.plan)) if run.plan else None,
        page.details("Data", page.plain_values(run.data)) if run.data else None,
    )


def _summary(run: RunPage) -> list[tuple[str, str]]:
    """The numbers that one looks for first."""
    total = run.plan.get("total_kimg")
    shown = f"{number(run.kimg)} of {number(float(total))}" if isinstance(total, int | float) else number(run.kimg)
    pairs = [("kimg: thousands of images shown", shown)]
    if run.stages:
        pairs.append(("pixels, resolution", run.stages[-1].label))
    if run.cost.get("seconds"):
        pairs.append(("of training", duration(float(run.cost["seconds"]))))
    return pairs + headline(run.measures)


def _cost_pairs(run: RunPage) -> list[tuple[str, str]]:
    cost, pairs = run.cost, []
    seconds, nimg = float(cost.get("seconds") or 0), float(cost.get("nimg") or 0)
    if seconds:
        pairs.append(("wall-clock time", duration(seconds)))
    if nimg:
        pairs.append(("images shown", f"{nimg:,.0f}"))
    if seconds and nimg:
        pairs.append(("images per second, on average", number(nimg / seconds, digits=3)))
    if cost.get("gpu_seconds") is not None:
        pairs.append(("GPU time", duration(float(cost["gpu_seconds"])) if cost["gpu_seconds"] else "none"))
    if cost.get("flop"):
        pairs.append(("floating-point operations", number(float(cost["flop"]), digits=3)))
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
    units = {"cores": "{} cores", "threads": "{} threads", "memory_gib": "{} GiB", "gpus": "{} GPU", "cuda": "CUDA {}"}
    return ", ".join(units.get(key, "{}").format(value) for key, value in machine.items())


def _data_sentence(data: Mapping[str, Any]) -> str:
    parts = [str(data["spec"])] if data.get("spec") else []
    if isinstance(data.get("count"), int):
        parts.append(f"{data['count']:,} pictures")
    if data.get("height") and data.get("width"):
        channels = {1: " grey", 3: " RGB", 4: " RGBA"}.get(data.get("channels", 0), "")
        parts.append(f"{data['width']}×{data['height']}{channels}")
    return ", ".join(parts)


def _fingerprint(data: Mapping[str, Any]) -> list[Html]:
    mark = str(data.get("fingerprint") or "")
    return (
        [Html(" "), element("span", page.code(f"{mark[:19]}…" if len(mark) > 20 else mark), title=mark)] if mark else []
    )


def _moment_of(sample: Sample) -> str:
    size = f"{sample.resolution} px, " if sample.resolution else ""
    return f"{size}{number(sample.kimg)} kimg"


def _grid(data: bytes, caption: str, alt: str) -> Html:
    try:
        return page.figure(page.picture(data, alt), caption)
    except (OSError, ValueError):
        return page.note(f"{caption}: this picture cannot be read.")


def _tiles(pairs: Sequence[tuple[str, str]]) -> Html:
    tiles = [element("div", element("b", value), element("span", name), class_="tile") for name, value in pairs]
    return element("div", *tiles, class_="tiles")


def _drawn(chart: Chart, caption: page.Content) -> Html:
    wide, narrow = (svg(chart, width=width, height=height) for width, height in (WIDE, NARROW))
    return page.figure(page.join(element("h3", chart.title), page.chart(wide, narrow)), caption)


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
