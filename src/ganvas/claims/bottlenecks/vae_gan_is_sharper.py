"""A VAE-GAN is sharper than a VAE."""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.scene_classes import SIDE, pictures
from ganvas.claims.batched.stacks import Generators, Stack, dense, descend, generators_of, leaky, normal, started, whole
from ganvas.claims.judging.claim import Experiment, Source

STEPS, BATCH, HIDDEN, CODE, PICTURES, SAMPLES = 800, 64, 64, 8, 512, 500
NUMBERS, SPREAD = 3 * SIDE**2, 1.0  # The deviation that the decoder of the VAE allows around its output.
VAE_GAN = "VAE-GAN"

Rows = Float[Tensor, "seeds n numbers"]


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The mean square difference of neighbouring pixels in decoded samples of the prior."""
    generators = generators_of(seeds)
    x = pictures(seeds, PICTURES)[0]
    encoder = started(generators, (NUMBERS, HIDDEN, 2 * CODE))
    decoder = started(generators, (CODE, HIDDEN, HIDDEN, NUMBERS))
    judge = started(generators, (NUMBERS, HIDDEN, HIDDEN, 1)) if arm == VAE_GAN else None
    moves = torch.optim.Adam(encoder + decoder, lr=1e-3, betas=(0.5, 0.99))
    answers = torch.optim.Adam(judge, lr=1e-3, betas=(0.5, 0.99)) if judge is not None else None
    for _ in range(steps):
        rows = torch.stack([one[row] for one, row in zip(x, whole(generators, PICTURES, BATCH), strict=True)])
        if judge is not None and answers is not None:
            descend(_judge_loss(judge, rows, decoder, generators).sum(), answers, judge)
        descend(_loss(encoder, decoder, judge, rows, generators).sum(), moves, encoder + decoder)
    with torch.no_grad():
        return _sharpness(dense(decoder, normal(generators, SAMPLES, CODE)))


def _loss(
    encoder: Stack, decoder: Stack, judge: Stack | None, rows: Rows, generators: Generators
) -> Float[Tensor, " seeds"]:
    """The evidence bound; of a VAE-GAN likeness is that of the discriminator's features, and samples are to fool it."""
    mean, log_variance = dense(encoder, rows).chunk(2, -1)
    code = mean + (log_variance / 2).exp() * normal(generators, BATCH, CODE)
    divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(-1) / 2
    decoded = dense(decoder, code)
    if judge is None:
        return ((decoded - rows).square().sum(-1) / (2 * SPREAD**2) + divergence).mean(1)
    unlike = (_features(judge, decoded) - _features(judge, rows)).square().sum(-1) / 2
    sampled = dense(decoder, normal(generators, BATCH, CODE))
    fooled = F.softplus(-dense(judge, torch.cat([decoded, sampled], 1))).mean((1, 2))
    return (unlike + divergence).mean(1) + 2 * fooled


def _judge_loss(judge: Stack, rows: Rows, decoder: Stack, generators: Generators) -> Float[Tensor, " seeds"]:
    with torch.no_grad():
        fakes = dense(decoder, normal(generators, BATCH, CODE))
    return (F.softplus(-dense(judge, rows)) + F.softplus(dense(judge, fakes))).mean((1, 2))


def _features(judge: Stack, rows: Rows) -> Rows:
    return leaky(dense(judge[:-2], rows))


def _sharpness(rows: Rows) -> list[float]:
    x = rows.unflatten(2, (SIDE, SIDE, 3))
    return sum((x.diff(dim=axis).square().mean((1, 2, 3, 4)) for axis in (2, 3)), torch.zeros(len(x))).tolist()


CLAIM = Experiment(
    statement="Samples of a VAE-GAN have larger differences between neighbouring pixels than samples of a VAE.",
    sources=(
        Source(
            who="Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric",
            stance="agrees",
            link="https://arxiv.org/abs/1512.09300",
        ),
    ),
    scope=f"scenes of {SIDE} x {SIDE} pixels, dense networks of {HIDDEN}, codes of {CODE}, a decoder of deviation "
    f"{SPREAD:g}, Adam at 1e-3, {STEPS} steps",
    arms=(VAE_GAN, "VAE"),
    estimand="mean square difference of neighbours",
    says="more",
    unit="times",
    ratio=True,
    smallest_effect=1.25,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=3),
)
