"""Student's t against published tables, and power against a table of its own."""

import pytest

from ganvas.claims.judging import student

# Upper 5 % and 2.5 % points as every table of Student's t prints them.
PRINTED = [(0.95, 1, 6.314), (0.95, 4, 2.132), (0.975, 4, 2.776), (0.975, 11, 2.201), (0.95, 30, 1.697)]
# Effects in deviations of the difference that a one-sided paired t finds with a chance of 80 %.
DETECTABLE = [
    (0.05, 5, 1.36),
    (0.05, 12, 0.77),
    (0.05, 24, 0.52),
    (0.01, 8, 1.40),
    (0.0025, 12, 1.29),
    (0.001, 16, 1.17),
]


@pytest.mark.parametrize(("chance", "df", "value"), PRINTED)
def test_quantiles_are_those_of_the_printed_tables(chance, df, value):
    assert student.quantile(chance, df) == pytest.approx(value, abs=6e-4)


def test_one_degree_of_freedom_is_cauchys_law_and_two_have_a_closed_form():
    assert student.cdf(1.0, 1) == pytest.approx(0.75)
    assert student.cdf(2.0, 2) == pytest.approx(0.5 + 2 / (2 * (2 + 4) ** 0.5))


@pytest.mark.parametrize(("alpha", "n", "effect"), DETECTABLE)
def test_power_is_within_three_hundredths_of_the_table(alpha, n, effect):
    assert student.power(effect, n, alpha) == pytest.approx(0.8, abs=0.03)


def test_without_an_effect_power_is_alpha():
    assert student.power(0.0, 8, 0.05) == pytest.approx(0.05, abs=1e-3)


def test_the_detectable_effect_is_the_one_that_is_found_with_four_fifths():
    assert student.detectable(12, 0.05) == pytest.approx(0.77, abs=0.01)
