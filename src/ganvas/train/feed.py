"""Which pictures a step sees, and how they reach the device.

The order is a function of (seed, epoch): a fresh shuffle per pass over the data. The position in it is ``nimg``, so
there is nothing to store and nothing to lose when a run is stopped.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.pixels import to_float
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Labels
from ganvas.data.packed import Packed
from ganvas.nn.layers.resample import double, halve

HOLD_SHARE = 0.6  # Of the device's free memory that the data may take.


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What one rank reads from the data for one step: bytes (n, h, w, c), labels, and which to mirror."""

    pixels: Tensor
    labels: Tensor | None
    mirrored: Tensor | None


class Feed:
    """Real pictures, step by step, at the resolution and fade of the stage.

    The data is held on the device when it fits; otherwise a thread reads the next batch while this one trains.
    """

    def __init__(
        self,
        packed: Packed,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks,
        mirror: bool = False,
        labels: bool = False,
        hold: bool | None = None,
    ) -> None:
        self.packed, self.seed, self.device, self.ranks, self.mirror = packed, seed, device, ranks, mirror
        self.labels = torch.from_numpy(np.array(packed.labels)) if labels and packed.labels is not None else None
        self.held = None
        if hold if hold is not None else fits(packed, device):
            self.held = torch.from_numpy(packed.read(np.arange(len(packed)))).to(device)
            self.labels = None if self.labels is None else self.labels.to(device)
        self._reader = None if self.held is not None else ThreadPoolExecutor(max_workers=1)
        self._ahead: tuple[tuple[int, int], Future[Rows]] | None = None
        self._orders: dict[int, Tensor] = {}

    def indices(self, nimg: int, batch_size: int) -> Tensor:
        """Which pictures a whole batch holds (batch_size,), before it is shared among ranks."""
        epoch, offset = divmod(nimg, len(self.packed))
        taken = self._order(epoch)[offset : offset + batch_size]
        while len(taken) < batch_size:
            epoch += 1
            taken = torch.cat([taken, self._order(epoch)[: batch_size - len(taken)]])
        return taken

    def batch(self, nimg: int, stage: Stage, *, full_resolution: int) -> tuple[Images, Labels | None]:
        """This rank's share of the batch at ``nimg``: pictures in [-1, 1] at the stage's size, faded, and labels."""
        rows = self._rows(nimg, stage.batch_size)
        factor = full_resolution // stage.resolution
        return prepare(rows, factor=factor, fade=stage.fade if stage.fading else None), rows.labels

    def close(self) -> None:
        """Stops reading ahead."""
        if self._reader is not None:
            self._reader.shutdown(wait=True, cancel_futures=True)

    def _rows(self, nimg: int, batch_size: int) -> Rows:
        if self._reader is None:
            return self._gather(nimg, batch_size)
        wanted = (nimg, batch_size)
        ahead = self._ahead
        rows = ahead[1].result() if ahead is not None and ahead[0] == wanted else self._gather(*wanted)
        following = (nimg + batch_size, batch_size)  # A change of the batch size only wastes one read.
        self._ahead = (following, self._reader.submit(self._gather, *following))
        return rows

    def _gather(self, nimg: int, batch_size: int) -> Rows:
        index = self.ranks.share(self.indices(nimg, batch_size))
        mirrored = None
        if self.mirror:
            coins = torch.rand(batch_size, generator=stream(self.seed, "mirror", nimg)) < 0.5
            mirrored = self.ranks.share(coins).to(self.device, non_blocking=True)
        if self.held is not None:
            index = index.to(self.device, non_blocking=True)
            return Rows(
                pixels=self.held[index],
                labels=None if self.labels is None else self.labels[index],
                mirrored=mirrored,
            )
        pixels = torch.from_numpy(self.packed.read(index.numpy()))
        labels = None if self.labels is None else self.labels[index]
        if self.device.type == "cuda":
            pixels = pixels.pin_memory().to(self.device, non_blocking=True)
            labels = None if labels is None else labels.pin_memory().to(self.device, non_blocking=True)
        return Rows(pixels=pixels, labels=labels, mirrored=mirrored)

    def _order(self, epoch: int) -> Tensor:
        order = self._orders.get(epoch)
        if order is None:  # The reading thread and this one may both come here: each leaves a whole dictionary.
            order = torch.randperm(len(self.packed), generator=stream(self.seed, "order", epoch))
            self._orders = {kept: old for kept, old in self._orders.items() if kept == epoch - 1} | {epoch: order}
        return order


def prepare(rows: Rows, *, factor: int = 1, fade: float | None = None) -> Images:
    """Bytes to a network's input: mirrored, box-averaged by ``factor``, and blended with the resolution below.

    Reals fade as fakes do (Karras et al. 2018, figure 2): otherwise D tells them apart by their sharpness alone.
    """
    images = to_float(rows.pixels.permute(0, 3, 1, 2))
    if rows.mirrored is not None:
        images = torch.where(rows.mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
    if factor > 1:
        images = F.avg_pool2d(images, factor)
    return images if fade is None else torch.lerp(double(halve(images)), images, fade)


def fits(packed: Packed, device: torch.device) -> bool:
    """Whether the pixels take less than ``HOLD_SHARE`` of the memory that is free on the device."""
    size = len(packed) * packed.height * packed.width * packed.channels
    if device.type == "cuda":
        return size < HOLD_SHARE * torch.cuda.mem_get_info(device)[0]
    return size < 256 * 2**20  # On a CPU the memory map serves as well; only small sets are worth a copy.
