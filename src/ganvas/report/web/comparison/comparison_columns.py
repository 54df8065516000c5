"""The columns of a comparison, each with one cell a model: page, text, CSV and JSON are written from them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganvas.core.number_text import number, with_error
from ganvas.core.progress import duration
from ganvas.core.results import Result
from ganvas.report.web.comparison.compared import Compared, Gap, SamplingCost
from ganvas.report.web.comparison.like_with_like import LIKELIHOOD, Like, Sorted, likelihood_kind
from ganvas.report.web.run_numbers import metric_name

QUALITY, LIKELIHOODS, MEMORY = "Quality and diversity", "Likelihood", "Memorisation"
DRAWING, TRAINING, SIZE = "Drawing a picture", "Training", "Model"
SECTIONS = (QUALITY, LIKELIHOODS, MEMORY, DRAWING, TRAINING, SIZE)
DIVERSE = {  # Metrics of how much of the variety there is. They stand behind those of how good pictures are.
    "ms_ssim",
    "vendi",
    "stacked_modes",
    "stacked_modes.reverse_kl",
    "precision_recall.recall",
    "density_coverage.coverage",
    "polygons.recall",
    "prd.f8",
}
OF_MEMORY = {"auth_pct"}
OF_LIKELIHOOD = {LIKELIHOOD, "ais", "ais.bits_per_dim"}
MIXED = {"precision_recall", "density_coverage", "prd", "polygons"}  # Of two values that say more apart than as one.


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one model has in a column."""

    text: str
    value: float | None = None  # None where the cell is no number.
    error: float | None = None
    small: str = ""  # Of lesser weight.


@dataclass(frozen=True, kw_only=True)
class ComparisonColumn:
    """One thing that is told of every model."""

    key: str  # As CSV and JSON call it.
    title: str
    section: str
    cells: Sequence[Cell | None]  # In the order of the models; None where it is not known.
    floor: Result | None = None  # What real pictures score.
    about: str = ""  # Which way is better, and how it was measured.
    protocol: str = ""


def columns(models: Sequence[Compared], found: Sorted) -> list[ComparisonColumn]:
    """All columns that at least one model has a cell in, section by section."""
    every = [_of_metric(models, like) for like in found.like if like.metric not in MIXED]
    every += _kinds(models, found) + _gaps(models) + _costs(models)
    known = [column for column in every if any(column.cells)]
    return sorted(known, key=lambda column: (SECTIONS.index(column.section), column.key in DIVERSE))


def _of_metric(models: Sequence[Compared], like: Like) -> ComparisonColumn:
    result = next(iter(like.values.values())).result
    better = {"lower": "lower is better", "higher": "higher is better", "neither": "as reals is best"}[result.better]
    better += ", of diversity" if like.metric in DIVERSE else ""
    return ComparisonColumn(
        key=like.metric,
        title=_title(like),
        section=_section(like.metric),
        cells=[_measured(model, like) for model in models],
        floor=like.floor,
        about=better,
        protocol=like.protocol,
    )


def _title(like: Like) -> str:
    """The metric's name; of a pair such as precision and recall that of the part alone, with the network."""
    base, _, part = like.metric.partition(".")
    if base not in MIXED or not part.isalpha():
        return metric_name(like.metric, "" if like.metric in OF_LIKELIHOOD else like.protocol)
    network = metric_name(base, like.protocol).removeprefix(metric_name(base))
    return f"{part.capitalize()}{network}"


def _section(metric: str) -> str:
    if metric in OF_LIKELIHOOD or metric.partition(".")[0] == "ais":
        return LIKELIHOODS
    return MEMORY if metric in OF_MEMORY else QUALITY


def _measured(model: Compared, like: Like) -> Cell | None:
    value = like.values.get(model.name)
    if value is None or not math.isfinite(value.result.value):
        return None
    earlier = model.kimg is not None and value.kimg < model.kimg
    return Cell(
        text=with_error(value.result.value, value.result.standard_error),
        value=value.result.value,
        error=value.result.standard_error,
        small=f"at {number(value.kimg)} kimg" if earlier else "",
    )


def _kinds(models: Sequence[Compared], found: Sorted) -> list[ComparisonColumn]:
    """What kind of number each likelihood is."""
    like = next((one for one in found.like if one.metric == LIKELIHOOD), None)
    if like is None:
        return []
    cells = [
        Cell(text=likelihood_kind(like.values[model.name].result.protocol)) if model.name in like.values else None
        for model in models
    ]
    return [ComparisonColumn(key="likelihood_kind", title="Kind of likelihood", section=LIKELIHOODS, cells=cells)]


