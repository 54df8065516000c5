"""The curves of a comparison: every shared metric over images, seconds and FLOP; precision and recall over dials."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ganvas.core.number_text import number
from ganvas.report.drawing.palette import INK, OKABE_ITO
from ganvas.report.drawing.panels import Axes, Curve
from ganvas.report.web.chart import Chart
from ganvas.report.web.comparison.compared import Compared, Comparison
from ganvas.report.web.comparison.like_with_like import Like, over_training
from ganvas.report.web.run_curves import SIZE, spans_decades
from ganvas.report.web.run_numbers import metric_name

UNITS = ("", "thousands", "millions", "10⁹", "10¹²", "10¹⁵", "10¹⁸", "10²¹")
APART = 8.0  # Times; ends of curves further apart are drawn over a logarithmic axis.


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What curves are drawn over."""

    key: str
    title: str


AXES = (
    Axis(key="kimg", title="samples shown (kimg)"),
    Axis(key="seconds", title="seconds of training"),
    Axis(key="flop", title="FLOP of training"),
)


def colour(index: int) -> str:
    """Of the model with this place, in every chart."""
    return OKABE_ITO[index % len(OKABE_ITO)]


def metric_rows(models: Sequence[Compared], every: Sequence[Like]) -> list[tuple[str, list[Chart]]]:
    """A row of charts, with its caption, for every metric that a run was measured by at two moments in one way."""
    found = []
    for one in _followed(models, every):
        charts = [chart for axis in AXES if (chart := _over(axis, one, models))]
        if charts:
            floor = "; the dotted line is the floor, reals against reals" if one.floor else ""
            found.append((f"Bars are one standard error{floor}. {one.protocol}", charts))
    return found


def _followed(models: Sequence[Compared], every: Sequence[Like]) -> list[Like]:
    """Of each metric the way of measuring by which most runs were followed over their training."""

    def runs_followed(like: Like) -> int:
        return sum(len(over_training(model, like.metric, like.protocol)) > 1 for model in models)

    best: dict[str, Like] = {}
    for one in every:
        if runs_followed(one) > (runs_followed(best[one.metric]) if one.metric in best else 0):
            best[one.metric] = one
    return list(best.values())


def _over(axis: Axis, like: Like, models: Sequence[Compared]) -> Chart | None:
    curves = []
    for index, model in enumerate(models):
        points = over_training(model, like.metric, like.protocol)
        kimg = np.array([moment for moment, _ in points], float)
        x = position(model, axis.key, kimg)
        if np.isfinite(x).sum() < 1 or model.name not in like.values:
            continue
        errors = [result.standard_error if result.standard_error is not None else math.nan for _, result in points]
        values = [result.value for _, result in points]
        curves.append(Curve(name=model.name, x=x, y=values, error=errors, marks=True, colour=colour(index), dash=()))
    if not any(np.isfinite(np.asarray(curve.x)).sum() > 1 for curve in curves):
        return None
    if like.floor is not None:
        curves.append(_level(like.floor.value, like.floor.standard_error))
    result = next(iter(like.values.values())).result
    name = metric_name(like.metric, like.protocol)
    title = name if result.better == "neither" else f"{name} ({result.better} is better)"
    log_x = _far_apart(curves)
    curves = [_positive(curve) for curve in curves] if log_x else curves
    curves, unit = _in_unit(curves) if axis.key == "flop" else (curves, "")
    axes = Axes(x_title=axis.title + unit, y_title=title, size=SIZE, log_x=log_x, log_y=spans_decades(curves))
    return Chart(title=f"{name} over {axis.title}", curves=curves, axes=axes)


def position(model: Compared, axis: str, kimg: np.ndarray) -> np.ndarray:
    """Where moments of a run lie on an axis; nan where it does not say.

    Seconds and FLOP are read off its reports of cost, in between along straight lines. A run that was not counted at
    its reports, but at its end, is taken to have gone evenly where its network stayed as it was.
    """
    if axis == "kimg":
        return kimg
    pace = model.run.pace
    at, read = pace.get("kimg", np.zeros(0)), pace.get(axis, np.zeros(0))
    known = np.isfinite(read) & np.isfinite(at) if read.size == at.size else np.zeros(at.size, bool)
    if known.any():
        return np.interp(kimg, [0.0, *at[known]], [0.0, *read[known]], right=math.nan)
    total, shown = model.run.cost.get(axis), model.run.cost.get("nimg")
    if total is None or not shown or model.run.stages:
        return np.full(len(kimg), math.nan)
    return np.where(kimg * 1000 <= shown, kimg * 1000 / shown * total, math.nan)


def _level(value: float, error: float | None) -> Curve:
    return Curve(x=[], y=[], colour=INK, level=(value, error))


def _far_apart(curves: Sequence[Curve]) -> bool:
    """Whether some runs end so much sooner than others that a straight axis would hide them."""
    ends = [float(np.nanmax(x)) for curve in curves if np.isfinite(x := np.asarray(curve.x, float)).any()]
    return bool(ends) and min(ends) > 0 and max(ends) > APART * min(ends)


def _in_unit(curves: Sequence[Curve]) -> tuple[list[Curve], str]:
    """Positions in a power of a thousand in which they are short numbers, and what to say of it."""
    most = max(float(np.nanmax(x)) for curve in curves if np.isfinite(x := np.asarray(curve.x, float)).any())
    power = 3 * min(max(int(math.log10(most)) // 3, 0), len(UNITS) - 1) if most > 0 else 0
    scaled = [replace(curve, x=np.asarray(curve.x, float) / 10.0**power) for curve in curves]
    return scaled, f" ({UNITS[power // 3]})" if power else ""


def _positive(curve: Curve) -> Curve:
    """Without the start, which a logarithmic axis has no place for."""
    x = np.asarray(curve.x, float)
    return replace(curve, x=np.where(x > 0, x, math.nan))


def trade_offs(comparison: Comparison) -> Chart | None:
    """Precision over recall, a curve for each dial of each model, and what real pictures score."""
    curves = []
    for index, model in enumerate(comparison.models):
        for turn, turned in enumerate(model.turned):
            curves.append(
                Curve(
                    name=f"{model.name}, {turned.dial}",
                    x=turned.recall,
                    y=turned.precision,
                    marks=True,
                    colour=colour(index),
                    dash=() if turn == 0 else (4.0, 1.5),
                )
            )
    if not curves:
        return None
    if comparison.real_precision is not None and comparison.real_recall is not None:
        x, y = [comparison.real_recall], [comparison.real_precision]
        curves.append(Curve(name="reals", x=x, y=y, joined=False, marks=True, colour=INK, stroke_width=3.0))
    axes = Axes(x_title="recall", y_title="precision", x_range=(0.0, 1.0), y_range=(0.0, 1.0), size=SIZE)
    return Chart(title="Precision over recall", curves=curves, axes=axes)


def turned_rows(comparison: Comparison) -> list[list[str]]:
    """Every point of the trade-offs in words: model, dial, precision, recall, milliseconds."""
    return [
        [
            model.name,
            f"{turned.dial} {number(value)}",
            f"{precision:.3f}",
            f"{recall:.3f}",
            number(1000 * turned.seconds[at], digits=3) if turned.seconds else "–",
        ]
        for model in comparison.models
        for turned in model.turned
        for at, (value, precision, recall) in enumerate(
            zip(turned.values, turned.precision, turned.recall, strict=True)
        )
    ]
