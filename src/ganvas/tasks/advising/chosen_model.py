"""The model that is advised, of those whose steps were tried: by what was measured of it and by its pictures' size."""

from collections.abc import Sequence

from ganvas.tasks.advising.measured_families import MeasuredModel

AS_GOOD = 2.0  # Times the best figure, which a model of larger pictures may have and still be taken.

Size = tuple[int, int]  # Height and width in pixels.


def chosen(tries: Sequence[tuple[MeasuredModel, Size | None]], goal: str) -> int | None:
    """The place of the model that is advised, or None where none can learn from the pictures.

    A model that draws larger pictures than the best one is taken where its figure is at most ``AS_GOOD`` times as bad:
    who has pictures of 64 pixels has no use for a fine one of 32. Bits per dimension are what they are at every size,
    so likelihoods are not traded for size.

    Args:
        tries: The models in the order of what was measured of them, best first, each with the size of the pictures
            that it would draw here, or None where it cannot learn from them.
        goal: As :func:`ganvas.tasks.advising.measured_families.best_first` has it.
    """
    able = [(place, one, size) for place, (one, size) in enumerate(tries) if size is not None]
    if not able:
        return None
    best = able[0][1]
    good = able[:1] if goal == "likelihood" else [each for each in able if _as_good(each[1], best, goal)]
    return max(good, key=lambda each: (min(each[2]), -each[0]))[0]


def _as_good(one: MeasuredModel, best: MeasuredModel, goal: str) -> bool:
    if goal == "modes":
        return one.f1 * AS_GOOD >= best.f1
    return one.swd <= AS_GOOD * best.swd
