"""SplitMix64's finaliser, by which numbers of 64 bits are hashed: the same on every machine, without a table.

Steele, Lea & Flood 2014, Fast Splittable Pseudorandom Number Generators, figure 14.
"""

import numpy as np
from jaxtyping import UInt64


def mix(state: UInt64[np.ndarray, "*shape"]) -> UInt64[np.ndarray, "*shape"]:
    """A permutation of numbers of 64 bits: every bit of the state reaches every bit of the result.

    >>> int(mix(np.array([0x9E3779B97F4A7C15], dtype=np.uint64))[0]) == 0xE220A8397B1DCDAF
    True
    """
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
