"""Jensen-Shannon divergence of the n-grams of two sets of lines, as papers on GANs of text report it.

Gulrajani et al. 2017, appendix (https://arxiv.org/abs/1704.00028), and their code: runs of n tokens within lines of
one length, what stands behind a line's end among them, counted over each set; base 2, so that disjoint sets have 1. It
falls as more lines are drawn, and copied lines score better than held-out ones: read it beside its floor of as many.
"""

import numpy as np
from jaxtyping import Float64

from ganvas.metrics.text.ngrams import NgramCounts, Rows, windows

GROUPS = 10  # Of a jackknife.


def ngram_js(drawn: Rows, reference: NgramCounts, order: int, alphabet: int) -> float:
    """``JS = KL(p | m) / 2 + KL(q | m) / 2`` in bits, with ``m = (p + q) / 2``.

    Args:
        drawn: The lines to be judged.
        reference: n-grams of the same order of other lines.
        order: n.
        alphabet: Numbers that a token may have.
    """
    own = NgramCounts.of(windows(drawn, order, alphabet).ravel())
    codes = np.union1d(own.codes, reference.codes)
    p, q = (_shares(counts.look_up(codes)) for counts in (own, reference))
    return float(_half(p, (p + q) / 2) + _half(q, (p + q) / 2))


def jackknife_error(drawn: Rows, reference: NgramCounts, order: int, alphabet: int) -> float | None:
    """The standard error over draws, by leaving out a tenth of the lines at a time; None of too few."""
    if len(drawn) < 2 * GROUPS:
        return None
    groups = np.arange(len(drawn)) % GROUPS
    without = [ngram_js(drawn[groups != group], reference, order, alphabet) for group in range(GROUPS)]
    return float(np.sqrt((GROUPS - 1) * np.var(without)))


def _shares(counts: np.ndarray) -> Float64[np.ndarray, " k"]:
    return counts / max(int(counts.sum()), 1)


def _half(p: Float64[np.ndarray, " k"], m: Float64[np.ndarray, " k"]) -> float:
    """``KL(p | m) / 2`` in bits."""
    there = p > 0
    return float((p[there] * np.log2(p[there] / m[there])).sum() / 2)
