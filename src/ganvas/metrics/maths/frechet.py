"""The Fréchet distance between two Gaussians, without a matrix square root: the floor under every Fréchet metric.

Dowson and Landau 1982; as a metric of generators, Heusel et al. 2017. https://arxiv.org/abs/1706.08500 ::

    FD = |mean_a - mean_b|^2 + tr A + tr B - 2 tr (A B)^(1/2)

With any factors A = F F', B = G G' the last trace is the sum of the singular values of F'G, whatever the shapes of the
factors. So the smallest factor is taken: the Cholesky factor of a covariance of full rank, and the n x d rows of a set
of n <= d pictures, for which everything is n x n. Two covariances of full rank need only the eigenvalues of the
symmetric F'BF; at lower ranks their roots would be those of rounding, 1e-8 each, and the singular values are taken.
``scipy.linalg.sqrtm`` of the product, the usual way, is many times slower, and complex, huge or nan at lower ranks.

All float64. Nothing is added to a diagonal.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.metrics.maths import matmul

EPSILON = float(torch.finfo(torch.float64).eps)
FAINTEST = 1e-6  # Singular values below this part of the largest carry nothing of a standard error.

Vector = Float[Tensor, " d"]
Square = Float[Tensor, "d d"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussian:
    """A mean and a covariance (float64), as a matrix or as the rows it comes from; factors are found once."""

    mean: Vector
    matrix: Float[Tensor, "n d"]  # The covariance; or rows, centred, by the root of n - 1: cov = rows' rows.
    from_rows: bool = False

    @cached_property
    def trace(self) -> float:
        """Of the covariance."""
        return float(self.matrix.square().sum() if self.from_rows else self.matrix.trace())

    @cached_property
    def cov(self) -> Square:
        return matmul.product(self.matrix.T, self.matrix) if self.from_rows else self.matrix

    @cached_property
    def cholesky(self) -> Square | None:
        """The lower triangular factor, where the covariance has full rank."""
        if self.from_rows:
            return None
        factor, failed = torch.linalg.cholesky_ex(self.matrix)
        return None if int(failed) else factor

    @cached_property
    def factor(self) -> Float[Tensor, "d r"]:
        """``F`` with cov = F F'."""
        if self.from_rows:
            return self.matrix.T
        return _spectral_factor(self.matrix) if self.cholesky is None else self.cholesky

    def times(self, other: Float[Tensor, "d k"]) -> Float[Tensor, "d k"]:
        """``cov @ other``."""
        product = matmul.product(self.matrix, other)
        return matmul.product(self.matrix.T, product) if self.from_rows else product


