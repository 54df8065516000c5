"""Steps to a value against the size of the batch, and samples against steps, with the law through them."""

import numpy as np

from ganvas.core.number_text import number
from ganvas.metrics.maths.critical_batch import CriticalBatch, Took
from ganvas.report.drawing.letters import fitted, wrapped
from ganvas.report.drawing.palette import OKABE_ITO
from ganvas.report.drawing.panels import Axes, Band, Curve, chart
from ganvas.report.drawing.primitives import Drawing, Text
from ganvas.tasks.searching.batch_result import CriticalBatchResult

WIDTH, HEIGHT, MARGIN, HEAD, PANEL = 560.0, 260.0, 8.0, 40.0, 268.0
POINTS = 200  # Of a curve of the law.
AROUND = 2.0  # The law is drawn so far beyond the sizes.


def figure(result: CriticalBatchResult, took: Took) -> Drawing:
    """The branches at every size's best rate, and the law where there is one."""
    height = HEIGHT - HEAD - MARGIN
    steps = chart(_steps(result, took), (MARGIN, HEAD, PANEL, height), axes=_steps_axes(result))
    traded = chart(_traded(result, took), (WIDTH - MARGIN - PANEL, HEAD, PANEL, height), axes=_traded_axes())
    title = f"{result.model} on {result.data}, until {result.metric} is {number(result.target)}"
    head = Text(x=MARGIN, y=12, text=fitted(title, WIDTH - 2 * MARGIN, 8, weight="bold"), size=8, weight="bold")
    lines = wrapped(told(result), WIDTH - 2 * MARGIN, 7)[:2]
    said = [Text(x=MARGIN, y=23 + 9 * row, text=text, size=7) for row, text in enumerate(lines)]
    return Drawing(width=WIDTH, height=HEIGHT, items=(head, *said, *steps, *traded), title=title)


def told(result: CriticalBatchResult) -> str:
    """The law in a sentence, with what the gradient noise scale says beside it."""
    if result.critical_batch is None or result.least_steps is None or result.least_kimg is None:
        return result.note
    scales = ", ".join(f"{name} {number(value)}" for name, value in sorted(_whole_phases(result).items()))
    beside = f" Gradient noise scale: {scales}." if scales else ""
    if not result.among:
        came = [row.batch_size for row in result.rows if row.steps is not None]
        above = result.critical_batch > max(came)
        side = f"above {max(came)}, the largest" if above else f"below {min(came)}, the smallest"
        return f"Critical batch {side} size that came there: try {'larger' if above else 'smaller'} ones.{beside}"
    between = f" [{number(result.interval[0])}, {number(result.interval[1])}]" if result.interval else ""
    return (
        f"Critical batch {number(result.critical_batch)}{between}; at least {number(result.least_steps)} steps and "
        f"{number(result.least_kimg)} thousand samples.{beside}"
    )


def _steps(result: CriticalBatchResult, took: Took) -> list[Curve]:
    x, y = _points(result, took)
    curves = [Curve(name="branches", x=x, y=y / x, joined=False, marks=True, colour=OKABE_ITO[0])]
    sizes = _sizes(result)
    if sizes is not None:
        curves.append(Curve(name="steps by the law", x=sizes, y=_by_law(result, sizes), colour=OKABE_ITO[3], dash=()))
    if sizes is not None and result.among:
        fewest = np.full(POINTS, result.least_steps)
        curves.append(Curve(name="fewest steps", x=sizes, y=fewest, colour="#555555", dash=(4.0, 1.5)))
    low, high = (y / x).min() / AROUND, (y / x).max() * AROUND
    for place, (name, scale) in enumerate(sorted(_in_sight(result).items())):
        upright = Curve(name=f"noise scale {name}", x=[scale, scale], y=[low, high], colour=OKABE_ITO[(1, 2, 4)[place]])
        curves.append(upright)
    return curves


def _whole_phases(result: CriticalBatchResult) -> dict[str, float]:
    """Noise scales of phases, without those of single terms."""
    return {name: scale for name, scale in result.noise_scale.items() if "/" not in name}


def _in_sight(result: CriticalBatchResult) -> dict[str, float]:
    """Those that the axis of the sizes reaches; three at most."""
    sizes = [row.batch_size for row in result.rows]
    low, high = min(sizes) / AROUND, max(sizes) * AROUND
    return dict([(name, scale) for name, scale in _whole_phases(result).items() if low <= scale <= high][:3])


def _traded(result: CriticalBatchResult, took: Took) -> list[Curve]:
    x, y = _points(result, took)
    curves = [Curve(name="branches", x=y / x, y=y / 1000, joined=False, marks=True, colour=OKABE_ITO[0])]
    sizes = _sizes(result)
    if sizes is not None:
        by_law = _by_law(result, sizes)
        curves.append(
            Curve(name="(S/Smin - 1)(E/Emin - 1) = 1", x=by_law, y=by_law * sizes / 1000, colour=OKABE_ITO[3], dash=())
        )
    return curves


def _points(result: CriticalBatchResult, took: Took) -> tuple[np.ndarray, np.ndarray]:
    """Sizes, and samples until the value, of all branches at the best rate of each size."""
    pairs = [
        (row.batch_size, samples)
        for row in result.rows
        if row.factor is not None
        for samples in took[row.batch_size][row.factor]
        if np.isfinite(samples)
    ]
    x, y = np.array(pairs, float).T
    return x, y


def _sizes(result: CriticalBatchResult) -> np.ndarray | None:
    if result.critical_batch is None:
        return None
    sizes = [row.batch_size for row in result.rows]
    return np.geomspace(min(sizes) / AROUND, max(sizes) * AROUND, POINTS)


def _by_law(result: CriticalBatchResult, sizes: np.ndarray) -> np.ndarray:
    assert result.least_steps is not None
    assert result.critical_batch is not None
    return CriticalBatch(batch=result.critical_batch, least_steps=result.least_steps).steps(sizes)


def _steps_axes(result: CriticalBatchResult) -> Axes:
    sizes = [row.batch_size for row in result.rows]
    low, high = min(sizes) / AROUND, max(sizes) * AROUND
    bands = ()
    if result.interval is not None and result.interval[0] < high and result.interval[1] > low:
        ends = max(low, result.interval[0]), min(high, result.interval[1])
        bands = (Band(start=ends[0], end=ends[1], label="critical batch", hatched=True),)
    return Axes(
        x_title="batch size", y_title="steps to the value", log_x=True, log_y=True, x_range=(low, high), bands=bands
    )


def _traded_axes() -> Axes:
    return Axes(x_title="steps S", y_title="thousands of samples E", log_x=True, log_y=True)
