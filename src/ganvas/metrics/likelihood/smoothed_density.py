"""The density of a flow with noise around its pictures: what annealed importance sampling estimates, found directly.

A generator whose density is known shows how far an estimate of it is off. The estimate is of ``p(x | z) = N(G(z),
sigma^2 I)``, so of ``p_sigma(x) = E p(x - sigma e)`` with e of N(0, I): the flow's density, smoothed by the noise. Its
mean over draws of e, each an evaluation of the flow, has no bias, and the logarithm of that mean is a lower bound on
average that is tight where many draws share the weight.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.derived_seeds import derive_seed
from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.results import Result
from ganvas.core.shapes import Images, PerSample

DRAWS = 256  # Of the noise, per picture.
ROWS = 64  # Pictures that go through the flow at a time.

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
    draws: int = DRAWS,
) -> Smoothed:
    """``log 1/K sum_k p(x - sigma e_k)`` of each picture.

    Args:
        log_density: Of a flow, ``ln p`` of colours in [-1, 1].
        variance: Of the noise, for colours in [0, 1].
    """
    rng = torch.Generator(device).manual_seed(derive_seed(seed, "smoothed density"))
    logs = torch.stack([_of_one(log_density, picture.to(device), variance, rng, draws) for picture in pictures])
    total = logs.logsumexp(1)
    effective = (2 * total - (2 * logs).logsumexp(1)).exp()
    return Smoothed((total - math.log(draws)).cpu(), effective.cpu())


def _of_one(
    log_density: Callable[[Images], PerSample],
    picture: Float[Tensor, "c h w"],
    variance: float,
    rng: torch.Generator,
    draws: int,
) -> Float[Tensor, " draws"]:
    """``ln p(x - sigma e_k)`` of one picture, for colours in [0, 1], in float64."""
    noise = torch.randn(draws, *picture.shape, generator=rng, device=picture.device, dtype=torch.float64)
    inside = to_inside(picture.double() + math.sqrt(variance) * noise).float()
    parts = [log_density(part).double() for part in inside.split(ROWS)]
    return torch.cat(parts) + picture.numel() * math.log(COLOURS / LEVELS_PER_UNIT)


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
