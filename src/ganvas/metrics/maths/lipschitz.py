"""Lipschitz constants of networks: the steepest place found, and the product of norms that no place exceeds.

The true constant lies between the two. The first is the largest singular value of the Jacobian over given places and,
around the steepest of them, some more; the second holds for chains of linear layers and functions of slope at most 1.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

KEPT = 64  # Steepest places, around which others are tried.
ROUNDS = 6
TRIES = 16  # Around each, in every round at half the distance of the round before.
FIRST_REACH = 0.5
FLAT = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.Identity, nn.Flatten)  # Slope at most 1.

Network = Callable[[Tensor], Tensor]
Places = Float[Tensor, "n z"]


def slopes(network: Network, places: Places) -> Float[Tensor, " n"]:
    """The largest singular value of the Jacobian at each place, in float64.

    Args:
        network: Rows (n, z) to rows (n, d) or numbers (n,), each a function of its own row alone.
    """
    inputs = places.detach().clone().requires_grad_()
    with torch.enable_grad():
        outputs = network(inputs).reshape(len(places), -1)
        rows = [torch.autograd.grad(column.sum(), inputs, retain_graph=True)[0] for column in outputs.unbind(1)]
    return torch.linalg.matrix_norm(torch.stack(rows, dim=1).double(), ord=2)


def steepest(network: Network, places: Places, rng: torch.Generator) -> float:
    """The largest slope found at the places and around the steepest of them: never more than the Lipschitz constant."""
    found = slopes(network, places)
    for round_ in range(ROUNDS):
        best = found.topk(min(KEPT, len(places))).indices
        around = places[best].repeat(TRIES, 1)
        away = torch.randn(around.shape, generator=rng, device=rng.device).to(around)
        tried = around + FIRST_REACH * 0.5**round_ * away
        places, found = torch.cat([places[best], tried]), torch.cat([found[best], slopes(network, tried)])
    return float(found.max())


def product_of_norms(layers: nn.Sequential) -> float:
    """The product of the largest singular values of the linear layers: never less than the Lipschitz constant.

    Raises:
        TypeError: a layer is neither linear nor known to have a slope of at most 1.
    """
    product = 1.0
    for layer in layers:
        if isinstance(layer, nn.Linear):
            product *= float(torch.linalg.matrix_norm(layer.weight.detach().double(), ord=2))
        elif not isinstance(layer, FLAT):
            raise TypeError(f"No bound is known for {type(layer).__name__}.")
    return product
