"""The density of a flow with noise around its pictures: what annealed importance sampling estimates, found directly.

A generator whose density is known shows how far an estimate of it is off. The estimate is of ``p(x | z) = N(G(z),
sigma^2 I)``, so of ``p_sigma(x) = E p(x - sigma e)`` with e of N(0, I): the flow's density, smoothed by the noise. Its
mean over draws of e, each an evaluation of the flow, has no bias, and the logarithm of that mean is a lower bound on
average that is tight where many draws share the weight.

A flow that ends in a logit has no density beyond its reach, where with thousands of colours nearly every draw would
fall. So e is drawn from the part of N(0, I) that stays within it, and the mean is multiplied by how much of N(0, I)
that part is, which is the same number.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.results import Result
from ganvas.core.shapes import Images, PerSample
from ganvas.metrics.likelihood.observation_models import from_colours

DRAWS = 256  # Of the noise, per picture.
ROWS = 64  # Pictures that go through the flow at a time.
EVERYWHERE = (-math.inf, math.inf)

PerPicture = Float[Tensor, " pictures"]
Pictures = Float[Tensor, "pictures c h w"]  # Colours in [0, 1].


@dataclass(frozen=True)
class Smoothed:
    """``log p_sigma`` of each picture, and how many draws its mean rests on."""

    values: PerPicture  # Nats, of colours in [0, 1].
    effective: PerPicture  # Effective number of draws, 1 to all: the weights' (sum w)^2 / sum w^2.


@torch.no_grad()
def smoothed_log_density(
    log_density: Callable[[Images], PerSample],
    pictures: Pictures,
    variance: float,
    *,
    seed: int,
    device: torch.device,
    reach: tuple[float, float] = EVERYWHERE,
    draws: int = DRAWS,
) -> Smoothed:
    """``log P(e in reach) 1/K sum_k p(x - sigma e_k)`` of each picture, e_k drawn within reach.

    Args:
        log_density: Of a flow, ``ln p`` of colours in [-1, 1].
        variance: Of the noise, for colours in [0, 1].
        reach: Between which colours of [-1, 1] the density is above 0.
    """
    ends = from_colours(torch.tensor(reach, dtype=torch.float64, device=device).view(1, 1, 1, 2)).flatten()
    rng = torch.Generator(device).manual_seed(derive_seed(seed, "smoothed density"))
    logs = torch.stack([_of_one(log_density, picture.to(device), variance, ends, rng, draws) for picture in pictures])
    total = logs.logsumexp(1)
    effective = torch.where(total == -math.inf, 0.0, (2 * total - (2 * logs).logsumexp(1)).exp())
    return Smoothed((total - math.log(draws)).cpu(), effective.cpu())


def _of_one(
    log_density: Callable[[Images], PerSample],
    picture: Float[Tensor, "c h w"],
    variance: float,
    ends: Float[Tensor, "2"],
    rng: torch.Generator,
    draws: int,
) -> Float[Tensor, " draws"]:
    """``ln P(e in reach) p(x - sigma e_k)`` of one picture, for colours in [0, 1], in float64."""
    x, sigma = picture.double(), math.sqrt(variance)
    below, above = (torch.special.ndtr((end - x) / sigma) for end in ends)
    uniform = torch.rand(draws, *x.shape, generator=rng, device=x.device, dtype=torch.float64)
    noise = torch.special.ndtri(below + (above - below) * uniform)
    inside = to_inside(x + sigma * noise).float()
    parts = [log_density(part).double() for part in inside.split(ROWS)]
    return torch.cat(parts) + (above - below).log().sum() + x.numel() * math.log(COLOURS / LEVELS_PER_UNIT)


def to_inside(pictures: Tensor) -> Tensor:
    """Colours in [0, 1], where that of byte b is ``(b + 1/2) / 256``, in [-1, 1]: the way back of ``from_colours``."""
    return (pictures * COLOURS - 0.5) / LEVELS_PER_UNIT - 1


def shortfall_results(
    estimated: PerPicture, exact: Smoothed, *, draws: int, protocol: str, seed: int, metric: str
) -> list[Result]:
    """The mean of the exact density, and of what the estimate is short of it, picture by picture."""
    found = {f"{metric}.exact": exact.values, f"{metric}.shortfall": exact.values - estimated.double()}
    return [
        Result(
            metric=name,
            value=float(values.mean()),
            standard_error=float(values.std()) / math.sqrt(len(values)),
            error_method="deviation over pictures",
            n=len(values),
            seed=seed,
            better="lower" if name.endswith("shortfall") else "higher",
            protocol=f"{protocol}:smoothed-exact{draws}",
        )
        for name, values in found.items()
    ]
