"""The part of a run's page that tells what its monitor saw: findings in words, and the signs as curves."""

from collections.abc import Mapping, Sequence

import numpy as np

from ganvas.report.drawing.panels import Axes, Band, Curve
from ganvas.report.web.chart import Chart
from ganvas.report.web.run_curves import KIMG, SIZE, STRONG, WIDTH, spans_decades

APART = {
    "reals_over_fakes": "training over drawn",
    "held_out_over_fakes": "held-out over drawn",
    "reals_over_held_out": "training over held-out",
}
SHARES = {"variety": "variety, of the data's", "copies": "copies of training samples"}
SCALE, SCALE_ERROR, BEYOND = "noise_scale/", "noise_scale_error/", "noise_scale_beyond/"
STRENGTH = {"augment_p": "probability p", "augment_overfitting": "r of reals"}


def health_charts(
    signs: Mapping[str, np.ndarray], log: Mapping[str, np.ndarray], stages: Sequence[Band]
) -> list[tuple[Chart, str]]:
    """A chart, with its caption, of each group of signs that was taken at two moments or more.

    Args:
        signs: Columns of the check-ups over "kimg".
        log: Columns of the log, which has the strength of augmentation.
    """
    groups = [
        (
            "What the discriminator tells apart",
            "share of pairs",
            APART,
            signs,
            "In what share of pairs the first looks more real than the second; 0.5 is a guess. Where training samples "
            "leave held-out ones behind, the discriminator knows them by heart.",
        ),
        (
            "What the generator draws",
            "share",
            SHARES,
            signs,
            "The distance between drawn samples beside that between training ones, and how many lie on one of those.",
        ),
        (
            "Augmentation",
            "probability",
            STRENGTH,
            log,
            "The probability of each step of the augmentation, and the mean sign of the verdicts on reals it follows.",
        ),
    ]
    drawn = [(_chart(title, y_title, names, table, stages), text) for title, y_title, names, table, text in groups]
    drawn.append((_noise_chart(signs, stages), _noise_caption(signs)))
    return [(chart, text) for chart, text in drawn if chart is not None]


def _noise_chart(signs: Mapping[str, np.ndarray], stages: Sequence[Band]) -> Chart | None:
    """The noise scale of every phase and of its terms, where it was measured at two moments or more."""
    kimg = signs.get("kimg", np.zeros(0))
    names = [name.removeprefix(SCALE) for name in signs if name.startswith(SCALE)]
    if len(kimg) < 2 or not names:
        return None
    curves = [
        Curve(
            name=name.replace("/", " ").replace("_", " "),
            x=kimg,
            y=signs[SCALE + name],
            error=signs.get(SCALE_ERROR + name),
            marks=True,
            stroke_width=WIDTH if "/" in name else STRONG,
        )
        for name in names
    ]
    log_y = spans_decades(curves)
    axes = Axes(x_title=KIMG, y_title="samples", log_y=log_y, size=SIZE, bands=stages, names_at_ends=True)
    return Chart(title="Gradient noise scale", curves=curves, axes=axes)


def _noise_caption(signs: Mapping[str, np.ndarray]) -> str:
    """What the chart shows, how many times no scale was found, and what the samples are counted in."""
    beyond = {name.removeprefix(BEYOND): int(np.isfinite(signs[name]).sum()) for name in signs if BEYOND in name}
    hidden = [f"of {name.replace('/', ' ').replace('_', ' ')} at {count}" for name, count in beyond.items()]
    unit = signs.get("noise_unit", np.zeros(0))[-1:]
    whole = f" Its samples come in groups of {unit[0]:g}, whose gradient is one." if unit.size and unit[0] > 1 else ""
    missing = f" The noise hid the gradient {', '.join(hidden)} of {len(signs['kimg'])} check-ups." if hidden else ""
    return (
        "tr(S) / |G|², the critical batch: in smaller ones noise decides where a step goes, larger ones bring little. "
        f"Of each phase and of its terms; bars are one standard error.{whole}{missing}"
    )


def _chart(
    title: str, y_title: str, names: Mapping[str, str], table: Mapping[str, np.ndarray], stages: Sequence[Band]
) -> Chart | None:
    kimg = table.get("kimg", np.zeros(0))
    known = {names[name]: table[name] for name in names if name in table}
    if len(kimg) < 2 or not known:
        return None
    curves = [Curve(name=name, x=kimg, y=values, stroke_width=STRONG) for name, values in known.items()]
    axes = Axes(x_title=KIMG, y_title=y_title, size=SIZE, bands=stages, names_at_ends=True)
    return Chart(title=title, curves=curves, axes=axes)
