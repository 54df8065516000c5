"""Dense networks of all seeds at once: their weights are one stack, and a layer is one batched product.

Twelve seeds then cost little more than one, since the time of small networks is that of calling them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SLOPE = 0.2  # Of leaky ReLUs below zero.

Stack = list[Tensor]  # Weights (seed, in, out) and biases (seed, 1, out) in turns.
Generators = Sequence[torch.Generator]
Activation = Callable[[Tensor], Tensor]


def generators_of(seeds: Sequence[int]) -> list[torch.Generator]:
    """A stream for each seed."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def normal(generators: Generators, *shape: int) -> Float[Tensor, "seeds ..."]:
    """Standard normal numbers, each seed's from its own stream."""
    return torch.stack([torch.randn(*shape, generator=generator) for generator in generators])


def uniform(generators: Generators, *shape: int) -> Float[Tensor, "seeds ..."]:
    """Numbers from 0 to 1, each seed's from its own stream."""
    return torch.stack([torch.rand(*shape, generator=generator) for generator in generators])


def whole(generators: Generators, below: int, *shape: int) -> Tensor:
    """Whole numbers from 0 to ``below - 1``, each seed's from its own stream."""
    return torch.stack([torch.randint(below, shape, generator=generator) for generator in generators])


def started(generators: Generators, widths: Sequence[int], *, gain: float = 2.0) -> Stack:
    """Weights of variance ``gain / in``, He's with 2; biases of 0. All of them can move."""
    stack: Stack = []
    for into, out in pairwise(widths):
        stack.append(normal(generators, into, out) * (gain / into) ** 0.5)
        stack.append(torch.zeros(len(generators), 1, out))
    return [part.requires_grad_() for part in stack]


def leaky(x: Tensor) -> Tensor:
    """A leaky ReLU of slope 0.2."""
    return F.leaky_relu(x, SLOPE)


def layers(stack: Stack) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of every layer."""
    return list(zip(stack[::2], stack[1::2], strict=True))


def dense(
    stack: Stack, x: Float[Tensor, "seeds n into"], activation: Activation = leaky
) -> Float[Tensor, "seeds n out"]:
    """The networks' outputs; an activation stands behind every layer but the last."""
    *hidden, (last_weight, last_bias) = layers(stack)
    for weight, bias in hidden:
        x = activation(torch.baddbmm(bias, x, weight))
    return torch.baddbmm(last_bias, x, last_weight)


def descend(loss: Tensor, optimiser: torch.optim.Optimizer, stack: Stack) -> None:
    """One move by a loss that is a sum over seeds, so that each seed descends its own."""
    optimiser.zero_grad()
    loss.backward(inputs=stack)
    optimiser.step()
