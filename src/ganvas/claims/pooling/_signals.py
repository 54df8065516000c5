"""Signals in noise behind a pooling over a whole map: how often the pooled value tells with from without.

Two claims are made of it, one of a signal at one place and one of a signal at every place.
"""

from collections.abc import Sequence

import torch

from ganvas.claims.judging.claim import Experiment, Source, Stance

PIXELS, PICTURES = 64, 1000
AVERAGE, MAXIMUM = "average", "maximum"


def average_misses_more(where: str, signal: str, *, sparse: bool, boureau: Stance) -> Experiment:
    """The claim that of a signal an average misses more than a maximum; ``boureau`` is the stance of that paper."""

    def run(arm: str, seeds: Sequence[int]) -> list[float]:
        return [missed(arm, seed, sparse=sparse) for seed in seeds]

    return Experiment(
        statement=f"Of a signal at {where} an average misses more than a maximum.",
        sources=(
            Source(
                who="Boureau, Ponce & LeCun 2010, A Theoretical Analysis of Feature Pooling, section 2",
                stance=boureau,
                link="https://www.di.ens.fr/willow/pdfs/icml2010b.pdf",
            ),
            Source(who="a common reason for maxima", stance="agrees"),
        ),
        scope=f"normal noise at {PIXELS} places, a signal of {signal}",
        arms=(AVERAGE, MAXIMUM),
        estimand="share of pairs in the wrong order",
        says="more",
        unit="of all",
        smallest_effect=0.05,
        seeds=12,
        run=run,
    )


def missed(arm: str, seed: int, *, sparse: bool) -> float:
    """The share of pairs of a map with the signal and one without whose pooled values stand in the wrong order."""
    generator = torch.Generator().manual_seed(seed)
    signal = torch.zeros(PICTURES, PIXELS)
    if sparse:
        signal[torch.arange(PICTURES), torch.randint(PIXELS, (PICTURES,), generator=generator)] = 4.0
    else:
        signal += 0.25
    with_signal, without = (torch.randn(PICTURES, PIXELS, generator=generator) for _ in range(2))
    pool = (lambda x: x.mean(1)) if arm == AVERAGE else (lambda x: x.amax(1))
    return float((pool(with_signal + signal)[:, None] <= pool(without)).float().mean())
