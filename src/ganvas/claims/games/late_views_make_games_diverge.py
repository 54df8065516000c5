"""A discriminator that trains against a generator of the past makes the game diverge.

A damped game bears steps up to its damping by the delay of its loop (`games/delay_shortens_the_step`); at a rate that
serves it without a delay, a delay of some dozens of steps is too long.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring import RADIUS
from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source

STEPS, PENALTY, DELAY = 1500, 0.1, 32
APART = RADIUS / 2  # Of a generator that draws one point in the middle: the sliced distance is 1.3.
LATE, IN_STEP = f"{DELAY} steps late", "in step"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """1 where what the generator draws at the end is no nearer to the law than half its radius."""
    game = RingGame(penalty=PENALTY, delay=DELAY if arm == LATE else 0)
    return [float(not distance <= APART) for distance in played(game, seeds, steps).distance()]


CLAIM = Experiment(
    statement="A discriminator that sees its generator 32 steps late makes games diverge that converge in step.",
    sources=(
        Source(who="the damped linear game with a delay, games/delay_shortens_the_step", stance="agrees"),
        Source(who="a common remark that past states of the other player calm a game", stance="denies"),
    ),
    scope=f"{SCOPE}, R1 of {PENALTY:g}, batch 64, {STEPS:,} steps; diverged: a sliced distance above {APART:g}",
    arms=(LATE, IN_STEP),
    estimand="share of runs that diverged",
    says="more",
    unit="of all runs",
    share=True,
    smallest_effect=0.25,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=3),
)
