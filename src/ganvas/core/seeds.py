"""Random streams as pure functions of what they are for.

Every random number of a run comes from a generator seeded by (seed, purpose, position). Nothing depends on how often
a stream was asked before, so a resumed run repeats an uninterrupted one. Torch's global stream is seeded where torch's
own layers draw from it, and put back (:func:`torch_seeded`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganvas.core.hashes.derived_seeds import derive_seed


def stream(seed: int, *parts: int | str, device: str | torch.device = "cpu") -> torch.Generator:
    """A torch generator at the start of the stream named by ``parts``."""
    return torch.Generator(device).manual_seed(derive_seed(seed, *parts))


@contextmanager
def torch_seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Torch's global streams, of the CPU and of ``device``, at the start of ``seed`` while inside; put back after.

    What torch's own layers draw (dropout, noise, their starting weights) comes from these streams.
    """
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        if gpus:
            torch.cuda.manual_seed(seed)
        yield
