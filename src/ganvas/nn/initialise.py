"""Starting weights as a function of one generator.

Construction draws nothing: operators are born with weights of nan, so that a forgotten initialisation is seen at the
first forward pass and torch's global stream is never touched. :func:`initialise` then gives every operator its draw.
"""

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
        elif next(part.parameters(recurse=False), None) is not None:
            raise UserError(
                f"'{name or 'the module'}' ({type(part).__name__}) owns parameters and has no reset(generator), so its "
                "start cannot be repeated. Use an operator of ganvas.nn, or give the class that method."
            )


@torch.no_grad()
def normal_(parameter: Tensor, generator: torch.Generator, *, std: float = 1.0) -> None:
    """Fills a parameter with N(0, std^2), drawn in float32 whatever its dtype, so that float64 starts alike."""
    parameter.copy_(torch.randn(parameter.shape, generator=generator, device=generator.device) * std)


def unset(*shape: int) -> nn.Parameter:
    """A parameter of nan, to be filled by ``reset``."""
    return nn.Parameter(torch.full(shape, torch.nan))
