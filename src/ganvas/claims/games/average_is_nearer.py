"""The average of a generator's past weights is nearer to the data than the generator is."""

from collections.abc import Sequence
from functools import lru_cache, partial

from ganvas.claims.batched.ring_game import SCOPE, Played, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source

STEPS = 3000


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance from the law at the end of one game."""
    return _played(tuple(seeds), steps).distance(averaged=arm == "average")


@lru_cache(maxsize=1)
def _played(seeds: tuple[int, ...], steps: int) -> Played:
    """Both arms are one game."""
    return played(RingGame(penalty=0.1), seeds, steps)


CLAIM = Experiment(
    statement="The average of a generator's weights samples nearer to the data than the generator.",
    sources=(
        Source(
            who="Yazici et al. 2019, The Unusual Effectiveness of Averaging in GAN Training",
            stance="agrees",
            link="https://arxiv.org/abs/1806.04498",
        ),
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=f"{SCOPE}, R1 of 0.1, batch 64, {STEPS:,} steps",
    arms=("average", "generator"),
    estimand="sliced distance",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