def _gaps(models: Sequence[Compared]) -> list[ComparisonColumn]:
    metrics = dict.fromkeys(gap.metric for model in models for gap in model.gaps)
    return [
        ComparisonColumn(
            key=f"{metric}.train_minus_held_out",
            title=f"{metric_name(metric)}, training ahead of held out",
            section=MEMORY,
            cells=[_gap(next((gap for gap in model.gaps if gap.metric == metric), None)) for model in models],
            about="by how much the model does better on pictures that it learnt from; 0 where nothing is memorised",
        )
        for metric in metrics
    ] + [
        _verdicts(models),
    ]


def _gap(gap: Gap | None) -> Cell | None:
    if gap is None or not math.isfinite(gap.value):
        return None
    small = f"training {number(gap.train)}, held out {number(gap.held_out)}, n = {gap.n:,}"
    return Cell(text=with_error(gap.value, gap.error), value=gap.value, error=gap.error, small=small)


def _verdicts(models: Sequence[Compared]) -> ComparisonColumn:
    """In what share of pairs a discriminator finds a training picture more real than a held-out one."""

    def share(model: Compared) -> Cell | None:
        signs = model.run.health.get("reals_over_held_out")
        known = [] if signs is None else [float(one) for one in signs if math.isfinite(one)]
        return Cell(text=f"{known[-1]:.3f}", value=known[-1]) if known else None

    return ComparisonColumn(
        key="discriminator.train_over_held_out",
        title="Discriminator, training ahead of held out",
        section=MEMORY,
        cells=[share(model) for model in models],
        about="share of pairs in which the training picture looks more real to it; 0.5 where it cannot tell",
    )


def _costs(models: Sequence[Compared]) -> list[ComparisonColumn]:
    """What drawing, training and the model itself take."""

    def column(
        key: str, title: str, section: str, cell: Callable[[Compared], Cell | None], about: str = ""
    ) -> ComparisonColumn:
        return ComparisonColumn(
            key=key, title=title, section=section, cells=[cell(model) for model in models], about=about
        )

    def cost(name: str, text: Callable[[float], str]) -> Callable[[Compared], Cell | None]:
        return lambda model: _plain(model.run.cost.get(name), text)

    def drawing(
        read: Callable[[SamplingCost], float], text: Callable[[float], str]
    ) -> Callable[[Compared], Cell | None]:
        return lambda model: None if model.drawing is None else _plain(read(model.drawing), text)

    return [
        column(
            "draw_macs", "MAC", DRAWING, drawing(lambda one: one.macs, _count), "multiply-accumulates of one picture"
        ),
        column("draw_evaluations", "Network evaluations", DRAWING, drawing(lambda one: one.evaluations, _count)),
        column(
            "draw_ms",
            "Milliseconds",
            DRAWING,
            drawing(lambda one: one.milliseconds, number),
            "a picture, on this machine",
        ),
        column("train_nimg", "Images shown", TRAINING, cost("nimg", _count)),
        column("train_seconds", "Time", TRAINING, cost("seconds", duration), "on the machine of each run"),
        column("train_gpu_seconds", "GPU time", TRAINING, _gpu_time),
        column("train_flop", "FLOP", TRAINING, cost("flop", _count), "both passes, by count"),
        column("parameters", "Parameters", SIZE, lambda model: _plain(model.parameters, _count), "of all networks"),
        column("draw_parameters", "Of them for drawing", SIZE, drawing(lambda one: one.parameters, _count)),
        column("pixels", "Pixels", SIZE, _pixels),
        column("settings_tried", "Settings tried", SIZE, lambda model: _plain(model.settings_tried, _count)),
    ]


def _gpu_time(model: Compared) -> Cell | None:
    seconds = model.run.cost.get("gpu_seconds")
    return _plain(seconds, duration) if seconds else None


def _plain(value: float | None, text: Callable[[float], str]) -> Cell | None:
    return None if value is None or not math.isfinite(value) else Cell(text=text(value), value=value)


def _count(value: float) -> str:
    """
    >>> _count(256.0), _count(1234567), _count(3.4e13)
    ('256', '1.23 M', '3.4·10¹³')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size <= value < 1e12:
            return f"{value / (1e3 if unit == 'k' else size):.3g} {unit}"
    return f"{value:,.0f}" if value < 1e12 else number(value, digits=3)


def _pixels(model: Compared) -> Cell | None:
    height, width = model.run.data.get("height"), model.run.data.get("width")
    if not isinstance(height, int) or not isinstance(width, int):
        return None
    colours = {1: "grey", 3: "RGB", 4: "RGBA"}.get(model.run.data.get("channels") or 0, "")
    return Cell(text=f"{width}×{height}", value=height * width, small=colours)
