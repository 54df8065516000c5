"""Without normalisation the magnitudes of features escalate while an adversarial game is played."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.judging.claim import Experiment
from ganvas.claims.norms._magnitudes import ESTIMAND, KARRAS, SCOPE, STEPS, magnitudes

AFTER = "after the game"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Root mean square in front of the last layer."""
    return magnitudes(seeds, steps if arm == AFTER else 0, normed=False)


CLAIM = Experiment(
    statement="The features of a discriminator without normalisation grow while the game is played.",
    sources=(KARRAS,),
    scope=SCOPE,
    arms=(AFTER, "before it"),
    estimand=ESTIMAND,
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=1.5,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
