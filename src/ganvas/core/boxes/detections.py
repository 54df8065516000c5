"""Detections: the boxes that a detector finds in one picture, the surest first."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Detections:
    """k boxes of one picture, by falling score.

    Attributes:
        corners: Left, top, right and bottom in pixels; (0, 0) is the upper left corner of the picture.
        scores: In [0, 1].
    """

    corners: Float[Tensor, "k 4"]
    scores: Float[Tensor, " k"]

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, score: float) -> "Detections":
        """Those that are surer."""
        sure = self.scores > score
        return Detections(corners=self.corners[sure], scores=self.scores[sure])