@dataclass(frozen=True, kw_only=True, eq=False)
class Influence:
    """How a distance moves, to first order, with the weight of a picture of one side: ``grow . z + |z|^2 - |z Q|^2``,
    z the picture's row less the mean.
    """

    mean: Vector
    slope: Vector  # 2 (own mean - other mean)
    transport: Float[Tensor, "d k"]  # Q, whose Q Q' maps this side's Gaussian onto the other's.

    def of(self, rows: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """For each row."""
        centred = rows.double() - self.mean
        return centred @ self.slope + centred.square().sum(1) - (centred @ self.transport).square().sum(1)


def gaussian_of_moments(mean: Vector, cov: Square) -> Gaussian:
    """A Gaussian by its moments; a covariance that is not quite symmetric counts by its symmetric part."""
    mean, cov = mean.double(), cov.double()
    if not (mean.isfinite().all() and cov.isfinite().all()):
        raise UserError("Mean or covariance of the features hold nan or infinity: nothing can be compared with them.")
    return Gaussian(mean=mean, matrix=(cov + cov.T) / 2)


def gaussian_of_rows(rows: Float[Tensor, "n d"]) -> Gaussian:
    """The Gaussian of a set in memory: unbiased covariance, kept as rows where that is smaller."""
    n, dimensions = rows.shape
    if n < 2:
        raise UserError(f"A covariance needs at least 2 pictures and was given {n}.")
    rows = rows.double()
    mean = rows.mean(0)
    scaled = (rows - mean) / (n - 1) ** 0.5
    if not scaled.square().sum().isfinite():
        raise UserError("Features hold nan, infinity or numbers too large to be squared: nothing can be compared.")
    if n <= dimensions:
        return Gaussian(mean=mean, matrix=scaled, from_rows=True)
    return Gaussian(mean=mean, matrix=matmul.product(scaled.T, scaled))


def frechet_distance(mean_a: Vector, cov_a: Square, mean_b: Vector, cov_b: Square) -> float:
    """``|mean_a - mean_b|^2 + tr A + tr B - 2 tr (A B)^(1/2)`` of covariances of any rank.

    >>> mean, cov = torch.zeros(2), torch.eye(2)
    >>> round(frechet_distance(mean, cov, mean + 3, 4 * cov), 9)
    20.0
    """
    return distance(gaussian_of_moments(mean_a, cov_a), gaussian_of_moments(mean_b, cov_b))


def frechet_from_features(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> float:
    """The distance between the Gaussians of two sets of rows; n x m where these are fewer than dimensions."""
    return distance(gaussian_of_rows(x), gaussian_of_rows(y))


def distance(a: Gaussian, b: Gaussian) -> float:
    """The Fréchet distance; what rounding leaves below 0 is 0."""
    _require_alike(a, b)
    if a.cholesky is None or b.cholesky is None:
        return _assemble(a, b, _nuclear(a, b))
    squares = torch.linalg.eigvalsh(matmul.congruence(a.cholesky, b.cov))  # Of the lower triangle.
    return _assemble(a, b, _sum_of_roots(squares))


def distance_and_influences(a: Gaussian, b: Gaussian) -> tuple[float, Influence, Influence]:
    """The distance, and what moves it on either side.

    With B = G G' the optimal map from a to b is T = G (G'AG)^(-1/2) G' (Takatsu 2011); the derivative of the distance
    is I - T by A, and by symmetry I - T^(-1) by B. Directions in which a side has no pictures have no part in either.
    """
    _require_alike(a, b)
    if a.factor.shape[1] < b.factor.shape[1]:
        value, of_b, of_a = distance_and_influences(b, a)
        return value, of_a, of_b
    squares, vectors = torch.linalg.eigh(matmul.product(b.factor.T, a.times(b.factor)))
    whole = a.cholesky is not None and b.cholesky is not None
    value = _assemble(a, b, _sum_of_roots(squares) if whole else _nuclear(a, b))
    singular = squares.clamp_min(0).sqrt()
    kept = singular > FAINTEST * singular.max() if len(singular) else singular > 0
    singular, basis = singular[kept], b.factor @ vectors[:, kept]
    apart = 2 * (a.mean - b.mean)
    of_a = Influence(mean=a.mean, slope=apart, transport=basis / singular.sqrt())
    of_b = Influence(mean=b.mean, slope=-apart, transport=a.times(basis) / singular**1.5)
    return value, of_a, of_b


def _require_alike(a: Gaussian, b: Gaussian) -> None:
    if len(a.mean) != len(b.mean):
        raise UserError(
            f"Features of {len(a.mean)} and of {len(b.mean)} numbers do not compare. Take both from one network."
        )


def _assemble(a: Gaussian, b: Gaussian, cross: float) -> float:
    return max(float((a.mean - b.mean).square().sum()) + a.trace + b.trace - 2 * cross, 0.0)


def _sum_of_roots(squares: Float[Tensor, " d"]) -> float:
    """Of eigenvalues. Where Cholesky took both covariances these lie so far above rounding that, clamped, their roots
    are as right as the covariances are.
    """
    return float(squares.clamp_min(0).sqrt().sum())


def _nuclear(a: Gaussian, b: Gaussian) -> float:
    """Sum of the singular values of F'G = tr (A B)^(1/2)."""
    product = matmul.product(a.factor.T, b.factor)
    return float(torch.linalg.svdvals(product).sum()) if product.numel() else 0.0


def _spectral_factor(cov: Square) -> Float[Tensor, "d r"]:
    """For a covariance that is not of full rank: its eigenvectors by the roots of what stands above rounding."""
    values, vectors = torch.linalg.eigh(cov)
    above = values > len(values) * EPSILON * values[-1].clamp_min(0)
    return vectors[:, above] * values[above].sqrt()
