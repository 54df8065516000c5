"""The game of Wasserstein GANs with its clipped critic, against the non-saturating game.

Two claims are made of it, with a penalty in the other game and without one.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source, Stance

STEPS, MOVES, CLIP = 600, 3, 0.1
CLIPPED = "clipped critic"


def clipped_is_nearer(rival: str, *, penalty: float, lucic: Stance) -> Experiment:
    """The claim that a clipped critic brings a generator nearer to the data than a rival does."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        game = RingGame(moves=MOVES, clip=CLIP) if arm == CLIPPED else RingGame(moves=MOVES, penalty=penalty)
        return played(game, seeds, steps).distance()

    return Experiment(
        statement=f"Against a clipped critic a generator comes nearer to the data than in the {rival}.",
        sources=(
            Source(
                who="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, sections 4.2 and 4.3",
                stance="agrees",
                link="https://arxiv.org/abs/1701.07875",
            ),
            Source(
                who="Lucic et al. 2018, Are GANs Created Equal? (none was better throughout)",
                stance=lucic,
                link="https://arxiv.org/abs/1711.10337",
            ),
        ),
        scope=f"{SCOPE}, weights clipped at {CLIP:g}, {MOVES} moves of the discriminator for each of the generator, "
        f"batch 64, {STEPS:,} steps",
        arms=(CLIPPED, rival),
        estimand="sliced distance",
        says="less",
        unit="times",
        ratio=True,
        smallest_effect=1.1,
        seeds=8,
        run=run,
        rehearsal=partial(run, steps=3),
    )
