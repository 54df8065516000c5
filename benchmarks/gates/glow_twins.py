"""What holds of a Glow and of none of its twins that are wrong on purpose: invariants that want no training.

Of a picture: the log-determinant is that of the Jacobian, the way back leads to it, and it is as probable alone as
among others. A twin that learns may hide behind good bits; here it is red in seconds.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from ganvas.core.seeds import stream
from ganvas.models.flow.glow import TINY, Model, Split, move_of
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.invertible_conv import PlainConv
from ganvas.nn.invertible.moves import Move
from ganvas.nn.layers.initialise import initialise

Figures = Mapping[str, float]


def figures_of_twins() -> dict[str, Figures]:
    """How far each twin is from what holds of a flow."""
    with forgetful():
        found = {"no log-det of the 1x1": off(small_glow())}
    for name, spoil in TWINS.items():
        twin = small_glow()
        spoil(twin)
        found[name] = off(twin)
    return found


def small_glow() -> Model:
    """Of pictures of 4x4, with weights by chance: none of its parts is the identity."""
    model = Model(replace(TINY, height=4, width=4)).double().eval()
    initialise(model, stream(0, "weights"))
    rng = stream(1, "weights")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64))
    return model


def off(model: Model) -> Figures:
    """How far it is from what holds of a flow: the log-determinant, the way back, the density of a picture alone."""
    x = 2 * torch.rand(4, 3, 4, 4, generator=stream(2, "pictures"), dtype=torch.float64) - 1
    with torch.no_grad():
        _, log_det = model.flow(x[:1])
        alone = torch.cat([model.log_density(one[None]) for one in x]) - model.log_density(x)
        back = model.inverse_error(x)
    size = x[0].numel()
    jacobian = torch.autograd.functional.jacobian(lambda one: model.flow(one[None])[0][0], x[0]).view(size, size)
    return {
        "log_det": float((torch.linalg.slogdet(jacobian).logabsdet - log_det[0]).abs()),
        "inverse": float(back.max()),
        "alone": float(alone.abs().max()),
    }


class OfAnother(nn.Module):
    """What a network says of the picture before each."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x).roll(1, 0)


def score_by_others(model: nn.Module) -> None:
    """Each split takes the prior of another picture."""
    for split in [part for part in model.modules() if isinstance(part, Split)]:
        split.add_module("prior", OfAnother(split.prior))


@dataclass(frozen=True)
class Mixed:
    """The way there of one move, the way back of another, and slopes as ``sign`` has them."""

    there: Move
    back: Move
    sign: float = 1.0

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y, log_slopes = self.there.forward(x)
        return y, self.sign * log_slopes

    def inverse(self, y: Tensor) -> Tensor:
        return self.back.inverse(y)


def undo_in_the_other_order(model: nn.Module) -> None:
    """Couplings move as the paper has it, and come back as the code has it."""
    _couple(model, lambda h: Mixed(_move(h, "scale-shift"), _move(h, "shift-scale")))


def count_the_way_back(model: nn.Module) -> None:
    """Couplings say the log-determinant of their inverse."""
    _couple(model, lambda h: Mixed(_move(h, "scale-shift"), _move(h, "scale-shift"), sign=-1.0))


def _move(h: Tensor, order: Literal["scale-shift", "shift-scale"]) -> Move:
    return move_of(h, replace(TINY, order=order))


def _couple(model: nn.Module, move: Callable[[Tensor], Move]) -> None:
    for part in model.modules():
        if isinstance(part, CouplingLayer):
            part.move = move


TWINS: Mapping[str, Callable[[nn.Module], None]] = {
    "the split prior of another picture": score_by_others,
    "couplings undone in the other order": undo_in_the_other_order,
    "slopes of the way back": count_the_way_back,
}


@contextlib.contextmanager
def forgetful() -> Iterator[None]:
    """While inside, 1x1 convolutions say that they change no volume."""
    honest = PlainConv.log_abs_det
    PlainConv.log_abs_det = lambda self: self.weight.new_zeros(())
    try:
        yield
    finally:
        PlainConv.log_abs_det = honest
