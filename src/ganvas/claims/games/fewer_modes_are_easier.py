"""A law of fewer classes is easier for a generative adversarial network."""

import math
from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.adversaries import SCOPE, Bout, plain, play
from ganvas.claims.batched.ring import RADIUS, SIGMA, Points, sliced_distance
from ganvas.claims.batched.stacks import Generators, generators_of, normal, whole
from ganvas.claims.judging.claim import Experiment, Source

STEPS, SAMPLES, LATENTS = 1200, 2000, 2
MODES = {"two classes": 2, "eight classes": 8}


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of the generator's average from the law at the end."""
    generators = generators_of(seeds)
    law = partial(_classes, MODES[arm])
    maker, judge = plain(generators, LATENTS, 2), plain(generators, 2, 1)
    average = play(maker, judge, law, generators, Bout(steps=steps, penalty=0.1), latents=LATENTS)
    with torch.no_grad():
        return sliced_distance(average(normal(generators, SAMPLES, LATENTS)), law(generators, SAMPLES))


def _classes(modes: int, generators: Generators, n: int) -> Points:
    """Narrow Gaussians, evenly spaced on a circle."""
    turns = whole(generators, modes, n) * (2 * math.pi / modes)
    return RADIUS * torch.stack([turns.cos(), turns.sin()], -1) + SIGMA * normal(generators, n, 2)


CLAIM = Experiment(
    statement="After as many steps a generator is nearer to a law of two classes than to one of eight.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 2",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope=f"classes are Gaussians of deviation {SIGMA:g} on a circle of radius {RADIUS:g}; "
    f"{SCOPE}, R1 of 0.1, averages, {STEPS:,} steps",
    arms=("two classes", "eight classes"),
    estimand="sliced distance",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
