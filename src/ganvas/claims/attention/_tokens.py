"""Tokens of which one is marked and carries a sign, in a network that weights them: what is lost with one weight.

Two claims are made of it, one of tokens that come to the weights alone and one of tokens that were mixed before.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from ganvas.claims.batched.stacks import Generators, Stack, descend, generators_of, normal, started, whole
from ganvas.claims.judging.claim import Experiment, Source

TOKENS, NUMBERS, UNITS = 12, 8, 16
STEPS, BATCH, TESTED = 600, 64, 1000
TOP, ANY = "the largest weight set to zero", "another weight set to zero"

Tokens = Float[Tensor, "seeds n tokens numbers"]


def largest_weight_matters(tokens: str, *, mixed: bool, sources: tuple[Source, ...]) -> Experiment:
    """The claim that a network misses its largest weight more than another one."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        generators = generators_of(seeds)
        stack = trained(generators, steps, mixed=mixed)
        x, signs = drawn(generators, TESTED)
        with torch.no_grad():
            top = answered(stack, x, mixed=mixed)[1].argmax(2)
            other = (top + 1 + whole(generators, TOKENS - 1, TESTED)) % TOKENS
            return _rightly(stack, x, signs, top if arm == TOP else other, mixed=mixed)

    return Experiment(
        statement=f"Without its largest weight a network over {tokens} answers worse than without another weight.",
        sources=sources,
        scope=f"{TOKENS} {tokens}, one of them marked and with the answer, {STEPS} steps of Adam",
        arms=(TOP, ANY),
        estimand="share of answers that are right",
        says="less",
        unit="of all",
        smallest_effect=0.1,
        seeds=16,
        run=run,
        rehearsal=lambda arm, seeds: run(arm, seeds, steps=3),
    )


def trained(generators: Generators, steps: int, *, mixed: bool) -> Stack:
    """Weights of a reader, of a mixer, of the scores of tokens and of the answer."""
    shapes = ((NUMBERS, UNITS), (NUMBERS, UNITS), (UNITS, UNITS), (UNITS, 1), (UNITS, 1))
    stack = [part for shape in shapes for part in started(generators, shape)]
    descent = torch.optim.Adam(stack, lr=1e-2)
    for _ in range(steps):
        x, signs = drawn(generators, BATCH)
        descend(F.softplus(-signs * answered(stack, x, mixed=mixed)[0]).mean(1).sum(), descent, stack)
    return stack


def answered(
    stack: Stack, x: Tokens, *, mixed: bool, without: Int64[Tensor, "seeds n"] | None = None
) -> tuple[Float[Tensor, "seeds n"], Float[Tensor, "seeds n tokens"]]:
    """The answer's logit and the weights of tokens; ``without`` names a token whose weight is zero."""
    read, mix, into, score, answer = zip(stack[::2], stack[1::2], strict=True)
    tokens = torch.relu(_layer(read, x))
    if mixed:
        said = torch.relu(_layer(mix, x)).sum(2, keepdim=True)
        tokens = torch.relu(tokens + _layer(into, said))
    scores = _layer(score, tokens)[..., 0]
    if without is not None:
        scores = scores.scatter(2, without[..., None], -torch.inf)
    weights = scores.softmax(2)
    return (weights * _layer(answer, tokens)[..., 0]).sum(2), weights


def drawn(generators: Generators, n: int) -> tuple[Tokens, Float[Tensor, "seeds n"]]:
    """Normal numbers; the first is -1 of every token and 1 of the marked one, whose second number's sign is asked."""
    x = normal(generators, n, TOKENS, NUMBERS)
    marked = F.one_hot(whole(generators, TOKENS, n), TOKENS).to(x)
    x[..., 0] = 2 * marked - 1
    return x, (x[..., 1] * marked).sum(2).sign()


def _layer(layer: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    weight, bias = layer
    return torch.baddbmm(bias, x.flatten(1, 2), weight).unflatten(1, x.shape[1:3])


def _rightly(stack: Stack, x: Tokens, signs: Tensor, without: Tensor, *, mixed: bool) -> list[float]:
    logits, _ = answered(stack, x, mixed=mixed, without=without)
    return (logits.sign() == signs).double().mean(1).tolist()
