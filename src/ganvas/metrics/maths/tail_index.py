"""Hill's estimator of how heavy a tail is.

Hill 1975, A Simple General Approach to Inference About the Tail of a Distribution, Annals of Statistics 3. Of the k
largest of n numbers::

    gamma = mean of log(x_(i) / x_(k+1)),   i = 1..k

which is 1/alpha for a Pareto tail ``P(X > x) ~ x^-alpha``, and falls to 0 for thin ones. Its error is
``gamma / sqrt(k)``. A Lipschitz generator of normal latents has tails as thin as theirs, whatever it learnt.
"""

import math

import numpy as np
from jaxtyping import Float64

LARGEST = 0.05  # Of the numbers are counted as the tail.
LEAST = 10  # Numbers in a tail that says anything.


def tail_size(n: int) -> int:
    """How many of n numbers are counted as the tail."""
    return max(LEAST, round(LARGEST * n))


def hill(numbers: Float64[np.ndarray, " n"], *, largest: int) -> float:
    """The index of the tail.

    Args:
        numbers: At least ``largest + 1``; the tail's must be above 0.
    """
    top = np.sort(numbers)[-largest - 1 :]
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.log(top[1:] / top[0]).mean())


def hill_error(index: float, *, largest: int) -> float:
    """Standard error: logarithms of a Pareto tail are exponential, as wide as their mean."""
    return index / math.sqrt(largest)
