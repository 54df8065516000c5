"""Random streams as pure functions of what they are for.

Every random number of a run comes from a generator seeded by (seed, purpose, position). Nothing depends on how often
a stream was asked before, so a resumed run repeats an uninterrupted one. Torch's global stream is seeded where torch's
own layers draw from it, and put back (:func:`torch_seeded`).
"""

import hashlib
import operator
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(seed: int, *parts: int | str) -> int:
    """A 63-bit seed from a base seed and what the stream is for; distinct parts give independent streams.

    >>> derive_seed(1, "noise", 16) == derive_seed(1, "noise", 16)
    True
    >>> derive_seed(1, "noise", 16) == derive_seed(1, "noise", 32)
    False
    """
    whole = [part if isinstance(part, str) else int(operator.index(part)) for part in (seed, *parts)]
    text = repr(tuple(whole)).encode()  # A numpy integer must not name another stream than the same Python one.
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little") >> 1


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
