"""Random streams as pure functions of what they are for.

Every random number of a run comes from a generator seeded by (seed, purpose, position). Nothing depends on how often
a stream was asked before, so a resumed run repeats an uninterrupted one, and nothing touches torch's global stream.
"""

import hashlib
import operator

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
