"""Games of larger and smaller batches: what differs with the batch alone.

Two claims are made of it, after as many steps and after as many samples.
"""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.ring_game import SCOPE, RingGame, played
from ganvas.claims.judging.claim import Experiment, Source

STEPS, PENALTY = 1500, 0.1
LARGE, SMALL = 64, 16
SATO = partial(
    Source,
    who="Sato & Iiduka 2023, Existence and Estimation of Critical Batch Size for Training GANs",
    link="https://arxiv.org/abs/2201.11989",
)
BROCK = partial(
    Source,
    who="Brock, Donahue & Simonyan 2019, Large Scale GAN Training (BigGAN), section 3.1",
    link="https://arxiv.org/abs/1809.11096",
)


def larger_batch_is_nearer(statement: str, *, equal_samples: bool = False, sources: tuple[Source, ...]) -> Experiment:
    """The claim that games of large batches end nearer to the data, after as many steps or as many samples."""
    batches = {f"batches of {batch}": batch for batch in (LARGE, SMALL)}

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        batch = batches[arm]
        moves = -(-steps * SMALL // batch) if equal_samples else steps
        return played(RingGame(batch=batch, penalty=PENALTY), seeds, moves).distance()

    of_large = f" of the small batch, {STEPS * SMALL // LARGE} of the large one" if equal_samples else ""
    return Experiment(
        statement=statement,
        sources=sources,
        scope=f"{SCOPE}, R1 of {PENALTY:g}, {STEPS:,} steps{of_large}",
        arms=(f"batches of {LARGE}", f"batches of {SMALL}"),
        estimand="sliced distance",
        says="less",
        unit="times",
        ratio=True,
        smallest_effect=1.1,
        seeds=8,
        run=run,
        rehearsal=partial(run, steps=3),
    )
