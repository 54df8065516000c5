"""A picture of a signal: second moments of values and gradients along the network, shares, and every layer's histogram.

Filled outlines are histograms in units of each layer's own deviation, with the normal density behind: what sum of many
terms it is shows in its shape, and how large it is in the panel above.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganvas.anatomy.signal.probe import BINS, REACH
from ganvas.anatomy.signal.signal import LayerSignal, LogMean, Signal
from ganvas.report.drawing.drawing import Drawing, Item, Paint, Text, fitted, line, polygon, polyline
from ganvas.report.drawing.palette import OKABE_ITO, RULE, SOFT
from ganvas.report.drawing.panels import Axes, Curve, chart

WIDTH, MARGIN, GAP = 480.0, 10.0, 14.0  # Points.
PANEL, SHARES = 128.0, 92.0
ACROSS, SMALL, MOST = 6, 52.0, 36  # Histograms in a row, the height of one, and how many are shown.


def signal_picture(model: str, found: Signal) -> Drawing:
    """Values left, gradients right; below them dead and saturated shares where there are any; then the histograms."""
    layers = found.layers
    half = (WIDTH - 2 * MARGIN - GAP) / 2
    spread = "bars: deviation over seeds; " if found.seeds > 1 else ""
    items: list[Item] = [
        Text(x=MARGIN, y=14, text=fitted(f"{model}, {found.init}", WIDTH - 2 * MARGIN, 9), size=9, weight="bold"),
        Text(x=MARGIN, y=25, text=f"{found.seeds} draws of {found.batch} inputs; {spread}layers in order", size=7),
    ]
    start = 32.0
    for fault in found.faults:
        text = fitted(f"Not finite: {fault}.", WIDTH - 2 * MARGIN, 7)
        items.append(Text(x=MARGIN, y=start + 4, text=text, size=7, weight="bold", fill=OKABE_ITO[3]))
        start += 11.0
    left, right = (MARGIN, start, half, PANEL), (MARGIN + half + GAP, start, half, PANEL)
    forward = [(layer.second, layer.step, layer.chain) for layer in layers]
    backward = [(layer.gradient, layer.gradient_step, layer.gradient_chain) for layer in layers]
    items += _moments(forward, left, "second moment of the output")
    items += _moments(backward, right, "second moment of the gradient there")
    top = start + PANEL + 8
    shares = _shares(found, (MARGIN, top, WIDTH - 2 * MARGIN, SHARES))
    if shares:
        items += shares
        top += SHARES + 8
    items += _histograms(layers, top)
    rows = math.ceil(min(len(layers), MOST) / ACROSS)
    return Drawing(width=WIDTH, height=top + 14 + rows * SMALL + 4, items=tuple(items))


def _moments(
    series: Sequence[tuple[LogMean, LogMean, LogMean]], place: tuple[float, float, float, float], title: str
) -> tuple[Item, ...]:
    """Measured values with their spread, and both theories, on a logarithmic axis."""
    x = np.arange(1, len(series) + 1)
    measured, step, chain = (np.array([each[i].value for each in series]) for i in range(3))
    if not (np.nan_to_num(measured) > 0).any():
        return (
            Text(x=place[0], y=place[1] + 7, text=title, size=7, weight="bold"),
            Text(x=place[0], y=place[1] + 20, text="0 at every layer: the layers behind it are 0.", size=7, fill=SOFT),
        )
    curves = [
        Curve(name="measured", x=x, y=measured, marks=True, colour=OKABE_ITO[0], dash=()),
        Curve(name="theory, whole chain", x=x, y=chain, colour=OKABE_ITO[3], dash=(4.0, 1.5)),
        Curve(name="theory, one step", x=x, y=step, colour=OKABE_ITO[1], dash=(1.2, 1.2)),
    ]
    curves += _bars(series, x)
    low, high = _range(np.concatenate([measured, step, chain]))
    axes = Axes(title=title, x_title="layer", log_y=True, y_range=(low, high), **_numbered(len(series)))
    return chart(curves, place, axes=axes)


def _numbered(layers: int) -> dict[str, Any]:
    """The axis of layers: whole numbers, at most ten of them."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if layers / step <= 10)
    ticks = [(float(at), str(at)) for at in range(step, layers + 1, step)]
    return {"x_range": (0.5, layers + 0.5), "x_ticks": ticks}


