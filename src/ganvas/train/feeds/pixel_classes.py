"""Numbers of label maps as classes: how many there are, and which number says that nothing is known.

Numbers count from 0. 255 is *void*: a pixel whose class is not told, as in PASCAL VOC and Cityscapes; another number is
void where a person says so (11 in CamVid). A set whose only numbers are 0 and 255 is a picture of one thing in white
on black, and white is then class 1.
"""

import numpy as np
from jaxtyping import Int, UInt8

from ganvas.core.errors import UserError
from ganvas.data.pairs.label_maps import UNKNOWN, PackedLabelMaps
from ganvas.losses.batches.picture_batch import VOID


def is_black_and_white(counts: Int[np.ndarray, " 256"]) -> bool:
    """Whether the only numbers are 0 and 255."""
    return bool(counts[0]) and bool(counts[255]) and not counts[1:255].any()


def count_classes(counts: Int[np.ndarray, " 256"], *, void: int = UNKNOWN) -> int:
    """The classes of numbers that occur so often: the largest that is not void, and one for 0.

    >>> counts = np.bincount([0, 0, 3, 255], minlength=256)
    >>> count_classes(counts), count_classes(np.bincount([0, 255], minlength=256))
    (4, 2)
    """
    if is_black_and_white(counts) and void == UNKNOWN:
        return 2
    known = np.flatnonzero(counts)
    known = known[(known != void) & (known != UNKNOWN)]
    return int(known.max()) + 1 if len(known) else 1


def class_table(maps: PackedLabelMaps, classes: int, *, void: int, spec: str) -> Int[np.ndarray, " 256"]:
    """The class of every number, VOID for those that say nothing.

    Args:
        maps: Those that the table is for.
        classes: That a model tells apart.
        void: The number that says that nothing is known, besides padding.
        spec: The source, for messages.

    Raises:
        UserError: a number occurs that is none of the classes.
    """
    table = class_of_numbers(maps.counts, classes, void=void)
    strange = strange_numbers(maps.counts, table, void=void)
    if strange:
        where = _first_with(maps, strange[-1])
        raise UserError(
            f"{spec} has the label {strange[-1]}{where}, and pixel_classes={classes} are 0 to {classes - 1}. Give "
            f"--set pixel_classes={strange[-1] + 1}, or --set void={strange[-1]} if it says that nothing is known."
        )
    return table


def _first_with(maps: PackedLabelMaps, number: int) -> str:
    """The name of the first file that has the number, for a message."""
    names = maps.names
    if names is None:
        return ""
    for place in range(len(maps)):
        if (maps.read([place]) == number).any():
            return f" in {names[place]}"
    return ""


def told_classes(numbers: UInt8[np.ndarray, "h w"], classes: int, *, void: int, name: str) -> Int[np.ndarray, "h w"]:
    """The classes of one label map, VOID where nothing is known; white on black is class 1 of two.

    Raises:
        UserError: a number is none of the classes.
    """
    counts = np.bincount(numbers.reshape(-1), minlength=256)
    table = class_of_numbers(counts, classes, void=void)
    strange = strange_numbers(counts, table, void=void)
    if strange:
        raise UserError(f"{name} has the label {strange[-1]}, and this model knows 0 to {classes - 1}.")
    return table[numbers]


def class_of_numbers(counts: Int[np.ndarray, " 256"], classes: int, *, void: int) -> Int[np.ndarray, " 256"]:
    """The class of every number of maps in which numbers occur so often."""
    table = np.where(np.arange(256) < classes, np.arange(256), VOID)
    table[UNKNOWN] = 1 if classes == 2 and void == UNKNOWN and is_black_and_white(counts) else VOID
    if void != UNKNOWN:
        table[void] = VOID
    return table


def strange_numbers(counts: Int[np.ndarray, " 256"], table: Int[np.ndarray, " 256"], *, void: int) -> list[int]:
    """Numbers that occur and are neither a class nor void."""
    return [n for n in np.flatnonzero(counts).tolist() if table[n] == VOID and n not in (void, UNKNOWN)]
