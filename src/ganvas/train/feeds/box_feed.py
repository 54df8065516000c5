"""The feed of pictures with boxes: both in one order, mirrored by the same coins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int

from ganvas.core.boxes.box_kinds import ABSENT
from ganvas.core.pixels import to_float
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Bytes
from ganvas.data.boxes.box_rows import BoxRows
from ganvas.data.boxes.packed_boxes import PackedBoxes
from ganvas.data.packed import Packed
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.train.feeds.feed import Feed, Order, RowReader
from ganvas.train.feeds.paired_feed import SelectedRows
from ganvas.train.feeds.picture_feed import mirrored


@dataclass(frozen=True, kw_only=True)
class Boxed:
    """Pictures and their boxes: row k is row ``rows[k]`` of the pictures and row ``box_rows[k]`` of the boxes."""

    pictures: Packed
    rows: Int[np.ndarray, " n"]
    boxes: PackedBoxes
    box_rows: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, rows: Int[np.ndarray, " k"]) -> tuple[Bytes, BoxRows]:
        """Pictures (k, c, h, w) as bytes, and their boxes."""
        pictures = torch.from_numpy(self.pictures.read(self.rows[rows])).permute(0, 3, 1, 2)
        return pictures, self.boxes.read(self.box_rows[rows])


class BoxTable:
    """Boxes as one table of numbers: four corners and the kind."""

    def __init__(self, boxes: PackedBoxes, rows: Int[np.ndarray, " n"]) -> None:
        self.boxes, self.rows = boxes, rows

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> np.ndarray:
        """Rows (k, m, 5), in the order asked."""
        chosen = indices if isinstance(indices, slice) else np.asarray(indices, np.int64)
        found = self.boxes.read(self.rows[chosen])
        return np.concatenate([found.corners, found.kinds[..., None].astype(np.float32)], -1)


class BoxFeed(Feed):
    """Pictures with boxes, step by step."""

    def __init__(
        self, boxed: Boxed, *, mirror: bool, seed: int, device: torch.device, ranks: Ranks, hold: bool | None = None
    ) -> None:
        self.mirror, self.seed, self.ranks, self.device = mirror, seed, ranks, device
        order = Order(len(boxed), seed=seed)
        pictures, boxes = SelectedRows(boxed.pictures, boxed.rows), BoxTable(boxed.boxes, boxed.box_rows)
        self.pictures = RowReader(pictures, order, device=device, ranks=ranks, hold=hold)
        self.boxes = RowReader(boxes, order, device=device, ranks=ranks, hold=hold)

    def batch(self, nimg: int, stage: Stage) -> BoxedPictures:
        """This rank's share of the batch at ``nimg``."""
        pixels = self.pictures.rows(nimg, stage.batch_size).values
        told = self.boxes.rows(nimg, stage.batch_size).values
        images, corners, kinds = to_float(pixels.permute(0, 3, 1, 2)), told[..., :4], told[..., 4].long()
        if self.mirror:
            coins = torch.rand(stage.batch_size, generator=stream(self.seed, "mirror", nimg)) < 0.5
            mine = self.ranks.share(coins).to(self.device, non_blocking=True)
            images, corners = mirrored(images, mine), mirrored_boxes(corners, kinds, mine, images.shape[-1])
        return BoxedPictures(images=images, corners=corners, kinds=kinds)

    def close(self) -> None:
        """Stops reading ahead."""
        self.pictures.close()
        self.boxes.close()


def mirrored_boxes(corners: torch.Tensor, kinds: torch.Tensor, coins: torch.Tensor, width: int) -> torch.Tensor:
    """Boxes (n, m, 4) of the pictures whose coin is true, mirrored left to right; absent ones stay as they are."""
    left, top, right, bottom = corners.unbind(-1)
    turned = torch.stack([width - right, top, width - left, bottom], -1)
    return torch.where((coins[:, None] & (kinds != ABSENT))[..., None], turned, corners)
