"""Centres of a layer's units in the picture, which tell by how much two layers must be cropped to fit each other.

On each axis the centres of a layer's units are an arithmetic sequence, in pixels, the first pixel at 0. A convolution
of kernel k, stride s and padding p puts its unit o over its inputs o s - p to o s - p + k - 1; a transposed convolution
spreads input i over its units i s - p to i s - p + k - 1, so that unit o lies at (o + p - (k - 1) / 2) / s of its
inputs. Long, Shelhamer, Darrell 2015 found the crops of their skips so: 19; 27 and 5; 31, 9 and 5.
https://arxiv.org/abs/1411.4038
"""

from dataclasses import dataclass
from fractions import Fraction

from ganvas.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class UnitCentres:
    """Unit o lies at ``first + step o``."""

    first: Fraction = Fraction(0)
    step: Fraction = Fraction(1)

    def convolved(self, kernel: int, *, stride: int = 1, padding: int = 0) -> "UnitCentres":
        """The units of a convolution, or a maximum, of these.

        >>> UnitCentres().convolved(2, stride=2)  # Between two pixels.
        UnitCentres(first=Fraction(1, 2), step=Fraction(2, 1))
        """
        return UnitCentres(first=self.first + self.step * (Fraction(kernel - 1, 2) - padding), step=self.step * stride)

    def transposed(self, kernel: int, *, stride: int = 1, padding: int = 0) -> "UnitCentres":
        """The units of a transposed convolution of these."""
        step = self.step / stride
        return UnitCentres(first=self.first + step * (padding - Fraction(kernel - 1, 2)), step=step)

    def cropped(self, offset: int) -> "UnitCentres":
        """These without the first ``offset`` of them."""
        return UnitCentres(first=self.first + self.step * offset, step=self.step)

    def offset_to(self, other: "UnitCentres") -> int:
        """How many of these lie before the first unit of another layer of the same step.

        Raises:
            UserError: the steps differ, or no unit of these lies where the other layer's first does.
        """
        between = (other.first - self.first) / self.step
        if self.step != other.step or between.denominator != 1:
            raise UserError(
                f"Units at {self.first} + {self.step} o never lie on units at {other.first} + {other.step} o: these "
                "two layers cannot be joined by a crop. Choose another kernel or padding."
            )
        return int(between)
