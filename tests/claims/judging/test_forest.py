"""Effects counted in smallest effects, by hand."""

import dataclasses
import math

import pytest

from ganvas.claims.judging.family import JudgedExperiment
from ganvas.claims.judging.forest import forest, in_smallest_effects
from ganvas.claims.judging.judge import judge_experiment
from ganvas.report.drawing.primitives import Text

from .conftest import EXPERIMENT

CLAIM = dataclasses.replace(EXPERIMENT, smallest_effect=2.0)


def test_a_difference_is_divided_and_a_ratio_is_counted_in_powers():
    assert in_smallest_effects(CLAIM, 5.0) == 2.5
    assert in_smallest_effects(dataclasses.replace(CLAIM, ratio=True), 8.0) == pytest.approx(3.0)


def test_less_lies_on_the_same_side_as_more():
    assert in_smallest_effects(dataclasses.replace(CLAIM, says="less"), -5.0) == 2.5
    assert in_smallest_effects(dataclasses.replace(CLAIM, says="less", ratio=True), math.sqrt(0.5)) == pytest.approx(
        0.5
    )


def test_statements_stand_whole_so_that_what_differs_in_the_middle_can_be_told():
    statements = [
        f"Without its largest weight a network over tokens {which} answers worse than without another weight."
        for which in ("as they are", "that a layer has mixed")
    ]
    verdict = judge_experiment(CLAIM, [3.0, 4.0, 3.5], [0.0, 1.0, 0.6])
    drawing = forest(
        [JudgedExperiment(claim=dataclasses.replace(CLAIM, statement=one), verdict=verdict) for one in statements]
    )
    told = " ".join(item.text for item in drawing.items if isinstance(item, Text))
    assert all(one in told for one in statements)
