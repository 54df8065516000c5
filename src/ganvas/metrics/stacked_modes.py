"""The modes of stacked pictures that a generator reaches, told apart channel by channel by a classifier of your own.

Metz et al. 2017, Unrolled Generative Adversarial Networks. https://arxiv.org/abs/1611.02163

For models trained on ``stacked:SRC`` (:mod:`ganvas.data.sources.stacked`). A classifier of the single pictures
(``ganvas features train SRC``, given by ``--features FILE``) names the class of each channel; the three classes are the
picture's mode, of 1,000 with ten classes. The value is the number of modes with at least one generated picture.
"stacked_modes.reverse_kl" is ``KL(q || p)`` in nats between the modes' shares q of generated pictures and p, that of
the reals: a product of each channel's shares of classes, since the channels of a stack are drawn apart.

Both depend on the number of pictures: ten thousand that are spread over 1,000 modes as they should be miss none, and a
thousand miss a third of them. Compare at one n, beside what reals score. The divergence is about (modes - 1) / 2n too
large.

Standard error: of the count, from each mode's chance ``(1 - c/n)^n`` to be missed by such a draw, c pictures having
been found at it; a mode that was missed adds nothing. Of the divergence, the deviation of ``log q/p``, over the root of
n.

Departs from the paper: the shares p are those that the classifier finds of the reals, errors of its own included.
Memory: a number per mode.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.metric_contract import Stats, require_pair
from ganvas.metrics.maths.distances import moments

NAME = "stacked_modes"
TITLE = "Modes of stacked pictures"
BETTER = "higher"
SEES = "channel_logits"
NETWORK = "classifier.safetensors"
MINIMUM = 2
CHANNELS = 3


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures and the classifier."""


TINY = Config()


class Accumulator(Stats):
    """Pictures of every mode."""

    Config = Config

    def _add(self, rows: Float[Tensor, "n c"], index: Int[Tensor, " n"]) -> None:
        if rows.shape[1] < 2 * CHANNELS:
            raise UserError(f"{TITLE} needs the logits of at least 2 classes for each channel.")
        parts = rows.tensor_split(CHANNELS, 1)
        sizes = [part.shape[1] for part in parts]
        red, green, blue = (part.argmax(1) for part in parts)
        counts = torch.bincount((red * sizes[1] + green) * sizes[2] + blue, minlength=math.prod(sizes))
        self._sum("modes", counts.double().view(sizes))


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The number of modes, and the divergence of their shares."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE)
    counts = fake.sums["modes"].flatten()
    missed = (1 - counts / fake.n) ** fake.n
    divergence, error = _reverse_kl(counts, shares(real.sums["modes"]).flatten())
    values = (
        (NAME, float((counts > 0).sum()), float((missed * (1 - missed)).sum()) ** 0.5, "chance of a miss", BETTER),
        (f"{NAME}.reverse_kl", divergence, error, "delta method", "lower"),
    )
    return [
        Result(
            metric=metric,
            value=value,
            standard_error=of_value,
            error_method=method,
            n=fake.n,
            seed=fake.seed,
            better="lower" if better == "lower" else "higher",
            protocol=f"{moments.protocol(fake, NAME, real)}:modes{counts.numel()}",
        )
        for metric, value, of_value, method, better in values
    ]


def shares(counts: Float64[Tensor, "r g b"]) -> Float64[Tensor, "r g b"]:
    """Of modes whose channels are drawn apart: a product of shares of classes, half a picture added to every class."""
    axes = [[axis for axis in range(CHANNELS) if axis != kept] for kept in range(CHANNELS)]
    red, green, blue = (counts.sum(others) + 0.5 for others in axes)
    return (red / red.sum())[:, None, None] * (green / green.sum())[:, None] * (blue / blue.sum())


def _reverse_kl(counts: Float64[Tensor, " m"], p: Float64[Tensor, " m"]) -> tuple[float, float]:
    found = counts > 0
    q = counts[found] / counts.sum()
    logs = (q / p[found]).log()
    mean = float((q * logs).sum())
    variance = max(float((q * logs.square()).sum()) - mean**2, 0.0)
    return mean, math.sqrt(variance / float(counts.sum()))
