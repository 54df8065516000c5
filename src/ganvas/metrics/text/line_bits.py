"""Bits per token of lines under a model that knows their probability, beside models that need no learning.

A line's END counts as a token where it is said, so that a line of k characters has k + 1 tokens, and a line that was
cut has as many as were kept. The value is all bits over all tokens, and its error that of a ratio of two means.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.results import Result
from ganvas.core.sample_sizes.line_size import TokenUnit
from ganvas.data.text.packed_text import PackedText
from ganvas.losses.capabilities import HasDensity
from ganvas.losses.likelihoods.bits import whose
from ganvas.metrics.text.ngram_model import ORDER, NgramModel
from ganvas.metrics.text.ngrams import Rows, said

BATCH = 256
MOST_COUNTED = 100_000  # Training lines that the models of n-grams are counted on.

PerLine = Float64[np.ndarray, " n"]


def metric_of(unit: TokenUnit) -> str:
    """What the value is called.

    >>> metric_of("characters"), metric_of("words")
    ('bits_per_character', 'bits_per_word')
    """
    return f"bits_per_{unit.removesuffix('s')}"


@torch.no_grad()
def nats_of_lines(
    model: HasDensity,
    rows: Rows,
    *,
    device: torch.device,
    seed: int,
    tick: Callable[[int], None] = lambda done: None,
) -> PerLine:
    """``-ln p`` of every line.

    Args:
        seed: Of the noise of a model whose likelihood is no exact one.
        tick: Called with how many lines are done.
    """
    rng = torch.Generator(device).manual_seed(derive_seed(seed, "held out noise"))
    parts: list[np.ndarray] = []
    for start in range(0, len(rows), BATCH):
        tokens = torch.from_numpy(rows[start : start + BATCH]).long().to(device)
        parts.append(-model.log_prob(tokens, rng).double().cpu().numpy())
        tick(min(start + BATCH, len(rows)))
    return np.concatenate(parts)


def bits_result(metric: str, nats: PerLine, rows: Rows, protocol: str, *, seed: int) -> Result:
    """All bits over all tokens, with the standard error of a ratio of two means over lines."""
    n, tokens = len(rows), said(rows).sum(1)
    bits = nats / math.log(2)
    value = float(bits.sum() / tokens.sum())
    spread = math.sqrt(float(((bits - value * tokens) ** 2).sum()) / (n * max(n - 1, 1)))
    return Result(
        metric=metric,
        value=value,
        standard_error=spread / float(tokens.mean()) if n > 1 else None,
        error_method="standard error of a ratio over lines",
        n=n,
        seed=seed,
        better="neither" if "." in metric else "lower",
        protocol=protocol,
    )


def yardsticks(train: PackedText, rows: Rows, protocol: str, *, seed: int, trained_on: bool = False) -> list[Result]:
    """The same bits under equally likely tokens, single tokens as often as in training, and n-grams with smoothing.

    Args:
        trained_on: Whether ``rows`` are of the training lines, so that those that are counted on these are left out.
    """
    chosen = np.unique(np.linspace(0, len(train) - 1, min(MOST_COUNTED, len(train))).astype(np.int64))
    counted, alphabet = train.read(chosen), len(train.alphabet)
    metric = metric_of(train.alphabet.unit)
    uniform = said(rows).sum(1) * math.log(alphabet)
    found = [bits_result(f"{metric}.uniform", uniform, rows, protocol, seed=seed)]
    if trained_on:
        return found
    for name, order in (("unigram", 1), (f"order_{ORDER}", ORDER)):
        nats = -NgramModel(counted, alphabet, order=order).log_prob(rows)
        found.append(bits_result(f"{metric}.{name}", nats, rows, protocol, seed=seed))
    return found


def protocol_of(model: HasDensity, packed: PackedText, *, n: int, trained_on: bool = False) -> str:
    """What bits of these lines rest on."""
    kind, numbers = model.density.replace(" ", "-"), len(packed.alphabet)
    return (
        f"{metric_of(packed.alphabet.unit)}:n{n}:length{packed.length}:alphabet{numbers}:with-ends:{kind}:"
        f"{whose(trained_on)}={packed.fingerprint}"
    )


def chosen_rows(packed: PackedText, n: int, *, seed: int) -> Rows:
    """``n`` lines at random, each at most once; those of 10 are among those of 100."""
    order = np.random.default_rng(derive_seed(seed, "held out")).permutation(len(packed))
    return packed.read(np.sort(order[:n]))


def measured(
    model: HasDensity,
    packed: PackedText,
    n: int,
    *,
    device: torch.device,
    seed: int,
    tick: Callable[[int], None] = lambda done: None,
    trained_on: bool = False,
) -> tuple[Result, PerLine]:
    """The value of ``n`` lines, and the nats of each."""
    rows = chosen_rows(packed, n, seed=seed)
    nats = nats_of_lines(model, rows, device=device, seed=seed, tick=tick)
    metric = metric_of(packed.alphabet.unit)
    protocol = protocol_of(model, packed, n=len(rows), trained_on=trained_on)
    return bits_result(metric, nats, rows, protocol, seed=seed), nats
