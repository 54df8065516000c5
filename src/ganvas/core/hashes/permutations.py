"""Permutations that are computed, not stored: the image of a number is a function of the number and of a key.

A Feistel network permutes the numbers below a power of 4, whatever its round function is (Luby and Rackoff 1988,
https://doi.org/10.1137/0217022); numbers that land beyond the end are sent through it again until they do not
(cycle walking, Black and Rogaway 2002, https://doi.org/10.1007/3-540-45760-7_9). So a shuffle of any length needs no
memory, and any part of it can be had alone.
"""

import numpy as np
from jaxtyping import Int64, UInt64

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.hashes.splitmix import mix

ROUNDS = 6  # Four make it look random to whoever does not choose the numbers; short halves want some more.


def permuted(places: Int64[np.ndarray, " k"], count: int, *, key: int) -> Int64[np.ndarray, " k"]:
    """Where a permutation of ``0 .. count - 1`` sends these places.

    Args:
        places: Each at least 0 and less than ``count``.
        key: Which permutation; see :func:`ganvas.core.hashes.derived_seeds.derive_seed`.

    >>> sorted(permuted(np.arange(10), 10, key=3).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    half = max(1, (max(count - 1, 1).bit_length() + 1) // 2)  # Bits of a half: both together reach beyond the end.
    keys = [np.uint64(derive_seed(key, "round", number)) for number in range(ROUNDS)]
    sent = _network(places.astype(np.uint64), half, keys)
    while (beyond := sent >= count).any():
        sent[beyond] = _network(sent[beyond], half, keys)
    return sent.astype(np.int64)


def _network(values: UInt64[np.ndarray, " k"], half: int, keys: list[np.uint64]) -> UInt64[np.ndarray, " k"]:
    """One pass: each round adds a function of one half to the other, which can be undone."""
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> bits, values & mask
    for key in keys:
        left, right = right, left ^ (mix(right ^ key) & mask)
    return (left << bits) | right
