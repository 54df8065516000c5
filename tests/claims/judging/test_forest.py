"""Effects counted in smallest effects, by hand."""

import dataclasses
import math

import pytest

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.judging.forest import in_smallest_effects

CLAIM = Experiment(
    statement="a is more than b.",
    sources=(Source(who="someone", stance="agrees"),),
    scope="numbers",
    arms=("a", "b"),
    estimand="a number",
    says="more",
    unit="units",
    run=lambda arm, seeds: [0.0 for _ in seeds],
    smallest_effect=2.0,
)


def test_a_difference_is_divided_and_a_ratio_is_counted_in_powers():
    assert in_smallest_effects(CLAIM, 5.0) == 2.5
    assert in_smallest_effects(dataclasses.replace(CLAIM, ratio=True), 8.0) == pytest.approx(3.0)


def test_less_lies_on_the_same_side_as_more():
    assert in_smallest_effects(dataclasses.replace(CLAIM, says="less"), -5.0) == 2.5
    assert in_smallest_effects(dataclasses.replace(CLAIM, says="less", ratio=True), math.sqrt(0.5)) == pytest.approx(
        0.5
    )
