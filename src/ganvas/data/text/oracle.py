"""Oracles: recurrent networks with random weights, whose lines are data and whose probabilities are known exactly.

Yu et al. 2017, SeqGAN, section 4 (https://arxiv.org/abs/1609.05473) and the authors' code: an embedding of 32 numbers,
an LSTM of 32, a logit for every token, all of them N(0, 1); lines of 20 of 5,000 tokens, begun from token 0. Every seed
is another oracle. A model is as good as the oracle finds its lines probable, and as bad as it leaves lines out: the
oracle's verdict alone is won by one line drawn again and again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.sample_sizes.line_size import SPECIAL
from ganvas.data.cache import hash_file
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.text.text_source import TextSource

FEATURES, LENGTH, COUNT = 32, 20, 10_000
BLOCK = 500
MOST_TOKENS = 20_000

OracleTokens = Int[np.ndarray, "n l"]  # From 0, without END and UNKNOWN.
State = tuple[Float64[np.ndarray, "n h"], Float64[np.ndarray, "n h"]]


@dataclass(frozen=True)
class Oracle:
    """A language model that nobody trained.

    Attributes:
        tokens: How many there are.
        length: Of every line.
        seed: Of the weights.
    """

    tokens: int
    length: int = LENGTH
    seed: int = 0

    @property
    def name(self) -> str:
        """As a source spells it, without a count."""
        return f"oracle:{self.tokens},length={self.length},seed={self.seed}"

    def draw(self, n: int, *, part: int) -> OracleTokens:
        """``n`` lines, a function of (seed, part)."""
        rng = np.random.default_rng(derive_seed(self.seed, "lines of an oracle", part))
        token, lines = np.zeros(n, np.int64), np.empty((n, self.length), np.int64)
        state = self._empty(n)
        for place in range(self.length):
            logits, state = self._step(token, state)
            shares = np.exp(logits - logits.max(1, keepdims=True)).cumsum(1)
            token = (shares < rng.random((n, 1)) * shares[:, -1:]).sum(1)
            lines[:, place] = token
        return lines

    def log_prob(self, lines: OracleTokens) -> Float64[np.ndarray, " n"]:
        """``ln p`` of whole lines."""
        n, total = len(lines), np.zeros(len(lines))
        token, state = np.zeros(n, np.int64), self._empty(n)
        for place in range(self.length):
            logits, state = self._step(token, state)
            token = lines[:, place]
            top = logits.max(1)
            total += logits[np.arange(n), token] - top - np.log(np.exp(logits - top[:, None]).sum(1))
        return total

    def nll(self, rows: Int[np.ndarray, "n l"]) -> Float64[np.ndarray, " n"]:
        """``-ln p`` per token of lines as numbers of its alphabet; infinite where they end or hold what it lacks."""
        rows = rows[:, : self.length]
        possible = (rows >= SPECIAL).all(1) & (rows.shape[1] == self.length)
        found = np.full(len(rows), np.inf)
        for start in range(0, len(rows), BLOCK):
            part = np.flatnonzero(possible[start : start + BLOCK]) + start
            if len(part):
                found[part] = -self.log_prob(rows[part] - SPECIAL) / self.length
        return found

    def _empty(self, n: int) -> State:
        return np.zeros((n, FEATURES)), np.zeros((n, FEATURES))

    def _step(self, token: Int[np.ndarray, " n"], state: State) -> tuple[Float64[np.ndarray, "n v"], State]:
        embed, given, recurrent, bias, output, output_bias = self._weights
        said, cell = state
        gates = embed[token] @ given + said @ recurrent + bias
        take, keep, tell, new = np.split(gates, 4, 1)
        cell = _sigmoid(keep) * cell + _sigmoid(take) * np.tanh(new)
        said = _sigmoid(tell) * np.tanh(cell)
        return said @ output + output_bias, (said, cell)

    @cached_property
    def _weights(self) -> tuple[np.ndarray, ...]:
        """Embedding, LSTM and output, all N(0, 1)."""
        rng = np.random.default_rng(derive_seed(self.seed, "weights of an oracle"))
        gates = 4 * FEATURES
        shapes = [(self.tokens, FEATURES), (FEATURES, gates), (FEATURES, gates), (gates,)]
        return tuple(rng.standard_normal(shape) for shape in [*shapes, (FEATURES, self.tokens), (self.tokens,)])


@cache
def oracle_of(name: str) -> Oracle:
    """The oracle that a source spells, whatever its count.

    Raises:
        UserError: a word is not understood.
    """
    return parsed(name)[0]


def parsed(spec: str) -> tuple[Oracle, int]:
    """``oracle[:TOKENS][,COUNT][,length=L][,seed=N]``: the oracle and the number of lines.

    Raises:
        UserError: a word is not understood.
    """
    numbers, options = list[int](), {"length": LENGTH, "seed": 0}
    for word in filter(None, spec.partition(":")[2].split(",")):
        match = re.fullmatch(r"(?:(length|seed)=)?(\d{1,9})", word)
        if match is None or (match[1] is None and len(numbers) == 2):
            raise UserError(
                f"{spec}: '{word}' is not understood. Oracles are written oracle:TOKENS,COUNT,length=L,seed=N, as in "
                "oracle:200,10000,seed=1; every part may be left out."
            )
        if match[1]:
            options[match[1]] = int(match[2])
        else:
            numbers.append(int(match[2]))
    tokens, count = [*numbers, *(5000, COUNT)[len(numbers) :]]
    if not 2 <= tokens <= MOST_TOKENS or count < 2 or options["length"] < 1:
        raise UserError(f"{spec}: an oracle has 2 to {MOST_TOKENS:,} tokens, lines of 1 or more, and 2 lines or more.")
    return Oracle(tokens, **options), count


class OracleLines(TextSource):
    """Lines that an oracle draws, of words ``w0``, ``w1``, ..."""

    kind = "oracle"

    def __init__(self, spec: str) -> None:
        self.location = spec
        self.oracle, self.count = parsed(spec)
        self.law = self.oracle.name
        self.words = tuple(f"w{number}" for number in range(self.oracle.tokens))
        self.tokens = self.words

    def lines(self) -> Iterator[str]:
        for part, start in enumerate(range(0, self.count, BLOCK)):
            drawn = self.oracle.draw(min(BLOCK, self.count - start), part=part)
            yield from (" ".join(self.words[token] for token in line) for line in drawn.tolist())

    def identity(self) -> str:
        """With a hash of the code that draws."""
        return "oracle:" + hash_of(self.law, self.count, hash_file(Path(__file__)))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
