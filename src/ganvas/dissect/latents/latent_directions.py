"""Directions in the space of latents along which pictures change much: closed forms of weights, and of activations.

- SeFa (Shen and Zhou 2021, https://arxiv.org/abs/2007.06600): the first map of the latent is ``A z + b``, so that a
  step ``n`` changes it by ``A n``, most for the eigenvectors of ``A^T A`` with the largest eigenvalues (eq. 4). The
  paper's code is another form: it divides each output's row of ``A`` by its norm first, and takes ``numpy.linalg.eig``,
  whose order is not that of the eigenvalues. Both forms are here, both in order.
- PCA (GANSpace, Harkonen et al. 2020, https://arxiv.org/abs/2004.02546): principal components of a layer's activations,
  and the latents' part of each by least squares without an intercept, as its code does.
- labelled directions: the change of latents that goes with a label's share of the picture, by least squares.

Directions have length 1, and a sign that makes their largest entry positive. Their order says how much a picture
changes, never what changes.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.shapes import Latents

Directions = Float[Tensor, "k z"]
Form = Literal["paper", "code"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundDirections:
    """Directions, the first with the largest value."""

    method: str
    directions: Directions
    values: Float[Tensor, " k"]  # Eigenvalues, variances, or squared correlations.


def sefa(first: Float[Tensor, "outputs z"], *, form: Form = "paper", count: int | None = None) -> FoundDirections:
    """Eigenvectors of ``A^T A`` of the first map of the latent, ``outputs`` by ``z``."""
    a = first.double()
    if form == "code":
        a = a / a.norm(dim=1, keepdim=True).clamp_min(1e-300)
    values, vectors = torch.linalg.eigh(a.T @ a)
    order = values.argsort(descending=True)[:count]
    return FoundDirections(
        method=f"sefa-{form}", directions=signed(vectors[:, order].T), values=values[order].clamp_min(0)
    )


def pca(z: Latents, activations: Float[Tensor, "n d"], *, count: int) -> FoundDirections:
    """Principal components of activations as directions of latents; ``values`` are shares of the variance.

    Raises:
        UserError: fewer samples than components.
    """
    if len(z) <= count:
        raise UserError(f"{count} components need more than {count} samples, and there are {len(z)}.")
    centred = (activations - activations.mean(0)).double()
    u, s, _ = torch.linalg.svd(centred, full_matrices=False)
    scaled = (u * s)[:, :count] / (s[:count] / (len(z) - 1) ** 0.5)  # Coordinates in standard deviations.
    solved = torch.linalg.lstsq(scaled, z.double()).solution
    return FoundDirections(
        method="pca",
        directions=signed(solved / solved.norm(dim=1, keepdim=True)),
        values=s[:count].square() / s.square().sum(),
    )


def labelled(z: Latents, factors: Float[Tensor, "n k"]) -> FoundDirections:
    """For each factor the direction that goes with it, by least squares with an intercept; ``values`` are R^2."""
    x = torch.cat([z.double(), torch.ones(len(z), 1, dtype=torch.float64)], 1)
    y = factors.double()
    solved = torch.linalg.lstsq(x, y).solution
    residual = (y - x @ solved).square().sum(0)
    total = (y - y.mean(0)).square().sum(0)
    weights = solved[:-1].T
    return FoundDirections(
        method="labelled",
        directions=weights / weights.norm(dim=1, keepdim=True).clamp_min(1e-300),
        values=torch.where(total > 0, 1 - residual / total.clamp_min(1e-300), 0.0),
    )


def random_directions(count: int, size: int, generator: torch.Generator) -> Directions:
    """Directions that know nothing: the bar beside every other."""
    drawn = torch.randn(count, size, generator=generator, dtype=torch.float64)
    return drawn / drawn.norm(dim=1, keepdim=True)


def signed(directions: Directions) -> Directions:
    """Each direction with the sign that makes its largest entry positive."""
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * torch.where(largest < 0, -1.0, 1.0)


def first_map(network: nn.Module, z: Latents) -> Float[Tensor, "outputs z"]:
    """The first linear map of latents in a network, with its scale: the matrix that SeFa factorises.

    The input of the first layer with a matrix of as many columns as a latent has numbers is followed; what stands
    before it (a normalisation) is left out, as in the paper.

    Raises:
        UserError: no layer takes latents as they are.
    """
    size = z.shape[1]
    for module in network.modules():
        weight = module._parameters.get("weight")
        if weight is not None and weight.dim() >= 2 and size in weight.shape[:2]:
            return _matrix(weight.detach(), size)
    raise UserError(
        f"No layer of this network takes its {size} latents as they are, so there is no first map to factorise. Use "
        "--method pca."
    )


def _matrix(weight: Tensor, size: int) -> Float[Tensor, "outputs z"]:
    """Outputs by latents, of a dense layer (out, z), or of a transposed convolution of a point (z, out, h, w)."""
    if weight.dim() == 2 and weight.shape[1] == size:
        return weight
    if weight.dim() == 4 and weight.shape[0] == size:
        return weight.flatten(1).T
    return weight.transpose(0, 1).flatten(1).T if weight.shape[1] == size else weight.T
