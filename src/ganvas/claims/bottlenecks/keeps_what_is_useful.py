"""The code of an autoencoder keeps what is useful, such as the class, and leaves out what has nothing to do with it.

It keeps what the loss counts: directions of large variance, whatever they mean.
"""

from collections.abc import Sequence

import torch

from ganvas.claims.bottlenecks._linear import directions
from ganvas.claims.judging.claim import Experiment, Source

SAMPLES, DIMS, NUISANCES, WIDTH = 512, 32, 8, 4
DEVIATIONS = {"nuisances of deviation 3": 3.0, "nuisances of deviation 0.3": 0.3}


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Share of the classes that a linear probe of the code names rightly."""
    return [_named(DEVIATIONS[arm], seed) for seed in seeds]


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
    statement="The code of an autoencoder keeps the class, however large is what has nothing to do with it.",
    sources=(
        Source(who="a common description of autoencoders", stance="agrees"),
        Source(
            who="Baldi & Hornik 1989, Neural Networks and Principal Component Analysis",
            stance="denies",
            link="https://doi.org/10.1016/0893-6080(89)90014-2",
        ),
    ),
    scope=f"a linear autoencoder of {WIDTH} units, classes of deviation 1 and {NUISANCES} nuisances in {DIMS} numbers",
    arms=("nuisances of deviation 0.3", "nuisances of deviation 3"),
    estimand="share of classes that a linear probe of the code names rightly",
    says="same",
    unit="of all",
    smallest_effect=0.1,
    seeds=12,
    run=run,
)
