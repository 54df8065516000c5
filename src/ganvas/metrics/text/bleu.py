"""BLEU of single lines, and self-BLEU: how much of each line stands in others.

Papineni et al. 2002, BLEU, https://aclanthology.org/P02-1040, sections 2.1 to 2.3::

    BLEU-N = BP exp(1/N sum_{n <= N} ln p_n)    p_n = n-grams that references have, each at most as often, over all
    BP = 1 where the line is longer than the closest reference, else exp(1 - r / c)

of each line with all references, averaged over lines, as Texygen does (Zhu et al. 2018,
https://arxiv.org/abs/1802.01886) with nltk's smoothing method 1: a p_n of no match is 0.1 over all. Self-BLEU takes all
other drawn lines as references, never the line itself; it grows with their number.
"""

import numpy as np
from jaxtyping import Float64, Int

from ganvas.core.sample_sizes.line_size import END
from ganvas.metrics.text.ngrams import Rows, windows

EPSILON = 0.1  # Of smoothing method 1.


class References:
    """n-grams of lines: of each the largest count in one line, and the largest in any other line."""

    def __init__(self, rows: Rows, alphabet: int, *, order: int) -> None:
        self.alphabet, self.order = alphabet, order
        self.lengths = lengths_of(rows)
        self._largest = [_Largest(rows, self.lengths, size, alphabet) for size in range(1, order + 1)]

    def bleu(self, rows: Rows, *, own: bool = False) -> Float64[np.ndarray, " n"]:
        """BLEU of each line with all references, 0 of a line without a token in common.

        Args:
            own: The lines are the references themselves, in their order, and each leaves itself out.
        """
        lengths, logs = lengths_of(rows), np.zeros(len(rows))
        matched = np.zeros(len(rows), np.int64)
        for size, largest in enumerate(self._largest, 1):
            found, there = largest.matches(rows, lengths, own=own)
            if size == 1:
                matched = found
            logs += np.log(np.where(found > 0, found, EPSILON) / np.maximum(there, 1))
        score = _brevity(lengths, self._closest(lengths, own=own)) * np.exp(logs / self.order)
        return np.where(matched > 0, score, 0.0)

    def _closest(self, lengths: Int[np.ndarray, " n"], *, own: bool) -> Int[np.ndarray, " n"]:
        """The length of the reference that is nearest to each line's, the shorter of two."""
        sizes, counts = np.unique(self.lengths, return_counts=True)
        away = np.abs(sizes - lengths[:, None]).astype(np.float64)
        if own:
            away[(sizes == lengths[:, None]) & (counts == 1)] = np.inf
        return sizes[away.argmin(1)]


class _Largest:
    """Of every n-gram of one order the largest count in a line, whose line that is, and the next largest."""

    def __init__(self, rows: Rows, lengths: Int[np.ndarray, " n"], size: int, alphabet: int) -> None:
        self.size, self.alphabet = size, alphabet
        lines, codes, counts = counted(rows, lengths, size, alphabet)
        order = np.lexsort((-counts, codes))
        lines, codes, counts = lines[order], codes[order], counts[order]
        self.codes, first = np.unique(codes, return_index=True)
        self.line, self.most = lines[first], counts[first]
        second = np.minimum(first + 1, max(len(codes) - 1, 0))
        self.next = np.where(codes[second] == self.codes, counts[second], 0) * (second != first)

    def matches(
        self, rows: Rows, lengths: Int[np.ndarray, " n"], *, own: bool
    ) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """How many n-grams of each line the references have, each at most as often as one of them, and how many."""
        lines, codes, counts = counted(rows, lengths, self.size, self.alphabet)
        allowed = np.zeros(len(codes), np.int64)
        if len(self.codes):
            place = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
            most = np.where(own & (self.line[place] == lines), self.next[place], self.most[place])
            allowed = np.where(self.codes[place] == codes, most, 0)
        matched = np.bincount(lines, np.minimum(counts, allowed), len(rows)).astype(np.int64)
        return matched, np.maximum(lengths - self.size + 1, 0)


def counted(
    rows: Rows, lengths: Int[np.ndarray, " n"], size: int, alphabet: int
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Line, n-gram and count of every n-gram of every line, nothing behind its end."""
    codes = windows(rows, size, alphabet)
    lines, places = np.nonzero(np.arange(codes.shape[1]) + size <= lengths[:, None])
    pairs, counts = np.unique(np.stack([lines, codes[lines, places]]), axis=1, return_counts=True)
    return pairs[0], pairs[1], counts


def lengths_of(rows: Rows) -> Int[np.ndarray, " n"]:
    """Tokens of each line before its first END."""
    ends = rows == END
    return np.where(ends.any(1), ends.argmax(1), rows.shape[1])


def _brevity(lengths: Int[np.ndarray, " n"], closest: Int[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    short = np.exp(1 - closest / np.maximum(lengths, 1))
    return np.where(lengths > closest, 1.0, np.where(lengths == 0, 0.0, short))
