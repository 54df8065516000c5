from ganvas.core.results import Result
from ganvas.report.web.comparison.compared import Compared
from ganvas.report.web.comparison.like_with_like import sorted_values
from ganvas.report.web.run_numbers import Measurement
from ganvas.report.web.run_page import RunPage

EXACT = "bits_per_dimension:n8:d12:bin1of256:exact:held-out=sha256:x"
BOUND = "bits_per_dimension:n8:d12:bin1of256:lower-bound:importance4:dequantised:held-out=sha256:x"
OTHERS = "bits_per_dimension:n8:d12:bin1of256:exact:held-out=sha256:y"


def result(metric, protocol, value=1.0):
    return Result(
        metric=metric, value=value, standard_error=0.1, error_method="", n=8, seed=0, better="lower", protocol=protocol
    )


def model(name, *measured, floor=()):
    """A run with one measurement per result, a kimg apart."""
    measures = [
        Measurement(kimg=float(at), when="", source="measure", results=[one], floor=list(floor))
        for at, one in enumerate(measured)
    ]
    return Compared(run=RunPage(name=name, model="gan/x", measures=measures), name=name, kimg=len(measured) - 1.0)


def test_values_of_one_protocol_stand_side_by_side_and_others_are_named_apart():
    found = sorted_values(
        [model("a", result("swd", "p")), model("b", result("swd", "p")), model("c", result("swd", "q"))]
    )
    assert [(one.protocol, list(one.values)) for one in found.like] == [("p", ["a", "b"])]
    assert [(one.protocol, list(one.values)) for one in found.unlike] == [("q", ["c"])]


def test_runs_that_share_no_protocol_have_no_column():
    found = sorted_values([model("a", result("swd", "p")), model("b", result("swd", "q"))])
    assert found.like == []
    assert {name for one in found.unlike for name in one.values} == {"a", "b"}


def test_another_way_of_a_run_that_is_compared_already_is_not_called_unlike():
    a = model("a", result("swd", "quick"), result("swd", "whole"))
    b = model("b", result("swd", "quick"), result("swd", "whole"))
    found = sorted_values([a, b])
    assert [one.protocol for one in found.like] == ["whole"]
    assert found.unlike == []


def test_the_newest_value_of_a_protocol_is_told():
    runs = [model(name, result("swd", "p", 9.0), result("swd", "p", 4.0)) for name in "ab"]
    (like,) = sorted_values(runs).like
    assert [(one.result.value, one.kimg) for one in like.values.values()] == [(4.0, 1.0)] * 2


def test_a_bound_and_an_exact_likelihood_of_the_same_pictures_stand_side_by_side_and_those_of_others_do_not():
    runs = [
        model("pixels", result("bits_per_dimension", EXACT)),
        model("vae", result("bits_per_dimension", BOUND)),
        model("other", result("bits_per_dimension", OTHERS)),
    ]
    found = sorted_values(runs)
    assert [list(one.values) for one in found.like] == [["pixels", "vae"]]
    assert [list(one.values) for one in found.unlike] == [["other"]]


def test_yardsticks_and_levels_have_no_column_of_their_own():
    levels = [model(name, result("swd.16", "p"), result("bits_per_dimension.png", EXACT)) for name in "ab"]
    assert sorted_values(levels).like == []


def test_what_one_run_alone_can_tell_stands_alone():
    (like,) = sorted_values([model("gan", result("swd", "p")), model("vae", result("ais", "q"))]).like[:1]
    found = sorted_values([model("gan"), model("vae", result("bits_per_dimension", BOUND))])
    assert [one.metric for one in found.like] == ["bits_per_dimension"]
    assert like.metric == "swd"
