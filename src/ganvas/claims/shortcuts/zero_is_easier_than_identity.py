"""A residual block learns to do nothing more easily than a plain one learns the identity."""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.stacks import dense, descend, generators_of, normal, started
from ganvas.claims.judging.claim import Experiment, Source

STEPS, DIMS, LAYERS, BATCH = 300, 16, 4, 64


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Relative error of the identity after training, from one start in both arms."""
    generators = generators_of(seeds)
    stack = started(generators, [DIMS] * (LAYERS + 1))
    descent = torch.optim.Adam(stack, lr=1e-3)
    for _ in range(steps):
        x = normal(generators, BATCH, DIMS)
        output = dense(stack, x, torch.relu) + (x if arm == "residual" else 0)
        errors = (output - x).square().mean((1, 2))
        descend(errors.sum(), descent, stack)
    return errors.detach().sqrt().tolist()


CLAIM = Experiment(
    statement="A residual block learns the identity faster than a plain one.",
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, section 3.1",
            stance="agrees",
            link="https://arxiv.org/abs/1512.03385",
        ),
    ),
    scope=f"{LAYERS} layers of {DIMS} units with ReLUs, normal inputs, Adam at 1e-3, {STEPS} steps",
    arms=("residual", "plain"),
    estimand="relative error",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=2.0,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
