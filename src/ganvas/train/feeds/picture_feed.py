"""The feed of pictures: mirrored, cropped, averaged down to the stage's size and faded, with labels told or hidden."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.hole_law import HoleLaw
from ganvas.core.pixels import to_float
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Masks
from ganvas.data.holes.hole_laws import hole
from ganvas.data.packed import Packed
from ganvas.losses.batches.picture_batch import HIDDEN, Pictures
from ganvas.nn.layers.resample import staged
from ganvas.train.feeds.feed import Feed, RowReader, RowTable
from ganvas.train.feeds.guides import guide
from ganvas.train.feeds.windowed_order import order_of


@dataclass(frozen=True, kw_only=True)
class Dealing:
    """How pictures are dealt, besides their order."""

    mirror: bool = False  # Half of the time.
    crop: tuple[int, int] | None = None  # Height and width of a window at a random place; None shows whole pictures.
    labels: bool = False
    labelled: int | None = None  # Of how many pictures the class is told; None tells all.
    holes: HoleLaw | None = None  # Of what is to be filled in; None deals no masks.
    guides: tuple[str, ...] = ()  # What a person's drawing may show besides.


class PictureReader:
    """Pictures of one source in an order of its own, ready for a network.

    ``side`` tells the streams of two sources apart; it is "" for the first.
    """

    def __init__(
        self,
        table: RowTable,
        dealing: Dealing,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks,
        side: str = "",
        labels: np.ndarray | None = None,
        hold: bool | None = None,
    ) -> None:
        self.dealing, self.seed, self.device, self.ranks, self.side = dealing, seed, device, ranks, side
        self.order = order_of(table, seed=seed, name=f"order{side}")
        self.reader = RowReader(table, self.order, device=device, ranks=ranks, labels=labels, hold=hold)

    def read(self, nimg: int, stage: Stage) -> tuple[Images, Tensor | None]:
        """This rank's pictures in [-1, 1] at the stage's size, faded, and their labels."""
        rows = self.reader.rows(nimg, stage.batch_size)
        images = self.placed(to_float(rows.values.permute(0, 3, 1, 2)), nimg, stage)
        return staged(images, shrink=stage.shrink, fade=stage.fade if stage.fading else None), rows.labels

    def read_numbers(self, nimg: int, stage: Stage) -> Int[Tensor, "n h w"]:
        """Of a table of maps (n, h, w): this rank's numbers, where the pictures of the same pairs are."""
        numbers = self.reader.rows(nimg, stage.batch_size).values[:, None]
        return self.placed(numbers, nimg, stage)[:, 0].long()

    def placed(self, images: Tensor, nimg: int, stage: Stage) -> Tensor:
        """Pictures (n, c, h, w) mirrored and cropped as the batch at ``nimg`` says."""
        if self.dealing.mirror:
            coins = torch.rand(stage.batch_size, generator=self._stream("mirror", nimg)) < 0.5
            images = mirrored(images, self.ranks.share(coins).to(self.device, non_blocking=True))
        if self.dealing.crop is not None:
            places = torch.rand(stage.batch_size, 2, generator=self._stream("crop", nimg))
            images = cropped(images, self.ranks.share(places), self.dealing.crop)
        return images

    def close(self) -> None:
        """Stops reading ahead."""
        self.reader.close()

    def _stream(self, purpose: str, nimg: int) -> torch.Generator:
        return stream(self.seed, f"{purpose}{self.side}", nimg)


class PictureFeed(Feed):
    """Real pictures, step by step, at the resolution and fade of the stage."""

    def __init__(
        self,
        packed: Packed,
        dealing: Dealing,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks,
        hold: bool | None = None,
    ) -> None:
        self.dealing, self.seed = dealing, seed
        labels = _labels(packed, dealing, seed)
        self.pictures = PictureReader(packed, dealing, seed=seed, device=device, ranks=ranks, labels=labels, hold=hold)

    def batch(self, nimg: int, stage: Stage) -> Pictures:
        """This rank's share of the batch at ``nimg``."""
        images, labels = self.pictures.read(nimg, stage)
        fade = torch.tensor(stage.fade, device=images.device) if stage.fading else None
        batch = Pictures(images=images, labels=labels, fade=fade)
        return batch if self.dealing.holes is None else self._with_holes(batch, self.dealing.holes, nimg, stage)

    def _with_holes(self, batch: Pictures, law: HoleLaw, nimg: int, stage: Stage) -> Pictures:
        """The batch with what is to be filled in, and with guides where the model heeds some."""
        images = batch.images
        positions = self.pictures.ranks.share(torch.arange(nimg, nimg + stage.batch_size))
        mask = masks(law, positions, (images.shape[2], images.shape[3]), seed=self.seed)
        drawn = guide(images, self.dealing.guides, positions, seed=self.seed)
        return replace(batch, mask=mask.to(images.device, non_blocking=True), guide=drawn)

    def close(self) -> None:
        """Stops reading ahead."""
        self.pictures.close()


def masks(law: HoleLaw, positions: Tensor, size: tuple[int, int], *, seed: int) -> Masks:
    """1 where the pictures at these positions of a run are known, 0 in their holes: a function of (seed, position)."""
    holes = np.stack([hole(law, *size, seed, position) for position in positions.tolist()])
    return 1 - torch.from_numpy(holes)[:, None].float()


def mirrored(images: Tensor, coins: Tensor) -> Tensor:
    """The pictures (n, c, h, w) whose coin is true, mirrored left to right."""
    return torch.where(coins.view(-1, 1, 1, 1), images.flip(-1), images)


def cropped(images: Tensor, places: Tensor, size: tuple[int, int]) -> Tensor:
    """A window of ``size`` per picture (n, c, h, w) at a place (n, 2) in [0, 1): all that fit are equally likely."""
    room = torch.tensor([images.shape[-2] - size[0] + 1, images.shape[-1] - size[1] + 1])
    corners = (places * room).long().tolist()
    windows = [image[:, y : y + size[0], x : x + size[1]] for image, (y, x) in zip(images, corners, strict=True)]
    return torch.stack(windows).contiguous(memory_format=torch.channels_last)


def told_labels(labels: np.ndarray, told: int, *, seed: int) -> np.ndarray:
    """The labels with all but ``told`` hidden: equally many of each class, as far as it has that many.

    Which ones are told is a function of the seed: the classes are dealt in turn, each in a shuffled order.

    Raises:
        UserError: more are to be told than there are.
    """
    if not 0 <= told <= len(labels):
        raise UserError(f"--labelled {told}: there are {len(labels)} labels. Give 0 to {len(labels)}.")
    shuffled = torch.randperm(len(labels), generator=stream(seed, "labelled")).numpy()
    rank = np.empty(len(labels), np.int64)  # How many of its own class come before it.
    for label in np.unique(labels):
        own = shuffled[labels[shuffled] == label]
        rank[own] = np.arange(len(own))
    dealt = shuffled[np.argsort(rank[shuffled], kind="stable")]
    hidden = np.full_like(labels, HIDDEN)
    hidden[dealt[:told]] = labels[dealt[:told]]
    return hidden


def _labels(packed: Packed, dealing: Dealing, seed: int) -> np.ndarray | None:
    if not dealing.labels or packed.labels is None:
        return None
    labels = np.array(packed.labels)
    return labels if dealing.labelled is None else told_labels(labels, dealing.labelled, seed=seed)
