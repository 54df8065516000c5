"""Notes under a table of numbers: what a reader must know of the pictures behind it."""

import math
from typing import TYPE_CHECKING

from ganvas.tasks.measuring.sides import Side

if TYPE_CHECKING:
    from ganvas.core.results import Result
    from ganvas.metrics.accumulators.feature_pass import Gathered
    from ganvas.metrics.measuring.flow import Measurement

MOST_NAMED = 3  # Files of a note.
ERRORS = 2.0  # Standard errors within which two values are one.


def of_side(side: Side, gathered: "Gathered | None" = None) -> list[str]:
    """Notes on one side; nothing where there is nothing to say."""
    found = [side.file.note] if side.file is not None and side.file.note else []
    if side.file is not None and side.file.n is None:
        found.append(f"{side.spec} does not say of how many pictures it is.")
    if side.treated:
        how = ", ".join(side.treated)
        found.append(f"{side.spec}: pictures were treated first ({how}). Compare with values of the same treatment.")
    if side.left_out:
        few = ", ".join(side.left_out[:MOST_NAMED]) + (", ..." if len(side.left_out) > MOST_NAMED else "")
        count = len(side.left_out)
        what = f"{count} files that cannot be read were" if count > 1 else "a file that cannot be read was"
        found.append(f"{side.spec}: {what} left out ({few}).")
    return found + (_all_alike(side, gathered) if gathered is not None else [])


def of_both(a: Side, b: Side) -> list[str]:
    """What was done to two sides, where it differs in what a person can make alike."""
    grounds = [{word for word in side.treated if word.startswith("on-")} for side in (a, b)]
    if not all(grounds) or grounds[0] == grounds[1]:
        return []
    one, other = ("+".join(sorted(ground)).replace("on-", "") for ground in grounds)
    return [
        f"{a.spec} lies on {one} and {b.spec} on {other}: part of the value is the background. Make both on one "
        "(`--background`)."
    ]


def too_near(found: "Measurement") -> list[str]:
    """Values that lie within the errors of what reals score in their place: they tell the two sides not apart."""
    floor = {one.metric: one for one in found.floor}
    near = [
        one.metric
        for one in found.results
        if one.metric in floor and "." not in one.metric and one.better != "neither" and _within(one, floor[one.metric])
    ]
    if not near:
        return []
    return [
        f"{', '.join(near)}: at n={found.n:,} within the errors of what reals score against reals, so these pictures "
        "cannot be told from real ones so. More pictures on each side tell more."
    ]


def _within(value: "Result", floor: "Result") -> bool:
    errors = [value.standard_error or 0.0, floor.standard_error or 0.0]
    sign = 1 if value.better == "lower" else -1
    return sign * (value.value - floor.value) < ERRORS * math.hypot(*errors)


def _all_alike(side: Side, gathered: "Gathered") -> list[str]:
    """A network to which all pictures are one tells no two sets apart, and metrics through it look perfect."""
    from ganvas.metrics.measuring import metric_catalogue

    by_network: dict[str, list[str]] = {}
    for name, stats in gathered.stats.items():
        rows = stats.tables.get("rows")
        if metric_catalogue.load(name).SEES != "pixels" and rows is not None and rows.count > 1 and rows.all_equal():
            by_network.setdefault(stats.rows_of, []).append(name)
    return [
        f"{side.spec}: all pictures have the same features in {network}. Either they are one picture, or that network "
        f"sees nothing in them, and then {', '.join(names)} mean nothing."
        for network, names in by_network.items()
    ]
