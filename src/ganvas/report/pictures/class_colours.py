"""Colours of classes: the palette of PASCAL VOC, which most tools that draw label maps use.

Bit 0 of a number goes to the highest bit of red, bit 1 to that of green, bit 2 to that of blue, bit 3 to the next bit
of red, and so on; class 0 is black.
"""

import numpy as np
from jaxtyping import Int, UInt8


def class_colours(classes: int = 256) -> UInt8[np.ndarray, "k 3"]:
    """The colour of each class.

    >>> class_colours(4).tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    numbers = np.arange(classes)
    colours = np.zeros((classes, 3), np.int64)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * bit + channel)) & 1) << (7 - bit)
    return colours.astype(np.uint8)


def coloured(classes: Int[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n 3"]:
    """The colours of label maps; a class below 0 has that of 255, a pale yellow."""
    return class_colours()[np.where(classes < 0, 255, classes)]
