import math

from ganvas.core.number_text import number, with_error


def test_errors_are_written_to_their_second_digit_and_values_with_them():
    cases = {
        (12.34567, 0.2149): "12.35 ± 0.21",
        (0.1813, 0.004): "0.1813 ± 0.0040",
        (8.391, 1.4): "8.4 ± 1.4",
        (39.67, 3.0): "39.7 ± 3.0",
        (0.5909, 7.6): "0.6 ± 7.6",
        (1234.5, 123.4): "1,234 ± 123",
        (1234.5, 21.0): "1,234 ± 21",
        (12.0398, 0.5002): "12.04 ± 0.50",
        (0.123456, 0.000123): "0.12346 ± 0.00012",
        (1 - 1e-16, 1e-16): "1",
        (0.5, 0.0996): "0.50 ± 0.10",
        (-0.5, None): "−0.5",
        (0.0, 0.0): "0",
        (float("nan"), None): "–",
    }
    for (value, error), text in cases.items():
        assert with_error(value, error) == text


def test_numbers_are_written_as_a_person_would():
    assert [number(value) for value in (0.0, -0.5, 1234.5, 2.5e-7, 1.2e15, math.nan, -math.inf)] == [
        "0",
        "−0.5",
        "1,234",
        "2.5·10⁻⁷",
        "1.2·10¹⁵",
        "–",
        "−∞",
    ]
