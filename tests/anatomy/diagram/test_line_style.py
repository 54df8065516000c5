"""Kinds of layers are told apart in colour, by the colour-blind, and in grey print."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from ganvas.anatomy.diagram.line_style import LOOKS, sign
from ganvas.anatomy.trace.graph import KINDS
from ganvas.report.drawing.palette import luminance, rgb

# Machado, Oliveira & Fernandes 2009, table 1, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def seen(colour: str, vision: str) -> np.ndarray:
    values = np.array(rgb(colour)) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(VISION[vision] @ linear, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)[None, None])[0, 0]


@pytest.mark.parametrize("vision", VISION)
def test_any_two_kinds_differ_by_eleven_units_in_every_vision(vision):
    # CIEDE2000: 1 is just noticeable side by side; above 10 two colours are told apart at a glance.
    lab = {kind: seen(look.fill, vision) for kind, look in LOOKS.items()}
    for a, b in itertools.combinations(lab, 2):
        assert deltaE_ciede2000(lab[a], lab[b]) > 11, (a, b)


def test_a_letter_tells_every_kind_in_grey_print():
    letters = [look.letter for kind, look in LOOKS.items() if kind not in ("input", "plain")]
    assert all(letters)
    assert len(set(letters)) == len(letters)
    # The two without a letter are white and not white.
    assert luminance(LOOKS["input"].fill) - luminance(LOOKS["plain"].fill) > 0.5


def test_text_on_every_colour_has_the_contrast_that_small_text_needs():
    for kind, look in LOOKS.items():
        light, dark = sorted((luminance(look.fill), luminance(look.ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 4, kind  # WCAG 2.1 asks 4.5 of text and 3 of large or bold text.


def test_every_kind_of_layer_has_a_look_and_every_merge_a_sign():
    unseen = {"normalisation", "activation", "merge", "reshape"}  # Stripes, nothing, circles, nothing.
    assert set(KINDS) - unseen == set(LOOKS)
    assert [sign(op) for op in ("add", "cat", "mul", "maximum")] == ["+", "c", "×", "*"]
