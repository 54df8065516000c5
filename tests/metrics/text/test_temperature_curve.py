"""The place of a model by the temperature curve of another."""

import math

import pytest

from ganvas.core.curve_scores import Scored
from ganvas.metrics.text.temperature_curve import place_by

CURVE = [
    Scored(quality=5.0, coverage=4.0, coverage_error=0.1),
    Scored(quality=3.0, coverage=6.0, coverage_error=0.2),
    Scored(quality=4.0, coverage=5.0, coverage_error=0.1),
]


@pytest.mark.parametrize(
    ("coverage", "verdict"), [(4.0, "beyond"), (5.0, "short"), (4.6, "on")], ids=["beyond", "short", "on"]
)
def test_better_coverage_at_the_same_quality_lies_beyond(coverage, verdict):
    found = place_by(CURVE, Scored(quality=4.5, coverage=coverage))
    assert found.verdict == verdict
    assert found.gain == pytest.approx(4.5 - coverage)
    assert found.error == pytest.approx(math.hypot(0.05, 0.05))


def test_an_uncertain_quality_counts_by_the_slope_of_the_curve():
    found = place_by(CURVE, Scored(quality=3.5, coverage=5.0, quality_error=0.3, coverage_error=0.4))
    assert found.error == pytest.approx(math.hypot(0.4, 0.3, 0.1, 0.05))


def test_better_quality_than_any_temperature_is_no_verdict():
    assert place_by(CURVE, Scored(quality=2.9, coverage=1.0)).verdict == "outside"
