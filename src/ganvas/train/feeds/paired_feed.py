"""The feed of pairs: pictures with the pictures, or the label maps, that belong to them.

Both sides are read in one order, mirrored by the same coins and cropped at the same places.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.packed import Packed
from ganvas.data.pairs.label_maps import PackedLabelMaps
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.train.feeds.feed import Feed, RowTable
from ganvas.train.feeds.picture_feed import Dealing, PictureReader

Weigh = Callable[[Int[Tensor, "n h w"]], Float[Tensor, "n h w"] | None]


class SelectedRows:
    """Some rows of a table, in an order of their own."""

    def __init__(self, table: RowTable, rows: Int[np.ndarray, " n"]) -> None:
        self.table, self.rows = table, rows

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> np.ndarray:
        """The rows of these indices, in the order asked."""
        return self.table.read(self.rows[indices if isinstance(indices, slice) else np.asarray(indices, np.int64)])


@dataclass(frozen=True, kw_only=True)
class LabelMaps:
    """Label maps and the class of each of their numbers."""

    packed: PackedLabelMaps
    classes: Int[np.ndarray, " 256"]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pictures and what belongs to each: another picture, or the classes of its pixels.

    Row k of the pairs is row ``rows[k]`` of the pictures and row ``target_rows[k]`` of the target.
    """

    pictures: Packed
    rows: Int[np.ndarray, " n"]
    target: Packed | LabelMaps
    target_rows: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def maps(self) -> LabelMaps:
        """The label maps, of pairs that have them."""
        assert isinstance(self.target, LabelMaps)
        return self.target

    @property
    def targets(self) -> Packed:
        """The pictures that belong to the pictures, of pairs that have them."""
        assert isinstance(self.target, Packed)
        return self.target

    def read_pictures(self, rows: Int[np.ndarray, " k"]) -> np.ndarray:
        """Pictures (k, h, w, c) of some pairs, as bytes."""
        return self.pictures.read(self.rows[rows])

    def read_targets(self, rows: Int[np.ndarray, " k"]) -> np.ndarray:
        """Target pictures (k, h, w, c) of some pairs, as bytes."""
        return self.targets.read(self.target_rows[rows])

    def read_classes(self, rows: Int[np.ndarray, " k"]) -> Int[np.ndarray, "k h w"]:
        """Classes of the pixels of some pairs; VOID where none is told."""
        return self.maps.classes[self.maps.packed.read(self.target_rows[rows])]


class PairedFeed(Feed):
    """Pairs, step by step.

    ``weigh`` gives the weights of pixels of label maps, as they are dealt.
    """

    def __init__(
        self,
        pairs: Pairs,
        dealing: Dealing,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks,
        hold: bool | None = None,
        weigh: Weigh | None = None,
    ) -> None:
        self.weigh = weigh
        how: dict[str, Any] = {"seed": seed, "device": device, "ranks": ranks, "hold": hold}
        self.pictures = PictureReader(SelectedRows(pairs.pictures, pairs.rows), dealing, **how)
        target = pairs.target
        table = target.packed if isinstance(target, LabelMaps) else target
        self.target = PictureReader(SelectedRows(table, pairs.target_rows), dealing, **how)
        self.classes = torch.from_numpy(target.classes).to(device) if isinstance(target, LabelMaps) else None

    def batch(self, nimg: int, stage: Stage) -> Pictures:
        """This rank's share of the batch at ``nimg``."""
        images = self.pictures.read(nimg, stage)[0]
        if self.classes is None:
            return Pictures(images=images, target=self.target.read(nimg, stage)[0])
        classes = self.classes[self.target.read_numbers(nimg, stage)]
        weights = None if self.weigh is None else self.weigh(classes)
        return Pictures(images=images, label_map=classes, pixel_weights=weights)

    def close(self) -> None:
        """Stops reading ahead."""
        self.pictures.close()
        self.target.close()
