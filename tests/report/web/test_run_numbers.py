import dataclasses

import pytest

from ganvas.core.results import Result
from ganvas.metrics.measuring import metric_catalogue
from ganvas.report.web.run_numbers import NAMES, Measurement, headline, metric_groups, metric_name, numbers

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


def measured(kimg, *results, floor=(), **told):
    return Measurement(kimg=kimg, when="", source="training", results=results, floor=floor, **told)


def table(*measures):
    return numbers(measures, data="scenes")


def with_value(value, **changes):
    return dataclasses.replace(SWD, value=value, **changes)


def test_a_metric_shows_its_first_and_its_last_value_under_one_protocol():
    floor = with_value(0.01)
    (group,) = metric_groups(
        [measured(0, with_value(0.3), floor=[floor]), measured(8, with_value(0.1)), measured(12, with_value(0.05))]
    )
    (row,) = group.rows
    assert (row.first[0], row.first[1].value) == (0, 0.3)
    assert (row.last[0], row.last[1].value) == (12, 0.05)
    assert row.floor is floor


def test_unlike_protocols_are_never_put_in_one_row_and_the_newest_stands_first():
    groups = metric_groups([measured(0, SWD), measured(4, with_value(7.0, protocol="p2"))])
    assert [(group.protocol, len(group.rows)) for group in groups] == [("p2", 1), ("p1", 1)]


def test_a_floor_of_another_protocol_is_not_a_floor():
    ((row,),) = [group.rows for group in metric_groups([measured(0, SWD, floor=[with_value(0.01, protocol="p2")])])]
    assert row.floor is None
    assert "real against real" not in headline([measured(0, SWD, floor=[with_value(0.01, protocol="p2")])])[0][0]


def test_the_headline_is_of_the_runs_own_data_whatever_was_measured_last():
    own = measured(60, with_value(30.0, standard_error=1.0), floor=[with_value(23.7, standard_error=1.0)])
    flags = measured(60, with_value(145.0, protocol="p2"), own=False, against="emoji/flags")
    ((label, value),) = headline([own, flags])
    assert value == "30.0 ± 1.0"
    assert label == "SWD at 60 kimg, own data; real against real 23.7 ± 1.0"
    assert headline([flags]) == []


def test_the_table_says_what_was_measured_against_and_puts_own_data_first():
    flags = measured(60, with_value(145.0, protocol="p2"), own=False, against="emoji/flags")
    text = table(measured(60, SWD), flags)
    own = text.index("against the run&#x27;s own data (scenes)")
    assert own < text.index("against emoji/flags, which the run did not learn from")


def test_one_protocol_against_two_sets_of_reals_makes_two_groups():
    flags = measured(60, with_value(145.0), own=False, against="flags")
    assert [group.own for group in metric_groups([flags, measured(60, SWD)])] == [True, False]


def test_values_of_earlier_moments_are_folded_away():
    old = with_value(7.0, protocol="of an older state")
    text = table(measured(20, old), measured(60, SWD))
    assert text.index("<code>p1</code>") < text.index("<details>") < text.index("<code>of an older state</code>")
    assert "<details>" not in table(measured(60, old), measured(60, SWD))


def test_the_ratio_is_the_value_over_the_floor_where_lower_is_better():
    text = table(measured(0, with_value(0.03), floor=[with_value(0.012)]))
    assert ">2.50</td>" in text
    assert "1 is as good as real" in text
    assert "1 is as good as real" not in table(measured(0, with_value(0.03)))


@pytest.mark.parametrize(
    ("value", "apart"),
    [(33.2, False), (40.4, False), (54.6, True), (54.5, False)],  # 40.4 + 2 * hypot(5.0, 5.0) = 54.54.
)
def test_within_two_errors_of_the_floor_there_is_no_ratio_and_one_line_says_why(value, apart):
    floor = with_value(40.4, standard_error=5.0, n=62)
    one = measured(8, with_value(value, standard_error=5.0, n=62), floor=[floor])
    text = table(one)
    assert ("within the errors" not in text) is apart
    assert ("With n = 62 pictures, SWD cannot tell the generated pictures from real ones" not in text) is apart
    assert ("not told apart at n = 62" not in headline([one])[0][0]) is apart


def test_without_known_errors_the_ratio_stands():
    text = table(measured(0, with_value(0.03, standard_error=None), floor=[with_value(0.012, standard_error=None)]))
    assert ">2.50</td>" in text


def test_the_reals_own_value_is_the_floor_and_no_row():
    real = with_value(0.19, metric="ms_ssim.real", better="neither")
    (group,) = metric_groups([measured(0, with_value(0.07, metric="ms_ssim", better="neither"), real)])
    assert [(row.last[1].metric, row.floor) for row in group.rows] == [("ms_ssim", real)]


def test_a_metric_names_the_network_that_it_looks_through():
    protocol = "fid:n128:untrained@0a1b2c3d:bilinear:uint8:ref=9f8e7d6c"
    text = table(measured(0, with_value(1.13, metric="fid", protocol=protocol)))
    assert "FID (untrained) <small>" in text
    assert headline([measured(0, with_value(1.13, metric="fid", protocol=protocol))])[0][0].startswith(
        "FID (untrained)"
    )


def test_every_metric_has_a_name_to_be_read():
    of_boxes = {"ap", "ap50", "miss_rate"}  # Of detections, which are no sets of pictures.
    assert set(NAMES) == set(metric_catalogue.names()) | of_boxes
    assert metric_name("prd.f1_8") == "PRD, F1/8"
    assert metric_name("precision_recall.recall") == "Precision and recall, recall"


def test_every_cell_bears_the_name_of_its_column_for_screens_too_narrow_for_a_table():
    text = table(measured(0, SWD, floor=[with_value(0.01)]))
    for name in ("Value", "Real against real", "Ratio", "First value"):
        assert f'<td class="number" data-label="{name}">' in text


def test_the_protocol_is_written_out():
    assert "<code>swd n=2048 &lt;x&gt;</code>" in table(measured(0, with_value(1.0, protocol="swd n=2048 <x>")))


def test_bits_stand_beside_their_yardsticks_without_columns_of_floors():
    bits = with_value(4.36, metric="bits_per_dimension", protocol="bits")
    png = with_value(5.9, metric="bits_per_dimension.png", protocol="bits", better="neither")
    text = table(measured(8, bits, png))
    assert "PNG files" in text
    assert "needs no network" in text
    assert "Real against real" not in text
    assert "nearest to the floor" not in text
    beside = table(measured(8, SWD, bits, png, floor=[with_value(0.01)]))
    assert beside.count("<table") == 2
    assert beside.count("Real against real</th>") == 1
