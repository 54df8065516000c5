"""Two sides have pictures of one size and colour, or it is said how they come to it."""

from ganvas.core.errors import UserError
from ganvas.tasks.measuring.sides import Shape, Side


def require_one(a: Side, b: Side) -> None:
    """Whether pictures of two sides have one shape, as far as both are known.

    Raises:
        UserError: they have not.
    """
    from ganvas.metrics.accumulators.metric_contract import shape_in_words

    if a.shape is None or b.shape is None or a.shape == b.shape:
        return
    said, other = (shape_in_words((shape[2], *shape[:2])) for shape in (a.shape, b.shape))
    raise UserError(f"{a.spec} has pictures of {said}, and {b.spec} of {other}. {_remedy(a, a.shape, b, b.shape)}")


def _remedy(a: Side, shape_a: Shape, b: Side, shape_b: Shape) -> str:
    """What is a model's or a file's stays as it is; the other side comes to it."""
    if a.file is None and b.file is None:
        return f"Bring both to one size and colour: {_options(min(shape_a, shape_b), shape_a, shape_b)}."
    file, of_file, other, of_other = (a, shape_a, b, shape_b) if a.file is not None else (b, shape_b, a, shape_a)
    if other.file is None and other.trained is None:
        return f"Bring the pictures to those of the file: {_options(of_file, of_file, of_other)}."
    return f"Make {file.spec} again: ganvas stats FOLDER -o {file.spec} {_options(of_other, of_file, of_other)}."


def _options(want: Shape, one: Shape, other: Shape) -> str:
    """The options that bring both sides to one of their shapes."""
    alike = one[0] * other[1] == one[1] * other[0]
    colour = f" --channels {min(want[2], 3)}" if one[2] != other[2] else ""
    return f"--size {want[0]}x{want[1]}{colour}{'' if alike else ' --fit crop'}"