def _bars(series: Sequence[tuple[LogMean, LogMean, LogMean]], x: np.ndarray) -> list[Curve]:
    """From exp(mean - spread) to exp(mean + spread): upright lines, which a logarithmic axis makes even."""
    found = []
    for at, (measured, _, _) in zip(x, series, strict=True):
        if measured.value > 0 and math.isfinite(measured.spread):
            ends = [measured.value * math.exp(sign * measured.spread) for sign in (-1, 1)]
            found.append(Curve(x=np.full(2, at), y=ends, colour=OKABE_ITO[0], dash=(), stroke_width=0.6))
    return found


def _range(values: np.ndarray) -> tuple[float, float]:
    """At least two decades around what is shown, so that a flat line looks flat."""
    kept = values[np.isfinite(values) & (values > 0)]
    low, high = float(kept.min()) / 2, float(kept.max()) * 2
    if high / low < 100:
        middle = math.sqrt(low * high)
        low, high = middle / 10, middle * 10
    return low, high


def _shares(found: Signal, place: tuple[float, float, float, float]) -> tuple[Item, ...]:
    """Dead and saturated shares by layer; nothing where no activation can be either."""
    by_index = {operation.index: operation for operation in found.operations}
    after = [None if layer.activation is None else by_index[layer.activation] for layer in found.layers]
    x = np.arange(1, len(after) + 1)
    curves = []
    for name, attribute, colour in (
        ("units 0 for a whole batch", "dead", OKABE_ITO[5]),
        ("channels 0 everywhere", "dead_channels", OKABE_ITO[7]),
        ("values saturated", "saturated", OKABE_ITO[2]),
    ):
        values = [None if each is None else getattr(each, attribute) for each in after]
        if any(value is not None for value in values):
            y = [100 * value if value is not None else math.nan for value in values]
            curves.append(Curve(name=name, x=x, y=y, marks=True, colour=colour))
    if not curves:
        return ()
    axes = Axes(
        title="shares of the activation behind each layer, %",
        x_title="layer",
        y_range=(0.0, 100.0),
        **_numbered(len(after)),
    )
    return chart(curves, place, axes=axes)


def _histograms(layers: Sequence[LayerSignal], top: float) -> list[Item]:
    title = "values of each layer, from -4 to 4 of its own deviations; dashed: normal"
    shown = [(i, layer) for i, layer in enumerate(layers, 1) if layer.histogram is not None]
    if len(shown) > MOST:
        chosen = np.linspace(0, len(shown) - 1, MOST).round().astype(int)
        shown, title = [shown[i] for i in chosen], title + f" ({MOST} of {len(layers)} layers)"
    items: list[Item] = [Text(x=MARGIN, y=top + 7, text=title, size=7, weight="bold")]
    across = (WIDTH - 2 * MARGIN) / ACROSS
    for place, (number, layer) in enumerate(shown):
        x, y = MARGIN + across * (place % ACROSS), top + 14 + SMALL * (place // ACROSS)
        items += _histogram(layer, number, (x, y, across - 6, SMALL - 6))
    return items


def _histogram(layer: LayerSignal, number: int, place: tuple[float, float, float, float]) -> list[Item]:
    x, y, width, height = place
    assert layer.histogram is not None
    floor, room = y + height, height - 17
    normal = 2 * REACH / BINS / math.sqrt(2 * math.pi)  # The share in the middle bin of a normal distribution.
    scale = room / max(float(layer.histogram.max()), normal)
    edges = np.linspace(x, x + width, BINS + 1)
    steps = [(x, floor)]
    for share, start, end in zip(layer.histogram, edges, edges[1:], strict=False):
        steps += [(float(start), floor - float(share) * scale), (float(end), floor - float(share) * scale)]
    steps.append((x + width, floor))
    at = np.linspace(-REACH, REACH, 65)
    heights = floor - normal * np.exp(-(at**2) / 2) * scale
    points = list(zip((x + (at + REACH) / (2 * REACH) * width).tolist(), heights.tolist(), strict=True))
    name = f"{number}: {layer.layer}"
    return [
        polygon(steps, Paint(fill=OKABE_ITO[4], opacity=0.8), name=name),
        polyline(points, Paint(stroke=SOFT, stroke_width=0.5, dash=(1.5, 1.0))),
        line((x, floor), (x + width, floor), Paint(stroke=RULE, stroke_width=0.5)),
        Text(x=x, y=y + 6, text=fitted(name, width, 6), size=6),
        Text(x=x, y=y + 13, text=f"deviation {layer.deviation:.2g}", size=6, fill=SOFT),
    ]
