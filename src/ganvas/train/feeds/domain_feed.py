"""The feed of two unpaired domains of pictures, each in an order of its own."""

import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.packed import Packed
from ganvas.losses.batches.domain_batch import Domains
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.picture_feed import Dealing, PictureReader


class DomainFeed(Feed):
    """Pictures of both domains, step by step: nothing but chance puts two into one batch."""

    def __init__(
        self,
        a: Packed,
        b: Packed,
        dealing: Dealing,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks,
        hold: bool | None = None,
    ) -> None:
        self.a = PictureReader(a, dealing, seed=seed, device=device, ranks=ranks, hold=hold)
        self.b = PictureReader(b, dealing, seed=seed, device=device, ranks=ranks, side=" b", hold=hold)

    def batch(self, nimg: int, stage: Stage) -> Domains:
        """This rank's share of the batch at ``nimg``."""
        return Domains(a=self.a.read(nimg, stage)[0], b=self.b.read(nimg, stage)[0])

    def close(self) -> None:
        """Stops reading ahead."""
        self.a.close()
        self.b.close()
