"""Costs of transport between batches of two laws of directions, by the batch.

Two claims are made of it, one of the plain cost and one of the minibatch energy distance.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.losses.sinkhorn import cosine_cost, minibatch_energy_distance, sinkhorn_cost

SMALL, LARGE = "batches of 8", "batches of 128"
BATCHES = {SMALL: 8, LARGE: 128}
DIMS, SHARPNESS, ITERATIONS = 8, 50.0, 100


def needs_no_batch(
    cost: Callable[[int, int, int], float], *, statement: str, estimand: str, sources: tuple[Source, ...]
) -> Experiment:
    """The claim that a cost, by batch, seed and pairs, is the same in small batches and in large ones."""

    def run(arm: str, seeds: Sequence[int], *, pairs: int = 512) -> list[float]:
        return [cost(BATCHES[arm], seed, pairs) for seed in seeds]

    return Experiment(
        statement=statement,
        sources=sources,
        scope=f"directions of {DIMS} dimensions around two means, cosine costs, sharpness {SHARPNESS:g}",
        arms=(SMALL, LARGE),
        estimand=estimand,
        says="same",
        unit="cosine",
        smallest_effect=0.05,
        seeds=8,
        run=run,
        rehearsal=partial(run, pairs=128),
    )


def plain_cost(batch: int, seed: int, pairs: int) -> float:
    """Mean Sinkhorn cost between a batch of the one law and a batch of the other, over so many pairs of samples."""
    generator = torch.Generator().manual_seed(seed)
    costs = torch.stack(
        [cosine_cost(_drawn(generator, batch, 0), _drawn(generator, batch, 1)) for _ in range(pairs // batch)]
    )
    return float(sinkhorn_cost(costs, sharpness=SHARPNESS, iterations=ITERATIONS).mean())


def energy_distance(batch: int, seed: int, pairs: int) -> float:
    """Mean minibatch energy distance over so many pairs of samples, divided by the four costs across in it."""
    generator = torch.Generator().manual_seed(seed)
    found = [
        minibatch_energy_distance(
            *[_drawn(generator, batch, law) for law in (0, 0, 1, 1)], sharpness=SHARPNESS, iterations=ITERATIONS
        )
        for _ in range(pairs // batch)
    ]
    return float(torch.stack(found).mean()) / 4


def _drawn(generator: torch.Generator, n: int, law: int) -> Tensor:
    """Normal noise around the axis of a law, brought to length 1."""
    points = 0.5 * torch.randn(n, DIMS, generator=generator)
    points[:, law] += 1.0
    return torch.nn.functional.normalize(points, dim=1)
