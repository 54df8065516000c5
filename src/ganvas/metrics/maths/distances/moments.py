"""Means and covariances of features, and the Fréchet metrics' common comparison: machinery of FID and its kin.

Memory beside the kept rows: a d x d matrix or two (33 MB each at d = 2048) and a block of 4096 rows in float64.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import Stats
from ganvas.metrics.maths import frechet
from ganvas.metrics.maths.frechet import Gaussian, Influence

BOTH = "infinitesimal jackknife over pictures of both sides"
ONE = "infinitesimal jackknife over generated pictures (the reference is moments alone: its share is left out)"
EXPLAINED = 16_384  # Pictures whose influence is found, spread over the set: their deviation is known to a percent.


class Moments(FeatureRows):
    """Every row of features, and their mean and covariance; or these alone, of a reference read from a file."""

    def reset(self) -> None:
        super().reset()
        self._gaussian: Gaussian | None = None
        self._found_at: tuple[Any, int] | None = None

    @classmethod
    def of_moments(
        cls,
        mean: Float[Tensor, " d"],
        cov: Float[Tensor, "d d"],
        *,
        n: int | None,
        rows_of: str,
        seed: int = 0,
        config: Any = None,
    ) -> Any:
        """A reference of which the moments alone are known, as in a statistics file; ``n`` is None where not said."""
        new = cls(seed=seed, config=config, rows_of=rows_of)
        frechet.gaussian_of_moments(mean, cov)  # Refuses what is not finite.
        new.shape = (len(mean),)
        new.sums = {"given.mean": mean.double(), "given.cov": cov.double(), "given.n": torch.tensor(n or 0)}
        return new

    @property
    def given(self) -> bool:
        """Whether the moments were given, without rows."""
        return "given.mean" in self.sums

    @property
    def n(self) -> Any:
        """Pictures seen, a whole number; None where moments were given without theirs."""
        return (int(self.sums["given.n"]) or None) if self.given else self.tables["index"].count

    def update(self, rows: Tensor, index: Tensor | None = None) -> None:
        self._require_rows()
        super().update(rows, index)

    def merge(self, other: Stats) -> None:
        if isinstance(other, Moments) and self.given and other.given:
            self._require_alike(other)
            self._pool(other)
            return
        self._require_rows()
        if isinstance(other, Moments):
            other._require_rows()
        super().merge(other)

    def _pool(self, other: "Moments") -> None:
        """Mean and covariance of two sets together, from those of each: exact but for rounding.

        ``(n - 1) C = (n_a - 1) C_a + (n_b - 1) C_b + n_a n_b / n (m_a - m_b)(m_a - m_b)^T``
        """
        if self.n is None or other.n is None:
            raise UserError("A mean and a covariance say not of how many pictures they are, so they cannot be merged.")
        n, apart = self.n + other.n, self.sums["given.mean"] - other.sums["given.mean"]
        scatter = (self.n - 1) * self.sums["given.cov"] + (other.n - 1) * other.sums["given.cov"]
        scatter = scatter + torch.outer(apart, apart) * (self.n * other.n / n)
        mean = self.sums["given.mean"] - apart * (other.n / n)
        self.sums = {"given.mean": mean, "given.cov": scatter / (n - 1), "given.n": torch.tensor(n)}
        self._gaussian = None

    def reduce(self, ranks: Ranks) -> None:
        if not self.given:  # Moments that were given are on every rank.
            super().reduce(ranks)

    def moments(self) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
        """Mean and unbiased covariance, float64."""
        return self.gaussian().mean, self.gaussian().cov

    def gaussian(self) -> Gaussian:
        """The same as the Fréchet distance takes it, found once per content."""
        at = (self.tables["index"], self.tables["index"].count)
        if self._gaussian is None or self._found_at != at:
            self._gaussian, self._found_at = self._find(), at
        return self._gaussian

    def _find(self) -> Gaussian:
        if self.given:
            return frechet.gaussian_of_moments(self.sums["given.mean"], self.sums["given.cov"])
        dimensions = self.shape[0] if self.shape else 0
        if self.n <= dimensions:
            return frechet.gaussian_of_rows(self.features())
        mean = torch.zeros(dimensions, dtype=torch.float64)
        for block in self.blocks():
            mean += block.double().sum(0) / self.n
        cov = torch.zeros(dimensions, dimensions, dtype=torch.float64)
        for block in self.blocks():
            centred = block.double() - mean
            cov.addmm_(centred.T, centred)
        return frechet.gaussian_of_moments(mean, cov / (self.n - 1))

    def spread(self, influence: Influence) -> float:
        """Variance of the distance from this side: that of its pictures' influences, by their number."""
        step = -(-self.n // EXPLAINED)
        found = torch.cat([influence.of(block[::step]) for block in self.blocks(EXPLAINED)])
        return float(found.var()) / self.n

    def _require_rows(self) -> None:
        if self.given:
            raise UserError(
                "This reference is a mean and a covariance without pictures (a statistics file): nothing can be added "
                "to it. Gather the pictures themselves."
            )


def compare(real: Moments, fake: Moments, *, name: str, title: str, minimum: int) -> list[Result]:
    """The Fréchet distance of two sets with its standard error, as any metric of this kind reports it."""
    require(real, fake, title=title, minimum=minimum)
    value, of_fake, of_real = frechet.distance_and_influences(fake.gaussian(), real.gaussian())
    variance = fake.spread(of_fake) + (0.0 if real.given else real.spread(of_real))
    result = Result(
        metric=name,
        value=value,
        standard_error=variance**0.5,
        error_method=ONE if real.given else BOTH,
        n=fake.n,
        seed=fake.seed,
        better="lower",
        protocol=f"{protocol(fake, name, real)}:unbiased-covariance",
    )
    return [result]


def require(real: Moments, fake: Moments, *, title: str, minimum: int) -> None:
    """Refuses sides that do not compare. A reference may be moments; what is measured is pictures."""
    counts = [side.n for side in (real, fake) if side.n is not None]
    if fake.given:
        raise UserError(
            f"{title} was given a mean and a covariance as the generated side. They can only be the reference: "
            "give the pictures themselves."
        )
    if min(counts) < minimum:
        raise UserError(f"{title} needs at least {minimum} pictures on each side and was given {min(counts)}.")
    real._require_alike(fake)


def protocol(fake: Stats, name: str, real: Stats | None = None) -> str:
    """``fid:n50000:<network, weights and resize>``; reals are named where they are not as many, or not said how many.

    The engine adds whose reference it is.
    """
    reals = "" if real is None or real.n == fake.n else f"reals{real.n or '-unknown'}"
    return ":".join(part for part in (name, f"n{fake.n}", reals, fake.rows_of) if part)
