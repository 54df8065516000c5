"""Everything that is measured of drawn lines against real ones, each beside its floor and beside copied lines.

::

    ngram_js.1 to .4    Jensen-Shannon divergence of n-grams                           both, blind to copies
    bleu.2 to .4        n-grams of each line that training lines have                  quality
    self_bleu.2 to .4   n-grams of each line that other drawn lines have               repetition: as real lines score
    unique, copied      different lines over all; lines of the training text           repetition, memory
    copied.run          longest run shared with a training line, over the line         memory
    lm.forward          bits per token of drawn lines, by n-grams of training          quality
    lm.reverse          bits per token of held-out lines, by n-grams of drawn ones     coverage
    oracle_nll          nats per token of drawn lines, by the oracle of the data       quality

Forward and reverse scores are after Zhao et al. 2018 (ARAE, https://arxiv.org/abs/1706.04223), with counted n-grams
(:mod:`ganvas.metrics.text.ngram_model`) as the judge. No value stands alone: temperature trades quality for coverage,
and one good line drawn again and again wins every measure of quality.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Int

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.results import Result
from ganvas.data.text.packed_text import PackedText
from ganvas.metrics.text import copies
from ganvas.metrics.text.bleu import References
from ganvas.metrics.text.line_bits import bits_result
from ganvas.metrics.text.ngram_divergence import jackknife_error, ngram_js
from ganvas.metrics.text.ngram_model import NgramModel
from ganvas.metrics.text.ngrams import NgramCounts, Rows, longest_order, windows

MOST_REFERENCES = 10_000  # Training lines that drawn ones are held against.
MOST_JUDGED = 500  # Lines whose BLEU is taken.
JS_ORDERS, BLEU_ORDERS = (1, 2, 3, 4), (2, 3, 4)
CountedRows = Int[np.ndarray, "m l"]
LIKE_COPIES = ".copies"  # What training lines, drawn again, score.


@dataclass(frozen=True, kw_only=True)
class TextValue:
    """One number before it has a protocol."""

    metric: str
    value: float
    error: float | None = None
    method: str = ""
    better: Literal["lower", "higher", "neither"]


class TextJudge:
    """Holds lines against a text.

    Args:
        packed: The text that a model was trained on.
        held_out: Other lines by the same alphabet; None takes half of the text as the reference, and the other half for
            what held-out lines are for.
        seed: Chooses lines where there are too many.
    """

    def __init__(self, packed: PackedText, held_out: PackedText | None, *, seed: int) -> None:
        self.seed, self.oracle, self.alphabet = seed, packed.oracle, len(packed.alphabet)
        order = np.random.default_rng(derive_seed(seed, "reference lines")).permutation(len(packed))
        cut = len(packed) if held_out is None else 2 * MOST_REFERENCES
        order = order[: min(cut, 2 * MOST_REFERENCES)]
        if held_out is None:
            half = len(order) // 2
            self.reference, self.fresh = packed.read(order[:half]), packed.read(order[half:])
        else:
            self.reference = packed.read(order[:MOST_REFERENCES])
            others = np.random.default_rng(derive_seed(seed, "held-out lines")).permutation(len(held_out))
            self.fresh = held_out.read(others[:MOST_REFERENCES])
        kept = "half" if held_out is None else f"held-out={held_out.fingerprint[7:23]}"
        self._against = (
            f"length{packed.length}:alphabet{self.alphabet}:ref{len(self.reference)}:{kept}:{packed.fingerprint}"
        )

    @property
    def metrics(self) -> list[str]:
        """The names of the values that lines get."""
        js = [f"ngram_js.{order}" for order in self._js_orders]
        both = [f"{name}.{order}" for name in ("bleu", "self_bleu") for order in BLEU_ORDERS]
        oracle = ["oracle_nll"] if self.oracle is not None else []
        return [*js, *both, "unique", "copied", "copied.run", "lm.forward", "lm.reverse", *oracle]

    def judge(self, rows: Rows, *, counted: CountedRows | None = None) -> list[Result]:
        """Every value of some lines, numbered by the alphabet of the text.

        Args:
            rows: The lines.
            counted: Those whose n-grams score held-out lines, in their place.
        """
        found = [
            self._result(one, len(rows)) for one in (*self._divergences(rows), *self._bleu(rows), *self._copies(rows))
        ]
        return found + self.scores(rows, counted=counted)

    def scores(self, rows: Rows, *, counted: CountedRows | None = None) -> list[Result]:
        """Of the values those that a temperature trades for each other: forward, reverse, and by the oracle."""
        found = self._scores(rows, rows if counted is None else counted)
        return found + [self._result(one, len(rows)) for one in self._oracle(rows)]

    def floor(self, n: int) -> list[Result]:
        """What as many lines of the text that are no part of the reference score, or all where there are fewer.

        Their reverse score is that of as many lines of the reference: nothing is scored by what was counted on itself.
        """
        return self.judge(self.fresh[:n], counted=self.reference[:n])

    def of_copies(self, n: int) -> list[Result]:
        """What training lines score, drawn again: better than the floor where a measure does not see copies."""
        chosen = np.random.default_rng(derive_seed(self.seed, "copied lines")).integers(len(self.reference), size=n)
        found = self.judge(self.reference[chosen])
        return [dataclasses.replace(one, metric=f"{one.metric}{LIKE_COPIES}", better="neither") for one in found]

    def _divergences(self, rows: Rows) -> Iterator[TextValue]:
        for order in self._js_orders:
            how = (rows, self._counts[order], order, self.alphabet)
            error = jackknife_error(*how)
            method = "" if error is None else "jackknife over tenths of the drawn lines"
            yield TextValue(
                metric=f"ngram_js.{order}", value=ngram_js(*how), error=error, method=method, better="lower"
            )

    def _bleu(self, rows: Rows) -> Iterator[TextValue]:
        judged = rows[:MOST_JUDGED]
        for order in BLEU_ORDERS:
            yield _mean(f"bleu.{order}", self._references[order].bleu(judged), better="higher")
        for order in BLEU_ORDERS:
            own = References(judged, self.alphabet, order=order).bleu(judged, own=True)
            yield _mean(f"self_bleu.{order}", own, better="neither")

    def _copies(self, rows: Rows) -> Iterator[TextValue]:
        yield TextValue(metric="unique", value=copies.unique_share(rows), better="higher")
        yield _mean("copied", copies.copied(rows, self.reference).astype(float), better="neither")
        yield _mean("copied.run", copies.longest_runs(rows, self.reference), better="neither")

    def _scores(self, rows: Rows, counted: CountedRows) -> list[Result]:
        forward = -self._judge.log_prob(rows)
        reverse = -NgramModel(counted, self.alphabet).log_prob(self.fresh)
        scored = [("lm.forward", forward, rows), ("lm.reverse", reverse, self.fresh)]
        return [
            dataclasses.replace(
                bits_result(name, nats, lines, self._protocol(name, len(rows)), seed=self.seed), better="lower"
            )
            for name, nats, lines in scored
        ]

    def _oracle(self, rows: Rows) -> Iterator[TextValue]:
        if self.oracle is not None:
            yield _mean("oracle_nll", self.oracle.nll(rows), better="lower")

    @property
    def _js_orders(self) -> list[int]:
        return [order for order in JS_ORDERS if order <= longest_order(self.alphabet)]

    @cached_property
    def _counts(self) -> dict[int, NgramCounts]:
        return {n: NgramCounts.of(windows(self.reference, n, self.alphabet).ravel()) for n in self._js_orders}

    @cached_property
    def _references(self) -> dict[int, References]:
        return {order: References(self.reference, self.alphabet, order=order) for order in BLEU_ORDERS}

    @cached_property
    def _judge(self) -> NgramModel:
        return NgramModel(self.reference, self.alphabet)

    def _protocol(self, metric: str, n: int) -> str:
        return f"{metric.partition('.')[0]}:n{n}:{self._against}"

    def _result(self, one: TextValue, n: int) -> Result:
        return Result(
            metric=one.metric,
            value=one.value,
            standard_error=one.error,
            error_method=one.method,
            n=n,
            seed=self.seed,
            better=one.better,
            protocol=self._protocol(one.metric, n),
        )


def _mean(metric: str, values: np.ndarray, *, better: Literal["lower", "higher", "neither"]) -> TextValue:
    """The mean over lines with its standard error."""
    finite = len(values) > 1 and bool(np.isfinite(values).all())
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if finite else None
    method = "standard error of the mean over lines" if finite else ""
    return TextValue(metric=metric, value=float(values.mean()), error=error, method=method, better=better)
