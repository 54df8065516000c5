"""Numbers as a person reads them: significant digits, powers of ten, a value with its error."""

import math

NOISE = 1e-12  # An error below this part of its value is rounding, not spread.


def number(value: float | None, *, digits: int = 4) -> str:
    """A value for reading: significant digits, plain between 0.0001 and a million.

    >>> number(12.3456), number(0.00001234), number(None), number(123456.7)
    ('12.35', '1.234·10⁻⁵', '–', '123,457')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return minus("-∞" if value < 0 else "∞")
    size = abs(value)
    if size and not 1e-4 <= size < 1e6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return minus(f"{mantissa}·10{_superscript(int(exponent))}")
    return minus(f"{value:,.0f}" if size >= 10 ** (digits - 1) else f"{value:.{digits}g}")


def with_error(value: float, error: float | None) -> str:
    """A value and its standard error to the error's second digit; an error that is rounding is left out.

    >>> with_error(12.0398, 0.5002), with_error(1 - 1e-16, 1e-16), with_error(1.2345e63, 2e61)
    ('12.04 ± 0.50', '1', '1.234·10⁶³ ± 2·10⁶¹')
    """
    if not math.isfinite(value) or error is None or not error > NOISE * abs(value):
        return number(value)
    if max(abs(value), error) >= 1e6 or error < 1e-6:
        return f"{number(value)} ± {number(error, digits=2)}"
    places = max(0, 1 - int(f"{error:.1e}".partition("e")[2]))
    return f"{minus(f'{value:,.{places}f}')} ± {error:,.{places}f}"


def minus(text: str) -> str:
    """With a true minus sign."""
    return text.replace("-", "−")


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
