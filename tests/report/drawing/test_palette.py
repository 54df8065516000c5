"""Colours: told apart by the colour-blind, and a colour map without hidden steps."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from ganvas.report.drawing.palette import INK, OKABE_ITO, ON_DARK, VIRIDIS, luminance, mixed, rgb, shaded

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
    """The colour in CIELAB as such an eye sees it."""
    values = np.array(rgb(colour)) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(VISION[vision] @ linear, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)[None, None])[0, 0]


def nearest(colours, vision: str) -> float:
    """The smallest CIEDE2000 difference of two of the colours."""
    lab = [seen(colour, vision) for colour in colours]
    return min(float(deltaE_ciede2000(a, b)) for a, b in itertools.combinations(lab, 2))


@pytest.mark.parametrize("vision", VISION)
def test_the_colours_of_curves_differ_by_eleven_units_in_every_vision(vision):
    # A difference of 1 is just noticeable side by side; above 10 two colours are told apart at a glance.
    assert nearest(OKABE_ITO, vision) > 11


DARK_PAPER = "#14181c"  # Of the page's style sheet.


def test_on_a_dark_ground_the_curves_are_seen_and_told_apart_as_well():
    colours = [ON_DARK.get(colour, colour) for colour in OKABE_ITO]
    assert min(nearest(colours, vision) for vision in VISION) > 11
    contrast = [(luminance(colour) + 0.05) / (luminance(DARK_PAPER) + 0.05) for colour in [*colours, ON_DARK[INK]]]
    assert min(contrast) > 3  # WCAG 2.1, criterion 1.4.11, for what is no text.


def test_the_measure_sees_a_palette_that_is_not_safe():
    assert nearest(["#d62728", "#7f6000"], "deuteranopia") < nearest(["#d62728", "#7f6000"], "normal") / 2


def test_the_colour_map_grows_evenly_lighter():
    lightness = [seen(colour, "normal")[0] for colour in VIRIDIS]
    steps = np.diff(lightness)
    assert steps.min() > 0  # In grey print the order stays.
    assert steps.max() < 1.6 * steps.min()  # Equal steps of the value are equal steps for the eye.


def test_shading_meets_the_map_at_its_ends_and_says_what_is_no_number():
    values = np.array([[0.0, 1.0, -5.0, 9.0, np.nan]])
    low, high, below, above, missing = shaded(values, low=0.0, high=1.0)[0].tolist()
    assert low == below == list(rgb(VIRIDIS[0]))
    assert high == above == list(rgb(VIRIDIS[-1]))
    assert missing == [224, 224, 224]


def test_mixing_and_luminance_have_their_closed_forms():
    assert mixed("#204060", "#204060", 0.7) == "#204060"
    assert mixed("#000000", "#ff8000", 0.5) == "#804000"
    assert luminance("#00ff00") == pytest.approx(0.7152)  # Rec. 709.
