"""Starting weights as a function of one generator.

Construction of Ganvas's operators draws nothing: they are born with parameters of nan. :func:`initialise` gives every
operator its draw, and torch's own layers theirs, from streams that the generator seeds. A forward pass before it, or
before a state dict is loaded, raises a UserError that says so, since nan in silence would be found hours later.
"""

from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.seeds import torch_seeded


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draws the start of every operator below ``module``, depth first, in the order of registration.

    An operator of Ganvas has a method ``reset(generator)``, which sets its own parameters and buffers and not its
    children's. A layer of torch has ``reset_parameters()``, which draws from torch's global stream: that stream is
    seeded from the generator for the call and put back. Parameters that do not require gradients belong to nobody and
    stay as they are. Numbers are drawn on the generator's device and then moved, so that a network starts alike on a
    CPU and a GPU.

    Raises:
        UserError: a module owns parameters and has neither method, so its start cannot be repeated.
    """
    for name, part in module.named_modules():
        own = list(part.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            continue
        if isinstance(part, Resets):
            part.reset(generator)
            for parameter in own:
                _settle(parameter)
        elif isinstance(part, ResetsParameters):
            _reset_torch_layer(part, generator)
        elif own:
            raise UserError(
                f"'{name or 'the module'}' ({type(part).__name__}) owns parameters and has neither reset(generator) "
                "nor reset_parameters(), so its start cannot be repeated. Give the class one of them."
            )


@runtime_checkable
class Resets(Protocol):
    """An operator that draws its own start."""

    def reset(self, generator: torch.Generator) -> None: ...


@runtime_checkable
class ResetsParameters(Protocol):
    """A layer of torch, which draws its start from torch's global stream."""

    def reset_parameters(self) -> None: ...


def _reset_torch_layer(layer: ResetsParameters, generator: torch.Generator) -> None:
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch_seeded(seed):
        layer.reset_parameters()


def start_unset(module: nn.Module, generator: torch.Generator) -> None:
    """Calls ``reset(generator)`` of those operators below ``module`` whose parameters are still nan, in the same order.

    What has values, loaded ones for instance, keeps them. An operator of buffers alone follows its neighbours: the
    vectors of a spectral norm are made anew with the weight beside them. Shapes alone (on the meta device) stay so.
    """
    started = list[str]()
    for name, part in module.named_modules():
        own = list(part.parameters(recurse=False))
        parent = name.rpartition(".")[0]
        if not isinstance(part, Resets) or any(parameter.is_meta for parameter in own):
            continue
        beside = not own and any(other.startswith(f"{parent}." if parent else "") for other in started)
        if beside or any(parameter.isnan().any() for parameter in own):
            part.reset(generator)
            started.append(name)


@torch.no_grad()
def normal_(parameter: Tensor, generator: torch.Generator, *, std: float = 1.0) -> None:
    """Fills a parameter with N(0, std^2), drawn in float32 whatever its dtype, so that float64 starts alike."""
    parameter.copy_(torch.randn(parameter.shape, generator=generator, device=generator.device) * std)


class Unset(nn.Parameter):
    """A parameter that may still be nan; becomes an ordinary one when it is seen to hold values."""


Maybe = TypeVar("Maybe", Tensor, Tensor | None)


def unset(*shape: int) -> nn.Parameter:
    """A parameter of nan, to be filled by ``reset`` and read through :func:`filled`."""
    return Unset(torch.full(shape, torch.nan))


def filled(parameter: Maybe) -> Maybe:
    """The parameter, looked at once in its life: it costs a comparison of types where it is known to hold values.

    Shapes alone (on the meta device), traced graphs and CUDA graphs pass: they cannot be looked at.

    Raises:
        UserError: nothing has filled it yet.
    """
    if type(parameter) is Unset and _can_be_seen(parameter):
        with torch._C.DisableTorchFunction(), torch.no_grad():  # Not an operation of the network that is looked at.
            empty = bool(parameter.isnan().all()) and parameter.numel() > 0
        if empty:
            raise UserError(
                f"A parameter of shape {tuple(parameter.shape)} has no values yet: operators of ganvas.nn draw nothing "
                "when they are made. Call ganvas.nn.layers.initialise.initialise(module, "
                "torch.Generator().manual_seed(0)), or load a state dict, before the first forward pass."
            )
        _settle(parameter)
    return parameter


def _can_be_seen(parameter: Tensor) -> bool:
    traced = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[reportPrivateImportUsage]
    if parameter.is_meta or traced:
        return False
    return not (parameter.is_cuda and torch.cuda.is_current_stream_capturing())


def _settle(parameter: Tensor) -> None:
    if type(parameter) is Unset:
        parameter.__class__ = nn.Parameter  # type: ignore[assignment]
