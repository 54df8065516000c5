"""Minibatch deviation is best near the end of the discriminator."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ganvas.claims.batched.adversaries import HIDDEN, SCOPE, Adversary, Bout, plain, play
from ganvas.claims.batched.ring import LAW, modes_reached, ring
from ganvas.claims.batched.stacks import Stack, generators_of, layers, leaky, normal, started
from ganvas.claims.judging.claim import Experiment, Source

STEPS, SAMPLES, LATENTS = 1200, 2000, 2
PLACES = {"in front of the last layer": 2, "in front of the first layer": 0}


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Modes that the generator's average reaches."""
    generators, place = generators_of(seeds), PLACES[arm]
    wider = [into + (layer == place) for layer, into in enumerate((2, HIDDEN, HIDDEN))]
    stack = [
        part for into, out in zip(wider, (HIDDEN, HIDDEN, 1), strict=True) for part in started(generators, (into, out))
    ]
    judge = Adversary(stack=stack, of=lambda stack, x: _verdicts(stack, x, place))
    average = play(plain(generators, LATENTS, 2), judge, ring, generators, Bout(steps=steps), latents=LATENTS)
    with torch.no_grad():
        return list(modes_reached(average(normal(generators, SAMPLES, LATENTS))))


def _verdicts(stack: Stack, x: Tensor, place: int) -> Tensor:
    """Of a discriminator that sees the deviation of its features over the batch at one place."""
    for layer, (weight, bias) in enumerate(layers(stack)):
        x = x if layer == 0 else leaky(x)
        if layer == place:
            deviation = (x.var(1, correction=0) + 1e-8).sqrt().mean(1)
            x = torch.cat([x, deviation[:, None, None].expand(-1, x.shape[1], 1)], 2)
        x = torch.baddbmm(bias, x, weight)
    return x


CLAIM = Experiment(
    statement="More modes are reached with minibatch deviation at the end of the discriminator than in front.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope=f"{LAW}; {SCOPE}, no penalty, averages, {STEPS:,} steps",
    arms=("in front of the last layer", "in front of the first layer"),
    estimand="modes reached",
    says="more",
    unit="modes",
    smallest_effect=0.5,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=3),
)
