"""Starting weights as a function of one generator.

Construction draws nothing, so torch's global stream is never touched: operators are born with parameters of nan.
:func:`initialise` gives every operator its draw. A forward pass before it, or before a state dict is loaded, raises a
UserError that says so, since nan in silence would be found hours later.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Calls ``reset(generator)`` of every operator below ``module``, depth first, in the order of registration.

    An operator is a module with a method ``reset``, which sets its own parameters and buffers and not its children's.
    Numbers are drawn on the generator's device and then moved, so that a network starts alike on a CPU and a GPU.

    Raises:
        UserError: a module owns parameters and has no ``reset``; torch's own layers have drawn from the global stream.
    """
    for name, part in module.named_modules():
        reset = getattr(part, "reset", None)
        if reset is not None:
            reset(generator)
            for parameter in part.parameters(recurse=False):
                _settle(parameter)
        elif next(part.parameters(recurse=False), None) is not None:
            raise UserError(
                f"'{name or 'the module'}' ({type(part).__name__}) owns parameters and has no reset(generator), so its "
                "start cannot be repeated. Use an operator of ganvas.nn, or give the class that method."
            )


def start_unset(module: nn.Module, generator: torch.Generator) -> None:
    """Calls ``reset(generator)`` of those operators below ``module`` whose parameters are still nan, in the same order.

    What has values, loaded ones for instance, keeps them. An operator of buffers alone follows its neighbours: the
    vectors of a spectral norm are made anew with the weight beside them. Shapes alone (on the meta device) stay so.
    """
    started = list[str]()
    for name, part in module.named_modules():
        own = list(part.parameters(recurse=False))
        parent = name.rpartition(".")[0]
        if not hasattr(part, "reset") or any(parameter.is_meta for parameter in own):
            continue
        beside = not own and any(other.startswith(f"{parent}." if parent else "") for other in started)
        if beside or any(parameter.isnan().any() for parameter in own):
            part.reset(generator)  # type: ignore[operator]
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
