"""Sizes of pictures as models set them: doubled from a small first resolution, or given in pixels.

A model's ``Config`` holds the fields and composes them: ``picture`` is one of the two kinds below. Each kind says
which fields fit a source of pictures (:meth:`fields_for`), so that a person need not know what a base is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganvas.core.checks import at_least
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.sizes import doubled_size, doublings


@dataclass(frozen=True, kw_only=True)
class DoubledSize:
    """The size of a picture that grows from ``base`` by ``levels`` doublings.

    Attributes:
        resolution: Nominal resolution, 4 * 2^k: how often the base is doubled.
        base: Height and width of the first resolution, in pixels.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA); any number of feature channels is possible.
    """

    resolution: int
    base: tuple[int, int]
    channels: int

    def __post_init__(self) -> None:
        doublings(self.resolution)
        if min(self.base) < 1:
            raise UserError(f"base={self.base} must be two sizes of at least 1, such as 4,6.")
        at_least(self, 1, "channels")

    @property
    def levels(self) -> int:
        """How often the first resolution is doubled."""
        return doublings(self.resolution)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.base[0] << self.levels, self.base[1] << self.levels

    def feature_maps(self, *, fmap_base: int, fmap_max: int) -> list[int]:
        """``min(fmap_base / 2^(k + 1), fmap_max)`` after k doublings, from the first resolution up; at least 1."""
        return [max(min(fmap_base >> (k + 1), fmap_max), 1) for k in range(self.levels + 1)]

    def fields_for(self, size: tuple[int, int], *, given: Mapping[str, Any], bound: int | None) -> dict[str, Any]:
        """The fields ``base`` and ``resolution`` that fit pictures of ``size`` (height, width).

        Args:
            given: What the person set; a ``resolution`` among it is kept.
            bound: The longest shorter side in pixels that is wanted, or None.
        """
        if "base" in given:
            return {}
        resolution = given.get("resolution")
        base, resolution = doubled_size(*size, resolution=resolution, at_most=bound)
        return {"base": base, "resolution": resolution}


@dataclass(frozen=True, kw_only=True)
class WholeSize:
    """The size of a picture in pixels, for networks without a dense layer.

    Attributes:
        height: In pixels, a multiple of ``multiple``.
        width: The same.
        channels: Of a picture.
        multiple: What the strides of the network demand.
    """

    height: int
    width: int
    channels: int
    multiple: int = 1

    def __post_init__(self) -> None:
        at_least(self, 1, "channels")
        for name in ("height", "width"):
            value = getattr(self, name)
            if value < self.multiple or value % self.multiple:
                below = max(value // self.multiple, 1) * self.multiple
                raise UserError(
                    f"{name}={value} is not a multiple of {self.multiple}, which this network needs. "
                    f"The nearest that are: {below} and {below + self.multiple}."
                )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    def fields_for(self, size: tuple[int, int], *, given: Mapping[str, Any], bound: int | None) -> dict[str, Any]:
        """The fields ``height`` and ``width`` that fit pictures of ``size``: the largest multiples not above it."""
        height, width = size
        if bound is not None and min(size) > bound:
            height, width = (round(side * bound / min(size)) for side in size)
        least = self.multiple
        sides = {"height": max(height // least, 1) * least, "width": max(width // least, 1) * least}
        return {name: value for name, value in sides.items() if name not in given}
