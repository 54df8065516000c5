"""The feed of text: lines as numbers of their tokens, in a shuffled order."""

import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.text.packed_text import PackedText
from ganvas.losses.batches.text_batch import Lines
from ganvas.train.feeds.feed import Feed, Order, RowReader


class TextFeed(Feed):
    """Real lines, step by step."""

    def __init__(
        self, packed: PackedText, *, seed: int, device: torch.device, ranks: Ranks, hold: bool | None = None
    ) -> None:
        self.reader = RowReader(packed, Order(len(packed), seed=seed), device=device, ranks=ranks, hold=hold)

    def batch(self, nimg: int, stage: Stage) -> Lines:
        """This rank's share of the batch at ``nimg``."""
        return Lines(tokens=self.reader.rows(nimg, stage.batch_size).values.long())

    def close(self) -> None:
        """Stops reading ahead."""
        self.reader.close()
