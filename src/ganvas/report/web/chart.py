"""Line charts as SVG text that needs nothing else: no script, no font, no style sheet.

The colours are those of Okabe & Ito (2008), which the colour-blind tell apart, in a lighter form on a dark ground.
Every curve is named where it ends (or in a legend where there is no room), so that a grey print can be read.
"""

import math
from html import escape

import numpy as np

from ganvas.report.drawing.axis import number, tick_text
from ganvas.report.web.line_curves import curve, end_labels, legend, reference, text_at
from ganvas.report.web.line_plot import LABEL_PX, Band, Chart, Frame, Series, joined, layout, points

__all__ = ["Band", "Chart", "Series", "svg"]

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#b3478a", "#9a6700", "#56799c")
DARK = ("#5cb3ea", "#ff9d5c", "#3fc79d", "#eb9bc8", "#e6bd52", "#a9bfd6")
HOVER_STRIPS = 48


def svg(chart: Chart, *, width: int = 640, height: int = 300) -> str:
    """The chart as an ``<svg>`` element of this many pixels, which scales with its surroundings."""
    frame = layout(chart, width=width, height=height)
    parts = [
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {frame.height}" '
        f'width="{width}" height="{frame.height}" role="img" aria-label="{escape(chart.title)}">',
        _style(),
        _definitions(frame),
        *_bands(chart, frame),
        *_axes(chart, frame),
        f'<g clip-path="url(#clip-{frame.mark})">',
        *(part for index, series in enumerate(chart.series) for part in reference(series, index, frame)),
        *(part for index, series in enumerate(chart.series) for part in curve(series, index, frame)),
        "</g>",
        *(end_labels(chart, frame) if frame.labelled else legend(chart, frame)),
        *_beyond(chart, frame),
        *_hover(chart, frame),
        "</svg>",
    ]
    return "".join(parts)


def _style() -> str:
    light = "".join(f".chart .s{i}{{--c:{c}}}" for i, c in enumerate(LIGHT))
    dark = "".join(f".chart .s{i}{{--c:{c}}}" for i, c in enumerate(DARK))
    return (
        "<style>.chart{color:#1d2329;font:11.5px system-ui,sans-serif;font-variant-numeric:tabular-nums}"
        ".chart text{fill:currentColor}.chart .soft{fill-opacity:.68}"
        ".chart .curve{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}"
        ".chart .faint{stroke-width:1;stroke-opacity:.28}"
        ".chart .strong{--c:currentColor}.chart .strong.curve{stroke-width:2.2}"
        ".chart .dot,.chart text.name{fill:var(--c)}.chart .area{fill:var(--c);fill-opacity:.16}"
        ".chart .level{stroke:var(--c);stroke-width:1.2;stroke-dasharray:2 3;fill:none}"
        ".chart .rule{stroke:currentColor;stroke-opacity:.13}.chart .base{stroke:currentColor;stroke-opacity:.5}"
        ".chart .band{fill:currentColor;fill-opacity:.05}.chart .lead{stroke:var(--c);stroke-opacity:.5;fill:none}"
        f".chart .hover{{fill:transparent}}.chart .hover:hover{{fill:currentColor;fill-opacity:.07}}{light}"
        f"@media screen and (prefers-color-scheme:dark){{.chart{{color:#e3e7eb}}{dark}}}</style>"
    )


def _definitions(frame: Frame) -> str:
    return (
        f'<defs><clipPath id="clip-{frame.mark}"><rect x="{frame.left - 4:.1f}" y="{frame.top:.1f}" '
        f'width="{frame.right - frame.left + 8:.1f}" height="{frame.bottom - frame.top:.1f}"/></clipPath>'
        f'<pattern id="hatch-{frame.mark}" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="2" height="6" fill="currentColor" fill-opacity=".11"/></pattern>'
        "</defs>"
    )


