"""The part of a run's page that tells what its monitor saw: findings in words, and the signs as curves."""

from collections.abc import Mapping, Sequence

import numpy as np

from ganvas.report.drawing.panels import Axes, Band, Curve
from ganvas.report.web.chart import Chart
from ganvas.report.web.run_curves import KIMG, SIZE, STRONG

APART = {
    "reals_over_fakes": "training over drawn",
    "held_out_over_fakes": "held-out over drawn",
    "reals_over_held_out": "training over held-out",
}
SHARES = {"variety": "variety, of the data's", "copies": "copies of training samples"}
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
    return [(chart, text) for chart, text in drawn if chart is not None]


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
