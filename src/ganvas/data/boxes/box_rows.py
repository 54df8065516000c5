"""Boxes of pictures as rows of one length: the truth that detectors learn and are measured by.

A box is left, top, right and bottom in pixels; the upper left corner of the picture is (0, 0), and the lower right one
of the first pixel (1, 1). Pictures with few boxes have ABSENT ones at the end or between, which are 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int8

from ganvas.core.boxes.box_kinds import ABSENT


@dataclass(frozen=True, kw_only=True)
class BoxRows:
    """The boxes of n pictures, at most m of each."""

    corners: Float32[np.ndarray, "n m 4"]
    kinds: Int8[np.ndarray, "n m"]
    seen: Float32[np.ndarray, "n m"]  # The share of the object that is not hidden; 1 where it is not told.

    def __len__(self) -> int:
        return len(self.kinds)

    def part(self, rows: slice | np.ndarray) -> "BoxRows":
        """The boxes of some of the pictures."""
        return BoxRows(corners=self.corners[rows], kinds=self.kinds[rows], seen=self.seen[rows])


def joined(parts: Sequence[BoxRows]) -> BoxRows:
    """One after the other."""
    return BoxRows(
        corners=np.concatenate([part.corners for part in parts]),
        kinds=np.concatenate([part.kinds for part in parts]),
        seen=np.concatenate([part.seen for part in parts]),
    )


def padded(boxes: Sequence[BoxRows], most: int) -> BoxRows:
    """Pictures with different numbers of boxes as rows of ``most``."""
    return joined([_wider(one, most) for one in boxes])


def _wider(one: BoxRows, most: int) -> BoxRows:
    more = most - one.kinds.shape[1]
    return BoxRows(
        corners=np.pad(one.corners, ((0, 0), (0, more), (0, 0))),
        kinds=np.pad(one.kinds, ((0, 0), (0, more)), constant_values=ABSENT),
        seen=np.pad(one.seen, ((0, 0), (0, more)), constant_values=1),
    )
