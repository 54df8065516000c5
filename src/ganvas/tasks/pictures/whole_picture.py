"""A trained network on pictures of any size, in bounded memory: what `translate` and `segment` share."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from ganvas.core.progress import say
from ganvas.tasks.pictures.tiling import (
    GIGABYTE,
    Finish,
    Function,
    Pixels,
    Reach,
    TilePlan,
    plan_tiles,
    reach_of,
    run_tiled,
)
from ganvas.tasks.pictures.whole_statistics import GivenStatistics, statistics_given, take_statistics


@dataclass(kw_only=True)
class WholePictures:
    """Runs a function of a network on whole pictures, in tiles where they do not fit into memory.

    Args:
        network: The modules that the function uses; in evaluation mode.
        function: Pictures (1, c, h, w) in [-1, 1] to values (1, k, h, w).
        finish: Makes bytes of values.
        channels: Of a picture.
        stride: By whose multiples a picture may be shifted so that what it becomes shifts with it.
        memory_gb: What one tile may take, in gigabytes.
        device: Where the network is.
    """

    network: nn.Module
    function: Function
    finish: Finish
    channels: int
    stride: int
    memory_gb: float
    device: torch.device
    _reach: Reach | None = None
    _said: bool = False

    def __call__(self, pixels: Pixels, *, done: Callable[[int], None] = lambda tiles: None) -> Pixels:
        """What a picture (h, w, c) becomes, in bytes (h, w, k).

        Raises:
            UserError: it does not fit into memory and cannot be cut.
        """
        plan = plan_tiles(pixels.shape[:2], self.reach, memory_bytes=self.memory_gb * GIGABYTE)
        if len(plan) == 1:
            return run_tiled(self.function, pixels, plan, self.finish, device=self.device, done=done)
        with statistics_given(self.network) as norms:
            self._say(pixels, plan, norms)
            if norms:
                take_statistics(self.function, norms, pixels, plan, device=self.device)
            return run_tiled(self.function, pixels, plan, self.finish, device=self.device, done=done)

    @property
    def reach(self) -> Reach:
        """How far the function looks, found once."""
        if self._reach is None:
            with statistics_given(self.network) as norms:
                for norm in norms:
                    norm.passing = True
                found = reach_of(self.function, channels=self.channels, stride=self.stride, device=self.device)
                self._reach = replace(found, least=2 if norms else 1)  # Such norms need more than one place.
        return self._reach

    def _say(self, pixels: Pixels, plan: TilePlan, norms: list[GivenStatistics]) -> None:
        if self._said:
            return
        self._said = True
        passes = (
            f", gone through {len(norms) + 1} times, since {len(norms)} norms are of the whole picture" if norms else ""
        )
        say(
            f"A picture of {pixels.shape[0]}x{pixels.shape[1]} (height x width) goes through in {len(plan)} tiles with "
            f"{plan.halo} pixels around each, about {plan.bytes / GIGABYTE:.1f} GB at once{passes}: the result is that "
            "of the whole picture."
        )
