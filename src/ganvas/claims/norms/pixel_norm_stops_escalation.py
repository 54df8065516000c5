"""Pixel norm in the generator stops the magnitudes of the discriminator's features from escalating.

The generator's own are bounded by it whatever it learns; the discriminator has none.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.judging.claim import Experiment
from ganvas.claims.norms._magnitudes import ESTIMAND, KARRAS, SCOPE, STEPS, magnitudes

NORMED = "pixel norm in the generator"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Root mean square in front of the last layer after the game."""
    return magnitudes(seeds, steps, normed=arm == NORMED)


CLAIM = Experiment(
    statement="Against a generator with pixel norm the features of a discriminator stay smaller.",
    sources=(KARRAS,),
    scope=SCOPE,
    arms=(NORMED, "none"),
    estimand=ESTIMAND,
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
