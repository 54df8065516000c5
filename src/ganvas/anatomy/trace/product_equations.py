"""Products of tensors as the equation that ``torch.einsum`` would take for them.

``tensordot``, ``inner``, ``vecdot`` and ``multi_dot`` sum over axes that their factors share. As equations they have
their axes, their fields and their multiply-accumulates in common with ``einsum``.
"""

from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import Any

from torch import Tensor

EQUATIONS = frozenset(("tensordot", "inner", "vecdot", "multi_dot"))


def equation(op: str, bound: Mapping[str, Any], factors: Sequence[Tensor]) -> str:
    """The equation of one of ``EQUATIONS``.

    Args:
        bound: The operation's arguments by name.
        factors: Its operands in order.

    >>> import torch
    >>> equation("tensordot", {"dims": ([1, 2], [1, 2])}, [torch.empty(3, 4, 5), torch.empty(6, 4, 5)])
    'abc,dbc->ad'
    >>> equation("multi_dot", {}, [torch.empty(3, 8), torch.empty(8, 5), torch.empty(5)])
    'ab,bc,c->a'
    """
    ranks = [factor.dim() for factor in factors]
    if op == "multi_dot":
        return _chain(ranks)
    if op == "vecdot":
        return _along(ranks, int(bound.get("dim", -1)))
    if op == "inner":
        return _contracted(ranks, [ranks[0] - 1], [ranks[1] - 1]) if min(ranks) else _contracted(ranks, [], [])
    dims = bound.get("dims", 2)
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        return _contracted(ranks, list(range(ranks[0] - dims, ranks[0])), list(range(dims)))
    first, second = ([axes] if isinstance(axes, int) else list(axes) for axes in dims)
    return _contracted(ranks, [axis % ranks[0] for axis in first], [axis % ranks[1] for axis in second])


def parts(equation: str) -> tuple[list[str], str]:
    """The terms of an einsum and its result, which is, left out, what stands there once in the alphabet's order.

    >>> parts("bct, dc -> bdt"), parts("ij,jk")
    ((['bct', 'dc'], 'bdt'), (['ij', 'jk'], 'ik'))
    """
    before, arrow, result = equation.replace(" ", "").partition("->")
    if not arrow:
        letters = before.replace(",", "").replace(".", "")
        result = "..." * ("." in before) + "".join(sorted(one for one in set(letters) if letters.count(one) == 1))
    return before.split(","), result


def _contracted(ranks: Sequence[int], first: Sequence[int], second: Sequence[int]) -> str:
    """Two factors whose axes ``first`` and ``second`` meet, pair by pair."""
    a = list(ascii_letters[: ranks[0]])
    b = list(ascii_letters[ranks[0] : sum(ranks)])
    for one, other in zip(first, second, strict=True):
        b[other] = a[one]
    kept = [letter for letter in a if letter not in b] + [letter for letter in b if letter not in a]
    return f"{''.join(a)},{''.join(b)}->{''.join(kept)}"


def _along(ranks: Sequence[int], dim: int) -> str:
    """Two factors, broadcast against each other, that are summed over one axis."""
    letters = list(ascii_letters[: max(ranks)])
    terms = ["".join(letters[len(letters) - rank :]) for rank in ranks]
    gone = letters[dim % len(letters)]
    return f"{','.join(terms)}->{''.join(letter for letter in letters if letter != gone)}"


def _chain(ranks: Sequence[int]) -> str:
    """Matrices one after another; the first and the last may be a vector."""
    letters = ascii_letters[: len(ranks) + 1]
    terms = [letters[n : n + 2] for n in range(len(ranks))]
    if ranks[0] == 1:
        terms[0] = letters[1]
    if ranks[-1] == 1:
        terms[-1] = letters[-2]
    return f"{','.join(terms)}->{terms[0][:-1]}{terms[-1][1:]}"
