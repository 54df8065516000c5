"""The feed of sounds: 16-bit samples as numbers in [-1, 1), in a shuffled order."""

import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.waves import to_waves
from ganvas.data.sound.packed_sounds import PackedSounds
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.train.feeds.feed import Feed, Order, RowReader


class SoundFeed(Feed):
    """Real sounds, step by step, with their classes where there are some."""

    def __init__(
        self, packed: PackedSounds, *, seed: int, device: torch.device, ranks: Ranks, hold: bool | None = None
    ) -> None:
        order = Order(len(packed), seed=seed)
        self.reader = RowReader(packed, order, device=device, ranks=ranks, labels=packed.labels, hold=hold)

    def batch(self, nimg: int, stage: Stage) -> Sounds:
        """This rank's share of the batch at ``nimg``."""
        rows = self.reader.rows(nimg, stage.batch_size)
        waves = to_waves(rows.values)
        fade = torch.tensor(stage.fade, device=waves.device) if stage.fading else None
        return Sounds(waves=waves, labels=rows.labels, shrink=stage.shrink, fade=fade)

    def close(self) -> None:
        """Stops reading ahead."""
        self.reader.close()
