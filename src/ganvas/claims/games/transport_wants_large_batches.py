"""A generator trained by transport between batches is nearer to the data with larger batches.

A small batch shows each sample a few partners, of which the nearest is far away.
"""

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import torch
from torch import Tensor

from ganvas.claims.batched.ring import LAW, ring, sliced_distance
from ganvas.claims.batched.stacks import dense, descend, generators_of, normal, started
from ganvas.claims.judging.claim import Experiment, Source
from ganvas.losses.sinkhorn import sinkhorn_cost

STEPS, HIDDEN, SAMPLES = 300, 64, 2000
SHARPNESS, ITERATIONS = 20.0, 20


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance from the law at the end."""
    generators, batch = generators_of(seeds), int(arm.rpartition(" ")[2])
    maker = started(generators, (2, HIDDEN, HIDDEN, 2))
    descent = torch.optim.Adam(maker, lr=1e-3)
    for _ in range(steps):
        reals = [ring(generators, batch // 2) for _ in range(2)]
        fakes = [dense(maker, normal(generators, batch // 2, 2)) for _ in range(2)]
        descend(_energy_distance(reals, fakes).sum(), descent, maker)
    with torch.no_grad():
        return sliced_distance(dense(maker, normal(generators, SAMPLES, 2)), ring(generators, SAMPLES))


def _energy_distance(reals: Sequence[Tensor], fakes: Sequence[Tensor]) -> Tensor:
    """Of every seed, by Euclidean costs: transport across the laws less that within them (algorithm 1)."""
    both = [*reals, *fakes]
    costs = torch.stack([torch.cdist(both[a], both[b]) for a, b in combinations(range(4), 2)])
    within_reals, *across, within_fakes = sinkhorn_cost(costs, sharpness=SHARPNESS, iterations=ITERATIONS)
    return torch.stack(across).sum(0) - 2 * within_reals - 2 * within_fakes


CLAIM = Experiment(
    statement="After as many steps, transport between batches of 128 brings a generator nearer than between 16.",
    sources=(
        Source(
            who="Salimans et al. 2018, Improving GANs Using Optimal Transport, section 5.2",
            stance="agrees",
            link="https://arxiv.org/abs/1803.05573",
        ),
    ),
    scope=f"{LAW}, minibatch energy distance with Euclidean costs, Adam at 1e-3, {STEPS} steps",
    arms=("batches of 128", "batches of 16"),
    estimand="sliced distance",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
