"""Observation models: the density ``p(x | z)`` of a picture around a decoder's ``G(z)``, its gradient and draws.

Colours are in [0, 1] as in Wu et al. (2017): a byte b of a picture is ``(b + u) / 256`` with u uniform in [0, 1), so
that pictures have a density; the byte that a decoder means stands in the middle, ``(b + 1/2) / 256``.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.shapes import Bytes, Images, Latents

MEMORY_BYTES = 1 << 28  # Of what one pass keeps for the way back.
MARGIN = 1e-6  # A probability of exactly 0 or 1, which float32 makes of large logits, would be a bet of infinity.

PerRow = Float[Tensor, " rows"]


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """A generator as likelihoods see it: from latents of N(0, I) to mean pictures in the units of the data."""

    decode: Callable[[Tensor], Tensor]
    latent_size: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    dtype: torch.dtype = torch.float32  # In which it computes.


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """``p(x | z) = N(G(z), variance I)``."""

    variance: float

    def log_density(self, x: Tensor, mean: Tensor) -> PerRow:
        """``-1/2 (|x - G(z)|^2 / variance + D log(2 pi variance))``, summed in float64."""
        squares = (x - mean).square().flatten(1).sum(1, dtype=torch.float64)
        return -0.5 * (squares / self.variance + x[0].numel() * math.log(2 * math.pi * self.variance))

    def draw(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """A picture of each mean."""
        noise = torch.randn(mean.shape, generator=rng, dtype=torch.float64).to(mean.device, mean.dtype)
        return mean + math.sqrt(self.variance) * noise

    def bits_per_dim(self, nats: float, dimensions: int) -> float:
        """Bits per byte of a picture: the density is of [0, 1], in which a byte is 1/256 wide."""
        return -nats / dimensions / math.log(2) + math.log2(COLOURS)


@dataclass(frozen=True, kw_only=True)
class Bernoulli:
    """``p(x | z) = prod G(z)^x (1 - G(z))^(1 - x)``: pictures of black and white, and a decoder of probabilities."""

    margin: float = MARGIN

    def log_density(self, x: Tensor, mean: Tensor) -> PerRow:
        """``sum x log G(z) + (1 - x) log(1 - G(z))``, summed in float64."""
        p = mean.clamp(self.margin, 1 - self.margin)
        return (x * p.log() + (1 - x) * torch.log1p(-p)).flatten(1).sum(1, dtype=torch.float64)

    def draw(self, mean: Tensor, rng: torch.Generator) -> Tensor:
        """A picture of each table of probabilities."""
        p = mean.clamp(self.margin, 1 - self.margin)
        chance = torch.rand(mean.shape, generator=rng, dtype=torch.float64).to(mean.device, mean.dtype)
        return (chance < p).to(mean.dtype)

    def bits_per_dim(self, nats: float, dimensions: int) -> float:
        """Bits per pixel and channel."""
        return -nats / dimensions / math.log(2)


Observation = Gaussian | Bernoulli


class Likelihood:
    """``log p(x | z)`` and its gradient for many chains per picture, as many rows at a time as memory allows.

    Row ``i`` of the latents belongs to picture ``i // chains``.
    """

    def __init__(
        self, decoder: Decoder, pictures: Tensor, observation: Observation, *, chains: int, rows: int | None = None
    ) -> None:
        self.decoder, self.observation, self.chains = decoder, observation, chains
        self.pictures = pictures.to(decoder.device, decoder.dtype)
        self._check()
        self.rows = rows or rows_in_memory(decoder)

    def __call__(self, z: Float[Tensor, "rows z"]) -> tuple[PerRow, Float[Tensor, "rows z"]]:
        values, gradients = zip(*(self._part(z, at) for at in range(0, len(z), self.rows)), strict=True)
        return torch.cat(values), torch.cat(gradients)

    def _part(self, z: Tensor, at: int) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            part = z[at : at + self.rows].detach().requires_grad_()
            mean = self.decoder.decode(part.to(self.decoder.dtype))
            whose = torch.arange(at, at + len(part), device=mean.device) // self.chains
            value = self.observation.log_density(self.pictures[whose], mean)
            if not value.requires_grad:  # A decoder that does not look at its latents.
                return value, torch.zeros_like(part)
            gradient = torch.autograd.grad(value.sum(), part, allow_unused=True, materialize_grads=True)[0]
        return value.detach(), gradient

    def _check(self) -> None:
        with torch.no_grad():
            z = torch.zeros(1, self.decoder.latent_size, dtype=self.decoder.dtype, device=self.decoder.device)
            made = tuple(self.decoder.decode(z).shape[1:])
        if made != tuple(self.pictures.shape[1:]):
            said = ["x".join(map(str, shape)) for shape in (self.pictures.shape[1:], made)]
            raise UserError(f"The pictures are {said[0]} and the decoder's are {said[1]}. Bring them to one size.")


def rows_in_memory(decoder: Decoder) -> int:
    """How many rows a pass may have: what it keeps for the way back is counted on one row and on two."""
    kept = [_kept_bytes(decoder, rows) for rows in (1, 2)]
    free = MEMORY_BYTES
    if decoder.device.type == "cuda":
        free = torch.cuda.mem_get_info(decoder.device)[0] // 2
    return max(1, free // max(2 * (kept[1] - kept[0]), 1))  # Twice: gradients are as large again.


def _kept_bytes(decoder: Decoder, rows: int) -> int:
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        z = torch.zeros(rows, decoder.latent_size, dtype=decoder.dtype, device=decoder.device, requires_grad=True)
        made = decoder.decode(z)
    return sum(storages.values()) + made.nbytes


def dequantised(pictures: Bytes, rng: torch.Generator) -> Float[Tensor, "n c h w"]:
    """``(b + u) / 256`` with u uniform in [0, 1), drawn once per picture."""
    noise = torch.rand(pictures.shape, generator=rng, dtype=torch.float64)
    return ((pictures.cpu().double() + noise) / COLOURS).float()


def binarised(pictures: Bytes) -> Float[Tensor, "n c h w"]:
    """1 for the upper half of the bytes, 0 for the lower."""
    return (pictures >= COLOURS // 2).float()


def from_colours(images: Images) -> Float[Tensor, "n c h w"]:
    """Colours in [-1, 1] as :func:`dequantised` has them: that of byte b becomes ``(b + 1/2) / 256``."""
    return ((images + 1) * LEVELS_PER_UNIT + 0.5) / COLOURS


def from_uniform(z: Latents) -> Latents:
    """Latents of N(0, I) as ones of U[-1, 1]: ``2 Phi(z) - 1``. A uniform prior becomes a normal one exactly."""
    return torch.erf(z / math.sqrt(2))


def timed(
    decoder: Decoder, pictures: Tensor, observation: Observation, *, chains: int, rows: int | None = None
) -> float:
    """Seconds that a row takes through the decoder and back, on one round of chains after another to warm up."""
    likelihood = Likelihood(decoder, pictures, observation, chains=chains, rows=rows)
    z = torch.zeros(len(pictures) * chains, decoder.latent_size, dtype=torch.float64, device=decoder.device)
    z = z[: likelihood.rows]
    likelihood(z)
    started = time.perf_counter()
    float(likelihood(z)[0].sum())  # Waits for the device.
    return (time.perf_counter() - started) / len(z)
