"""Settings of a player's optimiser, and the torch optimiser that each one builds.

The learning rate comes from the schedule at every step, times ``lr_factor``: two time scales are two factors. On a GPU
the rate is a tensor and the update can be captured in a CUDA graph.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.schedule import Course
from ganvas.losses.scheduled_adam import ScheduledAdam


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings(ABC):
    """What every optimiser has."""

    lr_factor: float = 1.0  # Times the schedule's learning rate.

    @abstractmethod
    def build(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of these parameters, its learning rate 0 until the schedule sets it."""

    def moments(self) -> frozenset[str]:
        """Names of the tensors that the optimiser keeps of every parameter, from one step of a parameter of its own."""
        parameter = nn.Parameter(torch.zeros(1))
        parameter.grad = torch.zeros(1)
        optimizer = self.build([parameter])
        optimizer.step()
        return frozenset(name for name, value in optimizer.state[parameter].items() if isinstance(value, Tensor))

    def rate_of(self, parameters: Sequence[nn.Parameter]) -> tuple[Tensor | float, bool]:
        """A learning rate of 0 in the form that the device wants, and whether the update is captured in a graph."""
        on_gpu = bool(parameters) and parameters[0].is_cuda
        return (torch.tensor(0.0, device=parameters[0].device) if on_gpu else 0.0), on_gpu


def _check_moments(settings: "Adam | Adamax") -> None:
    """Decays of both moments below 1, and something above 0 to divide by."""
    fractions(settings, "beta1", "beta2")
    above(settings, 0, "eps", "lr_factor")


@runtime_checkable
class AdamSettings(Protocol):
    """A ``Config`` that says what Adam is of its players."""

    @property
    def beta1(self) -> float: ...

    @property
    def beta2(self) -> float: ...

    @property
    def eps(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Adam(OptimizerSettings):
    """Adam (Kingma & Ba 2015, algorithm 1, https://arxiv.org/abs/1412.6980)."""

    beta1: float = 0.0
    beta2: float = 0.99
    beta2_course: Course | None = None  # beta2 from the first sample to the last, instead.
    eps: float = 1e-8
    weight_decay: float = 0.0  # Times the weights, added to the gradients before the moments.

    def __post_init__(self) -> None:
        _check_moments(self)
        at_least(self, 0, "weight_decay")
        assert not (self.weight_decay and self.beta2_course), "no model has both"

    def build(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        lr, capturable = self.rate_of(parameters)
        if self.beta2_course is not None:
            return ScheduledAdam(parameters, lr=lr, beta1=self.beta1, beta2=self.beta2_course.start, eps=self.eps)
        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(
            parameters,
            lr=lr,
            betas=betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=True,
            capturable=capturable,
        )

    def follow(self, optimizer: torch.optim.Optimizer, nimg: int) -> None:
        """Sets beta2 for the step at ``nimg``, where it changes."""
        if self.beta2_course is not None and isinstance(optimizer, ScheduledAdam):
            optimizer.beta2.fill_(self.beta2_course.at(nimg))


@dataclass(frozen=True, kw_only=True)
class Adamax(OptimizerSettings):
    """Adam with the infinity norm (Kingma & Ba 2015, algorithm 2)."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_moments(self)

    def build(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        lr, capturable = self.rate_of(parameters)
        betas = (self.beta1, self.beta2)
        return torch.optim.Adamax(parameters, lr=lr, betas=betas, eps=self.eps, foreach=True, capturable=capturable)


@dataclass(frozen=True, kw_only=True)
class RMSprop(OptimizerSettings):
    """RMSprop (Tieleman & Hinton 2012, lecture 6e): steps divided by a running root mean square of gradients."""

    alpha: float = 0.99  # Decay of the mean square.
    eps: float = 1e-8
    momentum: float = 0.0

    def __post_init__(self) -> None:
        fractions(self, "alpha", "momentum")
        above(self, 0, "eps", "lr_factor")

    def build(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        lr, capturable = self.rate_of(parameters)
        return torch.optim.RMSprop(
            parameters,
            lr=lr,
            alpha=self.alpha,
            eps=self.eps,
            momentum=self.momentum,
            foreach=True,
            capturable=capturable,
        )


@dataclass(frozen=True, kw_only=True)
class SGD(OptimizerSettings):
    """Stochastic gradient descent with momentum (Sutskever et al. 2013, in torch's form), and weight decay."""

    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        fractions(self, "momentum")
        at_least(self, 0, "weight_decay")
        above(self, 0, "lr_factor")
        if self.nesterov:
            above(self, 0, "momentum")

    def build(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        lr, _ = self.rate_of(parameters)
        return torch.optim.SGD(
            parameters,
            lr=lr,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=self.weight_decay,
            fused=True,
        )
