"""The latent of a picture: from where an encoder guesses it, downhill until the picture is met.

Zhu et al. 2016, Generative Visual Manipulation on the Natural Image Manifold, section 3.1
(https://arxiv.org/abs/1609.03552): an encoder's guess as the start of an optimisation. The encoder is trained on the
generator's own pictures, whose latents are known. Where the optimisation starts decides where it ends: from a random
latent it finds another valley.

The mean square error of colours falls by Adam at 0.1, decaying linearly to 0 over the last 30 % of the steps. Latents
of a normal prior are kept at the length ``sqrt(z)`` at which nearly all of them lie, uniform ones in [-1, 1]. What is
given back is the best latent that was met, the start included, so that no picture is worse than its start.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.progress import progress
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Latents, PerSample
from ganvas.dissect.latents.latent_generator import Decode, LatentGenerator, Prior
from ganvas.losses.capabilities import Encodes
from ganvas.metrics.psnr import psnr as psnr_of_errors
from ganvas.nn.layers.initialise import initialise

LR, DECAY = 0.1, 0.3
ENCODER_LR, ENCODER_BATCH = 2e-3, 64
GUESSES = 2048  # Of the start by the nearest of so many pictures.


@dataclass(frozen=True, kw_only=True, eq=False)
class Inverted:
    """Latents of pictures, and how near their pictures come."""

    z: Latents
    psnr: PerSample  # In dB, of colours from -1 to 1.
    start_psnr: PerSample


def psnr(images: Images, others: Images) -> PerSample:
    """``10 log10(4 / mse)``: the peak of colours from -1 to 1 is 2."""
    return _in_db(_errors(images, others))


def _errors(images: Images, others: Images) -> PerSample:
    return (images - others).square().flatten(1).mean(1)


def _in_db(errors: PerSample) -> PerSample:
    return psnr_of_errors(errors, finest=1e-12, peak=2.0)


def kept_to(z: Latents, prior: Prior) -> Latents:
    """Latents moved to where the prior has them."""
    if prior == "uniform":
        return z.clamp(-1, 1)
    if prior == "normal":
        return z * (math.sqrt(z.shape[1]) / z.norm(dim=1, keepdim=True).clamp_min(1e-12))
    return z


def inverted(
    decode: Decode, images: Images, start: Latents, *, prior: Prior, steps: int = 150, quiet: bool = True
) -> Inverted:
    """Goes downhill from a start; each picture by itself, whatever the batch."""
    with torch.no_grad():
        first = _errors(decode(start), images)
    best, best_loss = start.clone(), first.clone()
    z = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr=LR)
    with progress("inversion", steps, unit="steps", quiet=quiet) as report:
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = LR * min(1.0, (steps - step) / (DECAY * steps))
            loss = _errors(decode(z), images)
            better = loss.detach() < best_loss
            best = torch.where(better[:, None], z.detach(), best)
            best_loss = torch.where(better, loss.detach(), best_loss)
            (gradient,) = torch.autograd.grad(loss.sum(), z)
            z.grad = gradient
            optimizer.step()
            with torch.no_grad():
                z.copy_(kept_to(z, prior))
            report(step + 1)
    with torch.no_grad():
        loss = _errors(decode(z), images)
        best = torch.where((loss < best_loss)[:, None], z, best)
        return Inverted(z=best, psnr=psnr(decode(best), images), start_psnr=_in_db(first))


class Encoder(nn.Module):
    """From a picture to a guess of its latent: four strided convolutions and a dense layer."""

    def __init__(self, channels: int, size: tuple[int, int], latents: int, *, width: int = 24) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 4 * width]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
        height, across = (math.ceil(side / 16) for side in size)
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(4 * width * height * across, latents)

    def forward(self, images: Images) -> Latents:
        return self.head(self.body(images).flatten(1))


def trained_encoder(
    decode: Decode,
    latents: Callable[[int, torch.Generator], Latents],
    *,
    prior: Prior,
    steps: int = 500,
    seed: int = 0,
    quiet: bool = True,
) -> Callable[[Images], Latents]:
    """An encoder that has learnt the latents of a generator's own pictures, by the square error of the latents."""
    with torch.no_grad():
        example = decode(latents(1, stream(seed, "inversion", "example")))
    size = latents(1, stream(seed, "inversion", "example")).shape[1]
    encoder = Encoder(example.shape[1], (example.shape[2], example.shape[3]), size)
    initialise(encoder, stream(seed, "inversion", "weights"))
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(encoder.parameters(), lr=ENCODER_LR)
    with progress("encoder", steps, unit="steps", quiet=quiet) as report:
        for step in range(steps):
            z = kept_to(latents(ENCODER_BATCH, stream(seed, "inversion", step)), prior)
            with torch.no_grad():
                images = decode(z).contiguous(memory_format=torch.channels_last)
            loss = (encoder(images) - z).square().mean()
            for group in optimizer.param_groups:
                group["lr"] = ENCODER_LR * (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            report(step + 1, f"loss {loss.item():.3f}")
    encoder.eval().requires_grad_(False)
    return lambda images: kept_to(encoder(images.contiguous(memory_format=torch.channels_last)), prior)


def encoder_of(made: LatentGenerator, *, steps: int, seed: int = 0, quiet: bool = True) -> Callable[[Images], Latents]:
    """The encoder that a model has itself (its mean), or one that learns for a moment from the generator's pictures."""
    model = made.kept.model
    if not isinstance(model, Encodes):
        return trained_encoder(made.decode, made.latents, prior=made.prior, steps=steps, seed=seed, quiet=quiet)

    @torch.no_grad()
    def encode(images: Images) -> Latents:
        guess = model.encode(images)
        return guess[0] if isinstance(guess, tuple) else guess

    return encode


@torch.no_grad()
def nearest_start(decode: Decode, images: Images, guesses: Float[Tensor, "m z"]) -> Latents:
    """For each picture the latent, of those given, whose picture is nearest."""
    drawn = torch.cat([decode(part).flatten(1) for part in guesses.split(64)])
    return guesses[torch.cdist(images.flatten(1), drawn).argmin(1)]


def summary(values: Sequence[float]) -> tuple[float, float]:
    """The median, and the share at 30 dB or more."""
    ordered = torch.tensor(values)
    return float(ordered.median()), float((ordered >= 30).double().mean())
