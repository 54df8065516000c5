"""The model that is advised, of those whose steps were tried: by what was measured of it and by its pictures' size."""

from collections.abc import Sequence

from ganvas.tasks.advising.measured_families import MeasuredModel

Size = tuple[int, int]  # Height and width in pixels.


def chosen(tries: Sequence[tuple[MeasuredModel, Size | None]], goal: str) -> int | None:
    """The place of the model that is advised, or None where none can learn from the pictures.

    Pictures of twice the side are worth a figure that is half as good: who has pictures of 64 pixels has no use for
    fine ones of 16. Bits per dimension are what they are at every size, so likelihoods are not traded for size.

    Args:
        tries: The models in the order of what was measured of them, best first, each with the size of the pictures
            that it would draw here, or None where it cannot learn from them.
        goal: As :func:`ganvas.tasks.advising.measured_families.best_first` has it.
    """
    able = [(place, one, min(size)) for place, (one, size) in enumerate(tries) if size is not None]
    if not able:
        return None
    if goal == "likelihood":
        return able[0][0]
    return max(able, key=lambda each: (each[2] * _worth(each[1], goal), -each[0]))[0]


def _worth(one: MeasuredModel, goal: str) -> float:
    return one.f1 if goal == "modes" else 1 / one.swd
