"""Seeds as pure functions of what they are for, where nothing needs torch: data are packed without it."""

import hashlib
import operator


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
