"""Solvers of the differential equations by which diffusion models draw, and the noise levels that they stop at.

A step goes from one time to the next along ``dx/dt = field(x, t)``. Euler's asks the field once and is wrong by the
square of the step's length, those of Heun and of the midpoint ask twice and are wrong by its cube.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.shapes import PerSample, Samples

VectorField = Callable[[Samples, float], Samples]  # ``dx/dt`` at (x, t).
SolverStep = Callable[[VectorField, Samples, float, float], Samples]


def euler_step(field: VectorField, x: Samples, now: float, then: float) -> Samples:
    """``x + h f(x, t)``."""
    return x + (then - now) * field(x, now)


def midpoint_step(field: VectorField, x: Samples, now: float, then: float) -> Samples:
    """``x + h f(x + h/2 f(x, t), t + h/2)``."""
    half = (then - now) / 2
    return x + 2 * half * field(x + half * field(x, now), now + half)


def heun_step(field: VectorField, x: Samples, now: float, then: float) -> Samples:
    """``x + h/2 (f(x, t) + f(x + h f(x, t), t + h))``."""
    length, slope = then - now, field(x, now)
    return x + length / 2 * (slope + field(x + length * slope, then))


SOLVERS: Mapping[str, SolverStep] = {"euler": euler_step, "midpoint": midpoint_step, "heun": heun_step}
EVALUATIONS: Mapping[str, int] = {"euler": 1, "midpoint": 2, "heun": 2}  # Of the field, in one step.


@dataclass(frozen=True, kw_only=True)
class SolverOptions:
    """How samples are drawn. What is None is as the model's settings have it."""

    steps: int | None = None
    solver: str | None = None  # A name in SOLVERS.
    guidance: float | None = None  # 1 draws what was learnt of a class, more exaggerates what is special about it.
    churn: float | None = None  # How much noise is added, and removed again, on the way; 0 for none.

    @property
    def given(self) -> list[str]:
        """The names of those that are not None."""
        return [name for name, value in vars(self).items() if value is not None]

    def check(self, *, guides: bool, churns: bool) -> None:
        """Whether a model can do what was asked for.

        Args:
            guides: It knows classes, and pictures whose class is not told.
            churns: Its equation has a form with noise.

        Raises:
            UserError: an option that the model has not, or a value that cannot be.
        """
        if self.steps is not None and self.steps < 1:
            raise UserError(f"--steps {self.steps} must be at least 1.")
        if self.solver is not None:
            require_solver(self.solver, "--solver ")
        if self.guidance is not None and not guides:
            raise UserError(
                f"--guidance {self.guidance:g} needs a model that was trained with classes (--conditional) and with "
                "label_dropout above 0. Leave it out."
            )
        if self.churn is not None and not churns:
            raise UserError(f"--churn {self.churn:g}: this model draws without noise on the way. Leave it out.")
        if self.churn is not None and not self.churn >= 0:
            raise UserError(f"--churn {self.churn:g} must be at least 0.")


def wide(values: PerSample, samples: Samples) -> Tensor:
    """A number per sample, to be multiplied with samples."""
    return values.view(-1, *[1] * (samples.ndim - 1))


def require_solver(name: str, given_as: str) -> None:
    """Whether there is such a solver.

    Raises:
        UserError: there is none; the message begins with ``given_as``.
    """
    if name not in SOLVERS:
        raise UserError(
            f"{given_as}{name} is not a solver.{did_you_mean(name, SOLVERS)} There are: {', '.join(SOLVERS)}."
        )


def noise_levels(steps: int, *, sigma_min: float, sigma_max: float, rho: float) -> list[float]:
    """``(sigma_max^(1/rho) + i / (N - 1) (sigma_min^(1/rho) - sigma_max^(1/rho)))^rho`` for i < N, and 0.

    Karras et al. 2022, eq. 5, https://arxiv.org/abs/2206.00364: the larger ``rho``, the more steps lie near the end.

    >>> noise_levels(3, sigma_min=1.0, sigma_max=9.0, rho=2.0)
    [9.0, 4.0, 1.0, 0.0]
    """
    most, least = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return [(most + i / max(steps - 1, 1) * (least - most)) ** rho for i in range(steps)] + [0.0]


def path_times(steps: int, *, rho: float = 1.0) -> list[float]:
    """``1 - (1 - i / N)^rho`` for i <= N: times from 0 to 1, in steps of one length or denser towards 1.

    >>> path_times(4), path_times(4, rho=2.0)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.4375, 0.75, 0.9375, 1.0])
    """
    return [1 - (1 - i / steps) ** rho for i in range(steps + 1)]


def solve(field: VectorField, x: Samples, times: list[float], solver: str) -> Samples:
    """Where ``x`` is at the last of ``times``, in float64 whatever the precision of the field."""
    x, step = x.double(), SOLVERS[solver]
    for now, then in pairwise(times):
        x = step(lambda x, t: field(x, t).to(torch.float64), x, now, then)
    return x
