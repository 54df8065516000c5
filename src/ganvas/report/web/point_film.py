"""A page that plays a game of points: one file with all moments in it, which a script of the page itself draws.

Numbers are whole thousandths of the sheet's side, so that a moment takes about forty kilobytes and a film two
megabytes.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ganvas.report.pictures.level_lines import level_lines, spread_levels
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.web.page import Html, document, element

MOST_MOMENTS = 60  # Longer runs are thinned evenly; the first and the last stay.
MOST_POINTS = 700  # Of each cloud that is shown.
LEVELS = 9
EVERY = 2  # Place of a line of latents is kept.
UNIT = 1000  # Of the sheet's side.
SCRIPT = "point_film.js"


def point_film(title: str, moments: Sequence[PointMoment], real: Float[np.ndarray, "n 2"]) -> str:
    """The page.

    Args:
        title: Its heading.
        moments: In their order, all over one span.
        real: Points of the data.
    """
    chosen = [moments[index] for index in sorted({*np.linspace(0, len(moments) - 1, MOST_MOMENTS).round().astype(int)})]
    span = [float(value) for value in chosen[0].span]
    shown: dict[str, Any] = {
        "unit": UNIT,
        "span": span,
        "real": _whole(real[:MOST_POINTS], span).tolist(),
        "moments": [_moment(one, span) for one in chosen],
    }
    text = json.dumps(shown, separators=(",", ":")).replace("<", "\\u003c")
    return document(
        title,
        element("header", element("h1", title), element("p", _words(chosen))),
        element("div", *(element("canvas", id=side, style="width:100%") for side in ("left", "right")), class_="hero"),
        _controls(),
        element("p", WHAT, class_="note"),
        element("script", Html(text), type="application/json", id="moments"),
        script=Path(__file__).with_name(SCRIPT).read_text(encoding="utf-8"),
    )


WHAT = (
    "Left: the data in grey and generated points in blue, the level lines of the critic from violet (fake to it) to "
    "yellow (real), and red arrows along its gradient, which is where the generator is to move each point. Right: what "
    "a grid of latents becomes, lines along the first latent blue, along the second green."
)


def _words(moments: Sequence[PointMoment]) -> str:
    first, last = (f"{one.nimg / 1000:,.6g}" for one in (moments[0], moments[-1]))
    return f"{len(moments)} moments, from {first} to {last} thousand points shown"


def _controls() -> Html:
    """A button, a slider, and what is to be seen."""
    boxes = [("real", "data"), ("samples", "generated"), ("levels", "level lines"), ("pushes", "gradient")]
    return element(
        "p",
        element("button", "Pause", id="play", type="button"),
        " ",
        element("input", type="range", id="at", min=0, value=0, aria_label="Moment", style="width:min(50%,420px)"),
        " ",
        element("output", id="kimg"),
        element("br"),
        *(
            element(
                "label",
                element("input", type="checkbox", id=name, checked=""),
                f" {words} ",
                style="white-space:nowrap",
            )
            for name, words in boxes
        ),
    )


def _moment(moment: PointMoment, span: Sequence[float]) -> dict[str, Any]:
    """What the script needs of one moment, in whole numbers."""
    return {
        "kimg": moment.nimg / 1000,
        "samples": _whole(moment.samples[:MOST_POINTS], span).tolist(),
        "levels": _levels(moment),
        "pushes": _pushes(moment, span).tolist(),
        "latents": [[_whole(line, span).tolist() for line in lines[:, ::EVERY]] for lines in moment.latent_lines],
    }


def _levels(moment: PointMoment) -> list[list[int]]:
    """Of each level its pieces, x0 y0 x1 y1 in a row, from the lowest level up."""
    if not moment.levels.size:
        return []
    values = moment.levels.astype(np.float64)
    cells = np.array(values.shape) - 1
    found = [level_lines(values, level) for level in spread_levels(values, LEVELS)]
    return [np.rint(pieces[..., ::-1] / cells[::-1] * UNIT).astype(int).ravel().tolist() for pieces in found]


def _pushes(moment: PointMoment, span: Sequence[float]) -> np.ndarray:
    """Places, and gradients in parts of a thousand of the longest but a tenth, (m, 4)."""
    starts, pushes = moment.pushed[:, 0], moment.pushed[:, 1].astype(np.float64)
    lengths = np.sqrt((pushes**2).sum(1))
    typical = max(float(np.quantile(lengths, 0.9)), 1e-30) if len(lengths) else 1.0
    cut = np.minimum(1, 1.5 * typical / np.maximum(lengths, 1e-30))[:, None]
    scaled = np.nan_to_num(pushes * cut / typical * UNIT)
    return np.concatenate([_whole(starts, span), np.rint(scaled).astype(int)], axis=1)


def _whole(points: np.ndarray, span: Sequence[float]) -> np.ndarray:
    """In thousandths of the sheet, from its lower left; what is far outside lies just outside."""
    left, right, bottom, top = span
    parts = (points.astype(np.float64) - [left, bottom]) / [right - left, top - bottom]
    return np.rint(np.clip(np.nan_to_num(parts, nan=9.0), -9, 9) * UNIT).astype(int)
