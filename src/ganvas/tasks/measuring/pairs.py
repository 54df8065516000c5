"""Pairs of pictures, for metrics that compare picture i of one source with picture i of another.

Pairs go by place: sources of as many pictures are drawn at the same places (:mod:`ganvas.metrics.measuring.draws`).
Where both sources have files, their names must not speak against it: a name that is on both sides must be at one place.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from ganvas.tasks.measuring.sides import Side

EXAMPLE = "ganvas measure RECONSTRUCTIONS TARGETS --metrics ssim,psnr"


def paired(names: Sequence[str]) -> list[str]:
    """Those of some metrics that compare pair by pair."""
    from ganvas.metrics.measuring import metric_catalogue

    return [name for name in names if getattr(metric_catalogue.load(name), "PAIRED", False)]


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
        if (place := _other_order(one, other)) is not None:
            return (
                f"It compares each picture with its partner in the order of their names, and picture {place + 1} is "
                f"{one[place]} in {a.spec} and {other[place]} in {b.spec}: their numbers are in another order (9 is "
                "behind 10 in names). Give partners one name, or numbers with leading zeros."
            )
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
    ends = f": {one[0]} with {other[0]}, and so on to {one[-1]} with {other[-1]}" if one and other else ""
    return f"{', '.join(metrics)}: names differ, so pictures are compared in their order{ends}."


def _other_order(one: Sequence[str], other: Sequence[str]) -> int | None:
    """The first place at which numbers in the names of two sides are not in one order; None: they are, or none are."""
    numbers = [[re.findall(r"\d+", name)[-1:] for name in names] for names in (one, other)]
    if not all(all(side) for side in numbers) or not one or not other:
        return None
    ranks = []
    for side in numbers:
        values = [int(number) for (number,) in side]
        if len(set(values)) < len(values):  # Numbers of something else.
            return None
        places = {value: rank for rank, value in enumerate(sorted(values))}
        ranks.append([places[value] for value in values])
    return next((place for place, (x, y) in enumerate(zip(*ranks, strict=True)) if x != y), None)


def _stems(side: Side) -> list[str]:
    """Names of files without their endings; empty where there were no files."""
    names = side.names() if side.names is not None else None
    return [str(PurePosixPath(name).with_suffix("")) for name in names or ()]
