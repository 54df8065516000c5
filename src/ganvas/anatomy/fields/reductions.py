"""Operations that sum over axes which two operands share: products of matrices, ``einsum``, attention.

Each says, per axis of one operand, which axis of the output it follows and how; None where it is not known.
"""

from ganvas.anatomy.fields.axis_maps import IDENTITY, All, Follows, Upto
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.product_equations import parts

Shape = tuple[int, ...]


def operand(node: Node, number: int) -> int:
    """Which factor of a product the node's ``number``-th input is: constants and parameters are no inputs."""
    at = node.attributes.get("operands", ())
    return at[number] if number < len(at) else number


def matrices(node: Node, number: int, source: Shape) -> tuple[Follows, ...]:
    """``a @ b`` reads a row of ``a`` and a column of ``b``."""
    summed = len(source) - 2 if operand(node, number) > 0 and len(source) > 1 else len(source) - 1
    return _free(node.shape, source, {summed})


def add_product(node: Node, number: int, source: Shape) -> tuple[Follows, ...]:
    """``addmm``: the sum's own place, a row of the one matrix, a column of the other; ``addbmm`` adds up the batch."""
    at = operand(node, number)
    if at == 0:
        return _free(node.shape, source, set())
    if node.op == "addbmm":
        axis = 0 if at == 1 else 1
        return tuple((axis, IDENTITY) if d == axis + 1 else (None, All(size)) for d, size in enumerate(source))
    summed = len(source) - 1 if at == 1 or len(source) == 1 else len(source) - 2
    return _free(node.shape, source, {summed})


def attention(node: Node, number: int, source: Shape) -> tuple[Follows, ...]:
    """A query reads all keys and values, or those up to its own place where it is causal; a mask, its own row."""
    length, features = len(source) - 2, len(source) - 1
    at = operand(node, number)
    if at in (0, 3):  # A query, a mask.
        return _free(node.shape, source, {features})
    found = list(_free(node.shape, source, {length, features} if at == 1 else {length}))
    if node.attributes.get("is_causal"):
        found[length] = (len(node.shape) - 2, Upto(source[length]))
    return tuple(found)


def multi_head(node: Node, number: int, source: Shape) -> tuple[Follows, ...] | None:
    """(length, batch, features): a query, and all keys and values of its example."""
    at = operand(node, number)
    if len(source) != 3 or at > 2:
        return None
    length, _, features = source
    keys: Follows = (0, Upto(length)) if node.attributes.get("is_causal") else (None, All(length))
    return ((0, IDENTITY) if at == 0 else keys, (1, IDENTITY), (None, All(features)))


def einsum(node: Node, number: int, source: Shape) -> tuple[Follows, ...] | None:
    """An axis follows the axis of its letter; letters that the result has not are summed over."""
    equation = node.attributes.get("equation")
    if not isinstance(equation, str):
        return None
    terms, result = parts(equation)
    own = _letters(terms[operand(node, number)], len(source))
    made = _letters(result, len(node.shape))
    if len(set(own)) < len(own) or len(own) != len(source) or len(made) != len(node.shape):  # A diagonal.
        return None
    return tuple(
        (made.index(letter), IDENTITY)
        if letter in made and size == node.shape[made.index(letter)]
        else (None, All(size))
        for letter, size in zip(own, source, strict=True)
    )


def _letters(term: str, rank: int) -> list[str]:
    """One name per axis; those of an ellipsis are counted from its end, as they are broadcast."""
    before, dots, after = term.partition("...")
    hidden = rank - len(before) - len(after)
    return [*before, *(f".{place}" for place in range(hidden, 0, -1) if dots), *after]


def _free(shape: Shape, source: Shape, summed: set[int]) -> tuple[Follows, ...]:
    """Axes that are not summed follow the output's, counted from the last."""
    found: list[Follows] = []
    for axis, size in enumerate(source):
        place = axis + len(shape) - len(source)
        follows = axis not in summed and place >= 0 and size == shape[place] and size > 1
        found.append((place, IDENTITY) if follows else (None, All(size)))
    return tuple(found)
