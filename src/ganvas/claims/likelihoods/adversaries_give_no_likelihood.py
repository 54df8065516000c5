"""A generative adversarial network gives test data almost no likelihood.

Seen in one flow whose density is known exactly, trained by a discriminator and trained by its likelihood.
"""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.adversaries import BATCH, Adversary, Bout, plain, play
from ganvas.claims.batched.ring import LAW, ring
from ganvas.claims.batched.stacks import Generators, Stack, generators_of
from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.likelihoods._flow import SCOPE, by_likelihood, flow, log_density, sampled

STEPS, TESTED = 800, 2000
BY_JUDGE, BY_LIKELIHOOD = "trained by a discriminator", "trained by likelihood"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Mean log density of test points in nats."""
    generators = generators_of(seeds)
    stack = by_judge(generators, steps) if arm == BY_JUDGE else by_likelihood(generators, steps, BATCH)
    with torch.no_grad():
        return log_density(stack, ring(generators, TESTED)).double().mean(1).tolist()


def by_judge(generators: Generators, steps: int) -> Stack:
    """A flow that is trained as the generator of an adversarial game."""
    maker, bout = Adversary(stack=flow(generators), of=sampled), Bout(steps=steps, penalty=0.1)
    play(maker, plain(generators, 2, 1), ring, generators, bout, latents=2)
    return maker.stack


CLAIM = Experiment(
    statement="A flow gives test data less likelihood if a discriminator trains it than if likelihood does.",
    sources=(
        Source(
            who="Grover, Dhar & Ermon 2018, Flow-GAN, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1705.08868",
        ),
    ),
    scope=f"{LAW}; {SCOPE}; R1 of 0.1, batch 64, Adam at 1e-3, {STEPS} steps",
    arms=(BY_JUDGE, BY_LIKELIHOOD),
    estimand="mean log density of test points",
    says="less",
    unit="nats",
    smallest_effect=1.0,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=3),
)
