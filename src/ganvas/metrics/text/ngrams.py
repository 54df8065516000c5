"""n-grams of lines of text: runs of tokens as whole numbers, so that they are counted and found by sorting."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ganvas.core.sample_sizes.line_size import END

Codes = Int[np.ndarray, " k"]
Rows = Int[np.ndarray, "n l"]
LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class NgramCounts:
    """How often each of some n-grams occurs."""

    codes: Codes  # Sorted, each once.
    counts: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, codes: Codes) -> "NgramCounts":
        """Of n-grams in any order, with repetitions."""
        return cls(*np.unique(codes, return_counts=True))

    def look_up(self, codes: Int[np.ndarray, "*shape"]) -> Int[np.ndarray, "*shape"]:
        """The counts of given n-grams, 0 of those that do not occur."""
        if not len(self.codes):
            return np.zeros(np.shape(codes), np.int64)
        place = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        return np.where(self.codes[place] == codes, self.counts[place], 0)


def said(rows: Rows) -> Bool[np.ndarray, "n l"]:
    """Which places of a line are said: those before its first END, and that END."""
    ends = rows == END
    return ends.cumsum(1) - ends == 0


def longest_order(alphabet: int) -> int:
    """Tokens of the longest n-gram whose number fits into 64 bits.

    >>> longest_order(100), longest_order(5000)
    (9, 5)
    """
    return int(np.log(float(LARGEST)) / np.log(alphabet))


def windows(rows: Rows, order: int, alphabet: int) -> Int[np.ndarray, "n w"]:
    """The numbers of all runs of ``order`` tokens of each line, what stands behind its end among them."""
    assert order <= longest_order(alphabet)
    width = rows.shape[1] - order + 1
    codes = np.zeros((len(rows), max(width, 0)), np.int64)
    for place in range(order if width > 0 else 0):
        codes = codes * alphabet + rows[:, place : place + width]
    return codes


def with_history(rows: Rows, order: int, alphabet: int) -> Int[np.ndarray, "n l"]:
    """The number of each place's token and the ``order - 1`` before it; END stands where nothing is before."""
    before = np.full((len(rows), order - 1), END, rows.dtype)
    return windows(np.concatenate([before, rows], 1), order, alphabet)
