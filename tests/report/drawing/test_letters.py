"""Text widths by the published metrics: against a font that shares them, and the standard's own numbers."""

import pytest
from PIL import ImageFont

from ganvas.report.drawing.letters import fitted, runs, text_width

# The three signs that Liberation Sans, otherwise as wide as Helvetica, draws to other widths.
OTHERWISE = "÷±µ"


@pytest.mark.parametrize(("weight", "file"), [("normal", "Regular"), ("bold", "Bold")])
def test_every_latin_letter_is_as_wide_as_in_a_font_made_to_helveticas_metrics(weight, file):
    try:
        font = ImageFont.truetype(f"LiberationSans-{file}.ttf", 1000, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        pytest.skip("Liberation Sans is not installed")
    letters = [chr(code) for code in (*range(32, 127), *range(0xC0, 0xD0), *range(0xD1, 0xDE), *range(0xE0, 0x100))]
    letters = [letter for letter in letters if letter not in OTHERWISE + "ðþ"]
    for letter in letters:  # That font's units are 1/2048 em, ours 1/1000: they round apart by one.
        assert text_width(letter, 1000, weight=weight) == pytest.approx(font.getlength(letter), abs=1.1), letter


def test_a_word_is_the_sum_of_adobes_published_widths():
    # Helvetica.afm: G 778, a 556, n 556, v 500, s 500; Helvetica-Bold.afm: G 778, a 556, n 611, v 556, s 556.
    assert text_width("Ganvas", 10) == pytest.approx((778 + 556 + 556 + 500 + 556 + 500) / 100)
    assert text_width("Ganvas", 10, weight="bold") == pytest.approx((778 + 556 + 611 + 556 + 556 + 556) / 100)


def test_greek_and_mathematics_come_from_symbol_with_its_widths():
    # Symbol.afm: alpha 631, lessequal 549, minus 549, infinity 713.
    assert [(run.face, run.width) for run in runs("α≤")] == [("symbol", pytest.approx(1.18))]
    assert text_width("−∞", 1000) == 549 + 713


def test_raised_digits_are_small_letters_above_the_line():
    base, power = runs("10⁻⁵")
    assert (base.text, base.rise) == ("10", 0)
    assert power.text == "–5"
    assert power.scale < 1
    assert power.rise > 0
    assert power.width == pytest.approx(power.scale * 2 * 0.556)


def test_what_no_font_has_becomes_a_question_mark_rather_than_nothing():
    assert [run.text for run in runs("漢a")] == ["?a"]
    assert text_width("漢", 10) == text_width("?", 10)


@pytest.mark.parametrize("width", [5.0, 20.0, 40.0, 79.0, 500.0])
def test_a_fitted_name_is_never_wider_than_its_room_and_keeps_both_ends(width):
    name = "generator.blocks.7.convolution"
    shown = fitted(name, width, 7)
    assert text_width(shown, 7) <= max(width, text_width("…", 7))
    assert shown == name if text_width(name, 7) <= width else "…" in shown
    assert name.startswith(shown.split("…")[0])
    assert name.endswith(shown.split("…")[-1])
