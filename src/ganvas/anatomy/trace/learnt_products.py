"""A product with a learnt matrix is a linear layer, however it is spelt: ``x @ w``, ``w @ x``, an ``einsum``.

The matrix itself is no node of a trace. What is left of it are its parameters and the axis that it acts on.
"""

from collections.abc import Sequence

from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.product_equations import EQUATIONS, parts

PRODUCTS = EQUATIONS | {"matmul", "einsum", "grouped_mm"}


def learnt(node: Node) -> bool:
    """Whether one factor of a product is made of parameters alone."""
    return node.op in PRODUCTS and bool(node.parameters or node.shared)


def acts_on(op: str, equation: str, ranks: Sequence[int], weight: int) -> tuple[int | None, int | None]:
    """The axes that hold the features which a learnt factor reads, and those which it makes.

    Args:
        equation: Of an einsum.
        ranks: Of the factors.
        weight: Which of them is learnt.

    Returns:
        Of the first other factor and of the result; negative ones count from the end. None where a factor is a vector,
        or where the equation sums over nothing or makes nothing new.

    >>> acts_on("matmul", "", (3, 2), 1), acts_on("matmul", "", (2, 3), 0)
    ((-1, -1), (-2, -2))
    >>> acts_on("einsum", "bct,dc->bdt", (3, 2), 1)
    (-2, -2)
    """
    if op in ("matmul", "grouped_mm"):
        axis = (-2, -1)[weight]
        return (axis, axis) if min(ranks) > 1 else (None, None)
    terms, result = parts(equation)
    own, data = terms[weight], terms[int(weight == 0)]
    return _axis(data, set(own) - set(result)), _axis(result, set(own) - set(data))


def _axis(term: str, letters: set[str]) -> int | None:
    """Of the last of these letters in a term of an einsum."""
    found = [place for place, letter in enumerate(term) if letter in letters and letter != "."]
    if not found:
        return None
    return found[-1] if "." in term[found[-1] :] else found[-1] - len(term)
