"""A flow costs more than a generative adversarial network of the same quality.

Counted in products of numbers: after as many of them, and with about as many weights, its samples are further off.
"""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.adversaries import BATCH, HIDDEN, Bout, plain, play
from ganvas.claims.batched.adversaries import SCOPE as NETWORKS
from ganvas.claims.batched.ring import LAW, ring, sliced_distance
from ganvas.claims.batched.stacks import generators_of, normal
from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.likelihoods._flow import COUPLINGS, SCOPE, UNITS, by_likelihood, sampled

STEPS, SAMPLES = 400, 2000
OF_GENERATOR, OF_JUDGE = 2 * HIDDEN + HIDDEN**2 + HIDDEN * 2, 2 * HIDDEN + HIDDEN**2 + HIDDEN
OF_FLOW = COUPLINGS * (UNITS + UNITS**2 + UNITS * 2)
# Products of a step for each sample of the batch; a pass backward has twice as many as one forward. A game has a fake,
# the discriminator forward and backward on it and on a real, and then generator and discriminator both ways.
OF_GAME_STEP, OF_FLOW_STEP = OF_GENERATOR + 6 * OF_JUDGE + 3 * (OF_GENERATOR + OF_JUDGE), 3 * OF_FLOW
FLOW, GAN = "flow by likelihood", "generator by a discriminator"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of samples from the law."""
    generators = generators_of(seeds)
    z = normal(generators, SAMPLES, 2)
    if arm == FLOW:
        stack = by_likelihood(generators, steps * OF_GAME_STEP // OF_FLOW_STEP, BATCH)
        with torch.no_grad():
            return sliced_distance(sampled(stack, z), ring(generators, SAMPLES))
    maker = plain(generators, 2, 2)
    play(maker, plain(generators, 2, 1), ring, generators, Bout(steps=steps), latents=2)
    with torch.no_grad():
        return sliced_distance(maker(z), ring(generators, SAMPLES))


CLAIM = Experiment(
    statement="After as many products the samples of a flow are further from the data than those of a GAN.",
    sources=(
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 1",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope=f"{LAW}; {SCOPE}; {NETWORKS}, {STEPS} steps of the game and {OF_GAME_STEP / OF_FLOW_STEP:.2g} times as many "
    "of the flow",
    arms=(FLOW, GAN),
    estimand="sliced distance",
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=2),
)
