"""The noise of a variational autoencoder is what makes sampling work.

Noise alone is escaped: codes are pulled apart until it means nothing, and the prior no longer covers them. It is the
divergence from the prior that holds them together.
"""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.ring import LAW, ring, sliced_distance
from ganvas.claims.batched.stacks import dense, descend, generators_of, normal, started
from ganvas.claims.judging.claim import Experiment, Source

STEPS, BATCH, HIDDEN, CODE, SAMPLES = 1000, 64, 64, 2, 2000
SPREAD = 0.1  # Deviation that the decoder allows around its output.


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of decoded prior samples from the law."""
    generators = generators_of(seeds)
    encoder = started(generators, (2, HIDDEN, HIDDEN, 2 * CODE))
    decoder = started(generators, (CODE, HIDDEN, HIDDEN, 2))
    descent = torch.optim.Adam(encoder + decoder, lr=1e-3)
    for _ in range(steps):
        x = ring(generators, BATCH)
        mean, log_variance = dense(encoder, x).chunk(2, -1)
        code = mean + (log_variance / 2).exp() * normal(generators, BATCH, CODE)
        loss = (dense(decoder, code) - x).square().sum(-1) / (2 * SPREAD**2)
        if arm == "noise and divergence":
            loss = loss + (mean.square() + log_variance.exp() - log_variance - 1).sum(-1) / 2
        descend(loss.mean(1).sum(), descent, encoder + decoder)
    with torch.no_grad():
        return sliced_distance(dense(decoder, normal(generators, SAMPLES, CODE)), ring(generators, SAMPLES))


CLAIM = Experiment(
    statement="An autoencoder with noise in its code samples as well without the divergence as with it.",
    sources=(
        Source(who="a common account of variational autoencoders", stance="agrees"),
        Source(
            who="Kingma & Welling 2014, Auto-Encoding Variational Bayes, section 2.3",
            stance="denies",
            link="https://arxiv.org/abs/1312.6114",
        ),
    ),
    scope=f"{LAW}, codes of {CODE}, two layers of {HIDDEN}, Adam at 1e-3, {STEPS:,} steps",
    arms=("noise alone", "noise and divergence"),
    estimand="sliced distance of samples from the prior",
    says="same",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
