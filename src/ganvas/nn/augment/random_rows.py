"""The contract of random numbers for pictures: one row per picture, from a stream that the caller owns."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class RandomRows(Protocol):
    """A stream that gives one row of numbers per picture of a batch."""

    def rand(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1) of shape ``(n, *shape)``."""
        ...

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers of shape ``(n, *shape)``."""
        ...
