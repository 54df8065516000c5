"""The larger what has nothing to do with the class, the less of the class is left in the code of an autoencoder.

It is the dose of `bottlenecks/keeps_what_is_useful`: a code of as many numbers keeps directions of large variance, so
the class is crowded out as nuisances grow beyond it.
"""

from collections.abc import Sequence
from math import log2

import torch

from ganvas.claims.bottlenecks._linear import directions
from ganvas.claims.judging.claim import Experiment, Source

SAMPLES, DIMS, NUISANCES, WIDTH = 512, 32, 8, 4
DEVIATIONS = (0.7, 0.85, 1.0, 1.2, 1.4)
ARMS = tuple(f"nuisances of deviation {deviation:g}" for deviation in DEVIATIONS)


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Share of the classes that a linear probe of the code names rightly."""
    return [_named(DEVIATIONS[ARMS.index(arm)], seed) for seed in seeds]


def _named(deviation: float, seed: int) -> float:
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(DIMS, 1 + NUISANCES, generator=generator)).Q
    classes = torch.randint(2, (2, SAMPLES, 1), generator=generator) * 2.0 - 1
    nuisances = deviation * torch.randn(2, SAMPLES, NUISANCES, generator=generator)
    noise = 0.1 * torch.randn(2, SAMPLES, DIMS, generator=generator)
    x = torch.cat([classes, nuisances], 2) @ basis.T + noise
    codes = x @ directions(x[0], WIDTH)
    probe = torch.linalg.lstsq(codes[0], classes[0]).solution
    return float(((codes[1] @ probe).sign() == classes[1]).float().mean())


CLAIM = Experiment(
    statement="The larger what has nothing to do with the class, the less of the class is left in a code.",
    sources=(
        Source(
            who="Baldi & Hornik 1989, Neural Networks and Principal Component Analysis",
            stance="agrees",
            link="https://doi.org/10.1016/0893-6080(89)90014-2",
        ),
        Source(who="a common description of autoencoders", stance="denies"),
    ),
    scope=f"a linear autoencoder of {WIDTH} units, classes of deviation 1 and {NUISANCES} nuisances in {DIMS} numbers",
    arms=ARMS,
    doses=tuple(log2(deviation) for deviation in DEVIATIONS),
    estimand="share of classes that a linear probe of the code names rightly",
    says="less",
    unit="of all",
    smallest_effect=0.1,
    seeds=12,
    run=run,
)
