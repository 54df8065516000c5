"""Which pictures belong together where a metric compares picture i of one source with picture i of another.

Pairs go by place: sources of as many pictures are drawn at the same places (:func:`ganvas.tasks.sides.draw`). Where
both sources have files, their names must not speak against it: a name that is on both sides must be at one place.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from ganvas.tasks.sides import Side

EXAMPLE = "ganvas measure RECONSTRUCTIONS TARGETS --metrics ssim,psnr"


def paired(names: Sequence[str]) -> list[str]:
    """Those of some metrics that compare pair by pair."""
    from ganvas.metrics import shelf

    return [name for name in names if getattr(shelf.load(name), "PAIRED", False)]


def why_not(a: Side, b: Side, *, asked: bool) -> str | None:
    """What keeps two sides from being compared pair by pair; None: nothing.

    Args:
        asked: Whether a person asked for such a metric by its name. Otherwise (``all``) names must say that there are
            pairs: as many pictures alone say nothing.
    """
    for side in (a, b):
        if side.names is None:
            what = "is a file of statistics" if side.file is not None else "makes its pictures anew"
            return f"It compares each picture with its partner, and {side.spec} {what}. Give two sources: {EXAMPLE}."
    if a.count != b.count:
        return (
            f"It compares each picture with its partner, and {a.spec} has {a.count} pictures where {b.spec} has "
            f"{b.count}. Give sources in which picture i of one belongs to picture i of the other."
        )
    one, other = _stems(a), _stems(b)
    if one == other and one:
        return None
    if not (one and other and set(one) & set(other)):
        return None if asked else f"Names do not say which pictures belong together. Ask for it by name: {EXAMPLE}."
    place = next(place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
    return (
        f"It compares each picture with its partner, and picture {place + 1} is {one[place]} in {a.spec} and "
        f"{other[place]} in {b.spec}. Give partners one name, or none."
    )


def note(a: Side, b: Side, metrics: Sequence[str]) -> str:
    """What a reader must know of the pairs."""
    one, other = _stems(a), _stems(b)
    if one and one == other:
        return f"{', '.join(metrics)}: each picture is compared with that of its name on the other side."
    first = f" (the first are {one[0]} and {other[0]})" if one and other else ""
    return f"{', '.join(metrics)}: pictures are compared in their order{first}."


def _stems(side: Side) -> list[str]:
    """Names of files without their endings; empty where there were no files."""
    names = side.names() if side.names is not None else None
    return [str(PurePosixPath(name).with_suffix("")) for name in names or ()]