def _bands(chart: Chart, frame: Frame) -> list[str]:
    """Stretches behind the plot; every second name is shaded, what is hatched leads to the name that it bears."""
    parts, names, label_end = [], list(dict.fromkeys(band.label for band in chart.bands)), -math.inf
    for band in chart.bands:
        start, end = (float(np.clip(frame.x(value), frame.left, frame.right)) for value in (band.start, band.end))
        box = f'x="{start:.1f}" y="{frame.top:.1f}" width="{end - start:.1f}" height="{frame.bottom - frame.top:.1f}"'
        if names.index(band.label) % 2:
            parts.append(f'<rect class="band" {box}/>')
        if band.hatched:
            parts.append(f'<rect {box} fill="url(#hatch-{frame.mark})"/>')
    for label in names:
        own = [band for band in chart.bands if band.label == label]
        plain = [band for band in own if not band.hatched and band.end > band.start] or own
        centre = float(np.mean([frame.x(plain[0].start), frame.x(plain[-1].end)]))
        half = len(label) * LABEL_PX / 2
        if centre - half > label_end and centre + half <= frame.width:
            parts.append(text_at(centre, frame.top - 5, label, anchor="middle", kind="soft"))
            label_end = centre + half + 4
    return parts


def _axes(chart: Chart, frame: Frame) -> list[str]:
    parts = [text_at(2, 14, chart.y_title, kind="soft")]
    y_ticks = frame.y.ticks(6)
    for tick in y_ticks:
        y = frame.y(tick)
        parts.append(f'<path class="rule" d="M{frame.left:.1f} {y:.1f}H{frame.right:.1f}"/>')
        parts.append(text_at(frame.left - 6, y + 4, tick_text(tick, y_ticks), anchor="end"))
    x_ticks = frame.x.ticks(max(2, int((frame.right - frame.left) / 60)))
    for tick in x_ticks:
        x = frame.x(tick)
        parts.append(f'<path class="base" d="M{x:.1f} {frame.bottom:.1f}v4"/>')
        parts.append(text_at(x, frame.bottom + 16, tick_text(tick, x_ticks), anchor="middle"))
    parts.append(f'<path class="base" d="M{frame.left:.1f} {frame.bottom:.1f}H{frame.right:.1f}"/>')
    parts.append(text_at(frame.right, frame.bottom + 32, chart.x_title, anchor="end", kind="soft"))
    return parts


def _beyond(chart: Chart, frame: Frame) -> list[str]:
    """Says how many values the frame leaves out: a curve must not hide its peaks silently."""
    y = joined([np.asarray(series.y, float) for series in chart.series])
    outside = [(y > frame.y.high, "above"), (y < frame.y.low, "below")]
    texts = [f"{np.count_nonzero(where)} {side}" for where, side in outside if where.any()]
    if not texts or chart.y_range is None:
        return []
    text = f"{' and '.join(texts)} the frame, as far as {number(float(y[np.nanargmax(np.abs(y))]), digits=2)}"
    return [text_at(2, frame.bottom + 32, text, kind="soft")]


def _hover(chart: Chart, frame: Frame) -> list[str]:
    """Invisible columns that tell the values under the pointer, by the browser's own tooltip."""
    curves = [(series.name, *points(series, frame)) for series in chart.series]
    count = min(HOVER_STRIPS, max((len(x) for _, x, _, _ in curves), default=0))
    width, parts = (frame.right - frame.left) / max(count, 1), []
    for strip in range(count):
        middle = frame.left + (strip + 0.5) * width
        lines, where = [], math.nan
        for name, x, y, error in curves:
            near = int(np.argmin(np.abs(frame.x.array(x) - middle))) if len(x) else 0
            if len(x) and abs(frame.x(x[near]) - middle) <= width and np.isfinite(y[near]):
                where = x[near]
                spread_text = f" ± {number(error[near], digits=2)}" if error is not None and error[near] else ""
                lines.append(f"{name or chart.y_title}: {number(y[near])}{spread_text}")
        if lines:
            text = escape("\n".join([f"{chart.x_title}: {number(where, digits=6)}", *lines]))
            height = frame.bottom - frame.top
            box = f'x="{middle - width / 2:.1f}" y="{frame.top:.1f}" width="{width:.1f}" height="{height:.1f}"'
            parts.append(f'<rect class="hover" {box}><title>{text}</title></rect>')
    return parts
