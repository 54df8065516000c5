"""The effective receptive field: how strongly each pixel of the input moves a unit, measured by its gradient.

Luo et al. 2016, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, section 2.
https://arxiv.org/abs/1701.04128

A unit can read a pixel and hardly care. The gradient of the unit with respect to the input, its absolute value averaged
over inputs and channels, is close to a Gaussian whose deviation grows with the square root of the depth, while the
field grows with the depth. For n convolutions of three equal taps the deviation is ``sqrt(2 n / 3)`` exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.anatomy.trace.recorder import tensors
from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.progress import progress
from ganvas.core.seeds import stream

EDGE = 0.0455  # 1 - 0.9545, the share that two deviations leave out (Luo et al. 2016, section 3).


@dataclass(frozen=True, kw_only=True)
class EffectiveField:
    """What moves a unit, over the whole input."""

    gradient: Float[np.ndarray, "h w"]  # Mean absolute gradient, its sum over the input 1; all 0 for a dead unit.
    unit: tuple[int, int] | None  # None for a layer without places.
    centre: tuple[float, float]  # Mean place, weighted by the gradient, pixels.
    deviation: tuple[float, float]  # Standard deviation along either axis, pixels.
    above: int  # Pixels above EDGE of the strongest.
    samples: int
    seed: int

    @property
    def side(self) -> float:
        """Side of the square with as many pixels as are above the edge."""
        return float(np.sqrt(self.above))


def effective_field(
    model: nn.Module,
    shape: Sequence[int],
    *,
    layer: str = "",
    unit: tuple[int, int] | None = None,
    index: tuple[int | slice, ...] | None = None,
    samples: int = 16,
    seed: int = 0,
    pictures: Float[Tensor, "n c h w"] | None = None,
    quiet: bool = True,
) -> EffectiveField:
    """Measures the gradient of one place of a layer with respect to the input.

    Channels of the layer are added with random signs, anew for each sample, so that they do not cancel in one way.

    Args:
        model: With real weights; it is run in evaluation mode and left as it was.
        shape: Of the input, with or without the batch: (1, 3, 64, 64).
        layer: Qualified name of a module; the output where left out. One without places is one unit as a whole.
        unit: Its place (y, x); the middle where left out.
        index: In place of ``unit``: what of the layer's output is the unit, the batch included. For sequences, whose
            places are on another axis.
        samples: Inputs averaged over; normal noise unless ``pictures`` are given.

    Raises:
        UserError: no such layer, a unit outside it, or a model without real weights.
    """
    if len(shape) not in (3, 4):
        raise UserError(f"The input {tuple(shape)} is not a picture: give channels, height and width.")
    if any(parameter.is_meta for parameter in model.parameters()):
        raise UserError("The network has shapes and no weights. Give it weights first: a gradient needs them.")
    modules = dict(model.named_modules())
    if layer not in modules:
        raise UserError(f"There is no module '{layer}' to measure at.{did_you_mean(layer, [n for n in modules if n])}")
    kept: dict[str, Tensor] = {}
    hook = modules[layer].register_forward_hook(lambda _, __, output: kept.update(output=_first(output, layer)))
    modes = {name: module.training for name, module in modules.items()}
    dtype = next((parameter.dtype for parameter in model.parameters()), torch.float32)
    height, width = shape[-2:]
    total, place = torch.zeros(height, width, dtype=torch.float64), unit
    try:
        model.eval()
        with progress("effective field", samples, unit="samples", quiet=quiet) as report:
            for sample in range(samples):
                random = stream(seed, "effective field", sample)
                drawn = torch.randn(1, *shape[-3:], generator=random)
                picture = drawn if pictures is None else pictures[sample % len(pictures)][None]
                picture = picture.to(dtype).requires_grad_()
                with torch.enable_grad():
                    model(picture)
                    if "output" not in kept:
                        raise UserError(f"'{layer}' did not run: this input does not come by it. Choose another layer.")
                    output = kept.pop("output")
                    if index is not None:
                        output = _part(output, index, layer)
                    elif output.dim() == 4:
                        place = _place(place, output, layer)
                        output = output[:, :, place[0], place[1]]
                    signs = torch.randint(0, 2, output.shape, generator=random).to(output) * 2 - 1
                    total += _gradient((output * signs).sum(), picture, layer)[0].abs().sum(0).double()
                report(sample + 1)
    finally:
        hook.remove()
        for name, module in modules.items():
            module.training = modes[name]
    gradient = (total / total.sum() if total.sum() > 0 else total).numpy()
    centre, deviation = _moments(gradient)
    return EffectiveField(
        gradient=gradient,
        unit=place,
        centre=centre,
        deviation=deviation,
        above=int((gradient > EDGE * gradient.max()).sum()),
        samples=samples,
        seed=seed,
    )


def _first(output: object, layer: str) -> Tensor:
    """The first tensor of an output, which may be a tuple, a dict or an object of tensors."""
    found = next(tensors(output), None)
    if found is None or not found.is_floating_point():
        given = f"a {type(output).__name__}" if found is None else str(found.dtype).removeprefix("torch.")
        raise UserError(
            f"'{layer or 'the output'}' gives {given}: no numbers that have a gradient. Choose another layer."
        )
    return found


def _part(output: Tensor, index: tuple[int | slice, ...], layer: str) -> Tensor:
    outside = len(index) > output.dim() or any(
        isinstance(at, int) and at >= size for at, size in zip(index, output.shape, strict=False)
    )
    if outside:
        raise UserError(f"'{layer or 'the output'}' gives another shape than its last operation. Choose a layer in it.")
    return output[index]


def _gradient(value: Tensor, picture: Tensor, layer: str) -> Tensor:
    """Zero where the value does not depend on the picture."""
    if not value.requires_grad:
        raise UserError(f"'{layer or 'the output'}' has no gradient: what it computes cuts it off from the picture.")
    (found,) = torch.autograd.grad(value, picture, allow_unused=True)
    return torch.zeros_like(picture) if found is None else found.detach()


def _place(unit: tuple[int, int] | None, output: Tensor, layer: str) -> tuple[int, int]:
    height, width = output.shape[2:]
    y, x = unit if unit is not None else ((height - 1) // 2, (width - 1) // 2)
    if not (0 <= y < height and 0 <= x < width):
        raise UserError(f"'{layer or 'the output'}' has {height} x {width} units, so there is no unit ({y}, {x}).")
    return y, x


def _moments(weights: Float[np.ndarray, "h w"]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Mean and deviation of the place along either axis."""
    if weights.sum() == 0:
        return (float("nan"), float("nan")), (0.0, 0.0)
    means, deviations = [], []
    for axis in (1, 0):
        along = weights.sum(axis=axis)
        place = np.arange(len(along))
        mean = float((along * place).sum())
        means.append(mean)
        deviations.append(float(np.sqrt((along * (place - mean) ** 2).sum())))
    return (means[0], means[1]), (deviations[0], deviations[1])
