"""Copies: drawn lines that are drawn again, and lines and runs of tokens that stand in the training text."""

import numpy as np
from jaxtyping import Bool, Float64, Int

from ganvas.metrics.text.bleu import lengths_of
from ganvas.metrics.text.ngrams import Rows

TrainRows = Int[np.ndarray, "m l"]
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # Odd: a run's number is a polynomial of its tokens modulo 2^64.


def unique_share(rows: Rows) -> float:
    """Different lines over all."""
    return len(np.unique(rows, axis=0)) / len(rows)


def copied(rows: Rows, train: TrainRows) -> Bool[np.ndarray, " n"]:
    """Which lines stand in the training text as they are."""
    known = {row.tobytes() for row in np.ascontiguousarray(train, np.int32)}
    return np.array([row.tobytes() in known for row in np.ascontiguousarray(rows, np.int32)])


def longest_runs(rows: Rows, train: TrainRows) -> Float64[np.ndarray, " n"]:
    """The longest run of tokens that each line shares with some training line, as a share of the line; 0 of empty ones.

    Runs are told apart by numbers of 64 bits, which two different ones hardly ever share.
    """
    lengths, own = lengths_of(rows), lengths_of(train)
    longest = np.zeros(len(rows), np.int64)
    for size in range(1, rows.shape[1] + 1):
        known = np.unique(_runs(train, size)[_within(train, own, size)])
        shared = np.isin(_runs(rows, size), known) & _within(rows, lengths, size)
        if not shared.any():
            break
        longest[shared.any(1)] = size
    return longest / np.maximum(lengths, 1)


def _runs(rows: Rows, size: int) -> np.ndarray:
    width = rows.shape[1] - size + 1
    codes = np.zeros((len(rows), width), np.uint64)
    for place in range(size):
        codes = codes * FACTOR + rows[:, place : place + width].astype(np.uint64) + np.uint64(1)
    return codes


def _within(rows: Rows, lengths: np.ndarray, size: int) -> np.ndarray:
    return np.arange(rows.shape[1] - size + 1) + size <= lengths[:, None]
