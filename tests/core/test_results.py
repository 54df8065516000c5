import json
import math
from dataclasses import replace

import pytest

from ganvas.core.errors import UserError
from ganvas.core.results import Result, difference

A = Result(
    metric="swd.32",
    value=5.0,
    standard_error=0.3,
    error_method="jackknife",
    n=100,
    seed=0,
    better="lower",
    protocol="swd n=100 levels=32",
)


def test_the_errors_of_independent_results_add_in_quadrature():
    value, error = difference(A, replace(A, value=3.0, standard_error=0.4))
    assert value == 2.0
    assert error == pytest.approx(0.5, rel=1e-15)  # 3-4-5.


def test_a_difference_without_both_errors_has_none():
    assert difference(A, replace(A, value=4.0, standard_error=None)) == (1.0, None)


@pytest.mark.parametrize("other", [{"protocol": "swd n=200 levels=32"}, {"metric": "swd.16"}])
def test_unlike_results_do_not_compare_unless_forced(other: dict):
    with pytest.raises(UserError, match="swd"):
        difference(A, replace(A, **other))
    assert difference(A, replace(A, **other), force=True) == (0.0, pytest.approx(0.3 * math.sqrt(2)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_in_json(value: float):
    plain = replace(A, value=value, standard_error=value).to_plain()
    assert (plain["value"], plain["standard_error"], plain["not_finite"]) == (None, None, str(value))
    json.dumps(plain, allow_nan=False)


def test_a_result_comes_back_from_its_plain_form():
    assert Result(**json.loads(json.dumps(A.to_plain()))) == A
