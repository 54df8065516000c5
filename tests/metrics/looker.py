"""A feature network for tests: it costs nothing, and is the same in any batch."""

import os
from pathlib import Path

import torch

# Of processes that tests start: they find this file too.
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
}


class Looker:
    """A network of fixed random directions over pictures of 16x16x3."""

    def __init__(self, *, seed=0, width=6):
        random = torch.Generator().manual_seed(seed)
        self._kernel = torch.randn(3 * 16 * 16, width, generator=random) / 4000
        self.identity, self.taps = f"looker@seed{seed}:none:uint8", {"features": width, "logits": width}
        self.seen = 0

    def extract(self, pictures, taps):
        self.seen += len(pictures)
        rows = ((pictures.flatten(1).double() - 128) @ self._kernel.double()).float()  # In any batch the same.
        return {tap: rows if tap == "features" else -rows for tap in taps}
