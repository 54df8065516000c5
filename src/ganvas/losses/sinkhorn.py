"""Optimal transport between two batches by Sinkhorn's iteration, in the log domain.

Cuturi: Sinkhorn Distances (NIPS 2013), https://arxiv.org/abs/1306.0895, for two uniform laws of n samples each. Plans
are scaled as Salimans et al. 2018 have them (Improving GANs Using Optimal Transport, https://arxiv.org/abs/1803.05573):
every row and every column adds up to 1. Exponentials of ``sharpness`` times a cost underflow for all but the nearest
samples; their logarithms do not.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import Scalar


@torch.no_grad()
def sinkhorn_plan(
    cost: Float[Tensor, "*batch n n"], *, sharpness: float = 500.0, iterations: int = 500
) -> Float[Tensor, "*batch n n"]:
    """The plan M that minimises ``sum M C + (1 / sharpness) sum M log M``, its rows and columns adding up to 1.

    It is constant: no gradient flows through it.

    Args:
        cost: C; of several pairs of batches at once, with dimensions before the last two.
        sharpness: lambda in the papers. The larger, the nearer is M to an assignment, and the slower the way there.
        iterations: Of rows, then columns, and rows once more: those add up to 1 exactly, columns in the limit.
    """
    scaled = -sharpness * cost.to(torch.promote_types(cost.dtype, torch.float32))
    columns = torch.zeros_like(scaled[..., :1, :])  # The logarithms of what scales each column.
    for _ in range(iterations):
        rows = -torch.logsumexp(scaled + columns, -1, keepdim=True)
        columns = -torch.logsumexp(scaled + rows, -2, keepdim=True)
    return torch.softmax(scaled + columns, -1)


def sinkhorn_cost(
    cost: Float[Tensor, "*batch n n"], *, sharpness: float = 500.0, iterations: int = 500
) -> Float[Tensor, "*batch"]:
    """``(sum M C + (1 / sharpness) sum M log M) / n`` with the plan M of :func:`sinkhorn_plan`: per sample.

    M minimises this sum, so the derivative by C is M / n, as if M were constant (the envelope theorem): what Salimans
    et al. descend is the slope of this very number, once the iteration has arrived.
    """
    plan = sinkhorn_plan(cost, sharpness=sharpness, iterations=iterations)
    entropy = torch.special.entr(plan).sum((-2, -1))
    return ((plan * cost).sum((-2, -1)) - entropy / sharpness) / cost.shape[-1]


def cosine_cost(x: Float[Tensor, "n f"], y: Float[Tensor, "m f"]) -> Float[Tensor, "n m"]:
    """``1 - x . y`` of features of length 1 (Salimans et al. 2018, eq. 9)."""
    return 1 - x @ y.T


def euclidean_cost(x: Float[Tensor, "n f"], y: Float[Tensor, "m f"]) -> Float[Tensor, "n m"]:
    """How far samples lie apart, in float32 at least; from differences, since products lose what is near."""
    wide = torch.promote_types(x.dtype, torch.float32)
    return torch.cdist(x.to(wide), y.to(wide), compute_mode="donot_use_mm_for_euclid_dist")


def minibatch_energy_distance(
    x: Float[Tensor, "n f"],
    other_x: Float[Tensor, "n f"],
    y: Float[Tensor, "n f"],
    other_y: Float[Tensor, "n f"],
    *,
    cost: Callable[[Tensor, Tensor], Tensor] = cosine_cost,
    sharpness: float = 500.0,
    iterations: int = 500,
) -> Scalar:
    """``W(x, y) + W(x, y') + W(x', y) + W(x', y') - 2 W(x, x') - 2 W(y, y')`` (Salimans et al. 2018, algorithm 1).

    W is :func:`sinkhorn_cost` of ``cost``. Transport between two batches of one law is not free, so W alone
    is no distance between laws; this difference is 0 on average where they are the same. Both batches of a side must
    be independent of each other.
    """
    pairs = [(x, y), (x, other_y), (other_x, y), (other_x, other_y), (x, other_x), (y, other_y)]
    costs = torch.stack([cost(one, other) for one, other in pairs])
    across, within_x, within_y = sinkhorn_cost(costs, sharpness=sharpness, iterations=iterations).split([4, 1, 1])
    return across.sum() - 2 * within_x.sum() - 2 * within_y.sum()


def refuse_halves(batch_size: int) -> None:
    """Refuses a batch that does not come apart into two independent ones of at least two samples each.

    Raises:
        UserError: it does not; the last batch of a source that is no whole number of them, for instance.
    """
    if batch_size < 4 or batch_size % 2:
        raise UserError(
            f"batch_size={batch_size} must come apart into two halves of at least 2 samples, between which transport "
            "is planned. Give an even number from 4 on; plans are worth something from some hundred on."
        )
