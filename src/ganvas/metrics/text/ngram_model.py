"""A language model of counted n-grams, with the smoothing of Witten and Bell: a judge of lines that needs no learning.

Chen & Goodman 1999, An empirical study of smoothing techniques for language modeling, section 2.4, eq. 9-11
(https://doi.org/10.1006/csla.1999.0128)::

    p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h))

where ``h'`` is ``h`` without its first token, ``T(h)`` counts the tokens that were seen after ``h``, and below all
orders every token is equally likely. What was never seen after ``h`` costs more where ``h`` is usually followed by the
same. So every line has a probability, and the same text gives the same judge.
"""

import numpy as np
from jaxtyping import Float64, Int

from ganvas.metrics.text.ngrams import NgramCounts, Rows, longest_order, said, with_history

ORDER = 5


class NgramModel:
    """``p(x_t | x_{t-order+1} ... x_{t-1})`` as counted in lines.

    Args:
        rows: The lines to count.
        alphabet: Numbers that a token may have.
        order: Tokens of an n-gram, the predicted one among them; fewer where their number would not fit 64 bits.
    """

    def __init__(self, rows: Rows, alphabet: int, *, order: int = ORDER) -> None:
        self.alphabet, self.order = alphabet, min(order, longest_order(alphabet))
        places = said(rows)
        self.grams, self.histories, self.kinds = [], [], []
        for size in range(1, self.order + 1):
            codes = with_history(rows, size, alphabet)[places]
            self.grams.append(NgramCounts.of(codes))
            self.histories.append(NgramCounts.of(codes // alphabet))
            self.kinds.append(NgramCounts.of(self.grams[-1].codes // alphabet))

    def token_log_probs(self, rows: Rows) -> Float64[np.ndarray, "n l"]:
        """``ln p`` of every place, given those before it in the line; 0 behind its end."""
        found = np.full(rows.shape, 1 / self.alphabet)
        for size, (grams, histories, kinds) in enumerate(zip(self.grams, self.histories, self.kinds, strict=True), 1):
            codes = with_history(rows, size, self.alphabet)
            found = _mixed(
                found,
                grams.look_up(codes),
                histories.look_up(codes // self.alphabet),
                kinds.look_up(codes // self.alphabet),
            )
        return np.where(said(rows), np.log(found), 0.0)

    def log_prob(self, rows: Rows) -> Float64[np.ndarray, " n"]:
        """``ln p`` of whole lines."""
        return self.token_log_probs(rows).sum(1)


def _mixed(
    shorter: Float64[np.ndarray, "n l"],
    count: Int[np.ndarray, "n l"],
    histories: Int[np.ndarray, "n l"],
    kinds: Int[np.ndarray, "n l"],
) -> Float64[np.ndarray, "n l"]:
    """The probability by a longer history, of that by the next shorter one; the same where it was never seen."""
    total = histories + kinds
    return np.where(total > 0, (count + kinds * shorter) / np.maximum(total, 1), shorter)
