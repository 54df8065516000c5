"""Magnitudes of a discriminator's features after a game, with pixel norm in the generator and without.

Two claims are made of it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganvas.claims.batched.adversaries import SCOPE as NETWORKS
from ganvas.claims.batched.adversaries import Adversary, Bout, plain, play
from ganvas.claims.batched.ring import LAW, ring
from ganvas.claims.batched.stacks import Stack, dense, generators_of, leaky
from ganvas.claims.judging.claim import Source

STEPS, SAMPLES, LATENTS = 1000, 500, 2
SCOPE = f"{LAW}; {NETWORKS}, no penalty, {STEPS:,} steps"
KARRAS = Source(
    who="Karras et al. 2018, Progressive Growing of GANs, section 4.2",
    stance="agrees",
    link="https://arxiv.org/abs/1710.10196",
)
ESTIMAND = "root mean square in front of the last layer"


def magnitudes(seeds: Sequence[int], steps: int, *, normed: bool) -> list[float]:
    """Root mean square of a discriminator's features in front of its last layer after a game, on the law's points."""
    generators = generators_of(seeds)
    maker = Adversary(stack=plain(generators, LATENTS, 2).stack, of=_normed if normed else dense)
    judge = plain(generators, 2, 1)
    reals = ring(generators, SAMPLES)
    play(maker, judge, ring, generators, Bout(steps=steps), latents=LATENTS)
    with torch.no_grad():
        return leaky(dense(judge.stack[:-2], reals)).square().mean((1, 2)).sqrt().tolist()


def _normed(stack: Stack, x: Tensor) -> Tensor:
    """A dense network with pixel norm behind every activation."""
    return dense(stack, x, lambda y: _unit(leaky(y)))


def _unit(x: Tensor) -> Tensor:
    return x * (x.square().mean(2, keepdim=True) + 1e-8).rsqrt()
