"""Bits per dimension of pictures under a model that knows its likelihood, beside yardsticks of the same pictures."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.pixels import COLOURS, to_float
from ganvas.core.results import Result
from ganvas.data.packed import Packed
from ganvas.losses.capabilities import DetailsDensity, HasDensity, Inverts, ReducesColours
from ganvas.losses.likelihoods.bits import bits_per_dimension, density_protocol
from ganvas.metrics.likelihood.yardsticks import MOST_DIMENSIONS, Bits, gaussian_wants, yardsticks

METRIC = "bits_per_dimension"
BATCH = 64
MOST_FITTED = 10_000  # Training pictures that yardsticks are fitted on.
HALF_A_COLOUR, LOST = 1 / 255, 0.5  # In units of [-1, 1]: how far an inverse may be off, and when it is lost.
ABOUT_JPEG = (
    "Some of these pictures are JPEG files, which have lost what most bits are about: bits per dimension of them "
    "compare with each other and not with those in papers."
)
ABOUT_BINS = (
    "The density is exact, of pictures with noise within the bins of their colours; as a probability of whole colours "
    "it is a bound, which --samples K tightens."
)

Rows = Int[np.ndarray, " n"]


@torch.no_grad()
def picture_bits(
    model: HasDensity,
    packed: Packed,
    rows: Rows,
    *,
    device: torch.device,
    seed: int,
    batch: int = BATCH,
    tick: Callable[[int], None] = lambda done: None,
) -> Bits:
    """Bits per dimension of each picture of ``rows``.

    Args:
        seed: Of the noise of a model whose likelihood is a bound or an estimate.
        tick: Called with how many pictures are done.
    """
    rng = torch.Generator(device).manual_seed(derive_seed(seed, "held out noise"))
    parts: list[Float[Tensor, " k"]] = []
    for start in range(0, len(rows), batch):
        pixels = torch.from_numpy(packed.read(rows[start : start + batch])).permute(0, 3, 1, 2).to(device)
        parts.append(model.log_prob(to_float(pixels), rng).double().cpu())
        tick(min(start + batch, len(rows)))
    return bits_per_dimension(torch.cat(parts), packed.height * packed.width * packed.channels)


def results(bits: Bits, protocol: str, *, seed: int, yardsticks: Sequence[Result] = ()) -> list[Result]:
    """The mean with its standard error, then the yardsticks of the same pictures."""
    return [_result(METRIC, bits, protocol, seed=seed), *yardsticks]


def protocol_of(model: HasDensity, packed: Packed, *, n: int, trained_on: bool = False) -> str:
    """What bits of these pictures rest on; a likelihood of pictures that were JPEG, or of the training, says so."""
    said = density_protocol(
        model.density,
        n=n,
        pictures=packed.fingerprint,
        dimensions=packed.height * packed.width * packed.channels,
        details=model.density_details if isinstance(model, DetailsDensity) else "",
        levels=levels_of(model),
        trained_on=trained_on,
    )
    return f"{said}:jpeg" if were_jpeg(packed) else said


def levels_of(model: HasDensity) -> int:
    """To how many colours a model reduces pictures; 256 where it takes them as they are."""
    return model.levels if isinstance(model, ReducesColours) else COLOURS


@torch.no_grad()
def about_inverse(model: object, packed: Packed, rows: Rows, *, device: torch.device) -> str:
    """What is to be said of a flow whose way back does not lead to the pictures; "" where it does, and of others.

    Raises:
        UserError: it leads nowhere near, so that no number would mean anything.
    """
    if not isinstance(model, Inverts):
        return ""
    pixels = torch.from_numpy(packed.read(rows[:BATCH])).permute(0, 3, 1, 2).to(device)
    error = float(model.inverse_error(to_float(pixels)).nan_to_num(nan=math.inf).max())
    if error > LOST:
        raise UserError(
            f"Pictures come back from their latents changed by up to {error:.2g}, and colours are in [-1, 1]: this "
            "model has lost its inverse, and what it draws has no likelihood. Take an earlier one of the run (--kimg)."
        )
    if error <= HALF_A_COLOUR:
        return ""
    return (
        f"Pictures come back from their latents changed by up to {error / (2 * HALF_A_COLOUR):.2g} whole colours: "
        "what is drawn has no longer quite this likelihood."
    )


def yardstick_results(
    train: Packed | None,
    held_out: Packed,
    rows: Rows,
    protocol: str,
    *,
    seed: int,
    most: int = MOST_FITTED,
    levels: int = COLOURS,
) -> list[Result]:
    """Yardsticks of the pictures of ``rows``, fitted on at most ``most`` training pictures, evenly chosen.

    Args:
        train: None leaves out those that are fitted.
    """
    fitted = None
    if train is not None:
        fitted = train.read(np.unique(np.linspace(0, len(train) - 1, min(most, len(train))).astype(np.int64)))
    found = yardsticks(fitted, held_out.read(rows), levels=levels)
    return [_result(f"{METRIC}.{one.name}", one.bits, protocol, seed=seed) for one in found]


def about_gaussian(train: Packed | None, *, most: int = MOST_FITTED) -> str:
    """What is to be said of a Gaussian that does not stand beside, of too few training pictures; "" where it stands."""
    if train is None:
        return ""
    numbers, fitted = train.height * train.width * train.channels, min(most, len(train))
    if numbers > MOST_DIMENSIONS or fitted >= gaussian_wants(numbers):
        return ""
    return (
        f"No Gaussian stands beside: its covariance of {numbers:,} numbers cannot be found from {fitted:,} training "
        f"pictures. {gaussian_wants(numbers):,} would do."
    )


def were_jpeg(packed: Packed) -> bool:
    """Whether some of the pictures came from JPEG files, as far as their names say.

    JPEG has thrown away what most bits are about: CIFAR-10 as JPEG files takes 2.4 bits per dimension, fewer than the
    best models need for the original pictures.
    """
    return any(name.lower().endswith((".jpg", ".jpeg", ".jfif")) for name in packed.names or ())


def _result(metric: str, bits: Bits, protocol: str, *, seed: int) -> Result:
    return Result(
        metric=metric,
        value=float(bits.mean()),
        standard_error=float(bits.std()) / math.sqrt(len(bits)),
        error_method="standard error of the mean over pictures",
        n=len(bits),
        seed=seed,
        better="lower" if metric == METRIC else "neither",
        protocol=protocol,
    )
