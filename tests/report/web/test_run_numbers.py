import dataclasses

from ganvas.core.results import Result
from ganvas.report.web.run_numbers import Measurement, headline, numbers, rows_by_protocol, with_error

SWD = Result(
    metric="swd",
    value=0.016,
    standard_error=0.0004,
    error_method="directions",
    n=2048,
    seed=0,
    better="lower",
    protocol="p1",
)


def measured(kimg, *results, floor=()):
    return Measurement(kimg=kimg, when="", source="training", results=results, floor=floor)


def with_value(value, **changes):
    return dataclasses.replace(SWD, value=value, **changes)


def test_a_metric_shows_its_first_and_its_last_value_under_one_protocol():
    floor = with_value(0.01)
    groups = rows_by_protocol(
        [measured(0, with_value(0.3), floor=[floor]), measured(8, with_value(0.1)), measured(12, with_value(0.05))]
    )
    ((row,),) = groups.values()
    assert (row.first[0], row.first[1].value) == (0, 0.3)
    assert (row.last[0], row.last[1].value) == (12, 0.05)
    assert row.floor is floor


def test_unlike_protocols_are_never_put_in_one_row_and_the_newest_stands_first():
    other = with_value(7.0, protocol="p2")
    groups = rows_by_protocol([measured(0, SWD), measured(4, other)])
    assert list(groups) == ["p2", "p1"]
    assert [len(group) for group in groups.values()] == [1, 1]


def test_a_floor_of_another_protocol_is_not_a_floor():
    ((row,),) = rows_by_protocol([measured(0, SWD, floor=[with_value(0.01, protocol="p2")])]).values()
    assert row.floor is None
    assert "real against real" not in headline([measured(0, SWD, floor=[with_value(0.01, protocol="p2")])])[0][0]


def test_errors_are_written_to_their_second_digit_and_values_with_them():
    assert with_error(with_value(12.34567, standard_error=0.2149)) == "12.35 ± 0.21"
    assert with_error(with_value(0.1813, standard_error=0.004)) == "0.1813 ± 0.0040"
    assert with_error(with_value(-0.5, standard_error=None)) == "−0.5"
    assert with_error(with_value(float("nan"), standard_error=None)) == "–"
    assert with_error(None) == "–"


def test_the_ratio_is_the_value_over_the_floor_where_lower_is_better():
    text = numbers([measured(0, with_value(0.03), floor=[with_value(0.012)])])
    assert '<td class="number">2.50</td>' in text
    assert "1 is as good as real" in text
    assert "1 is as good as real" not in numbers([measured(0, with_value(0.03))])


def test_the_protocol_is_written_out():
    assert "<code>swd n=2048 &lt;x&gt;</code>" in numbers([measured(0, with_value(1.0, protocol="swd n=2048 <x>"))])
