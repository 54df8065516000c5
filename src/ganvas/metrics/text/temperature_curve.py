"""The temperature curve of a language model, and whether another model of text lies beyond it.

Caccia et al. 2020, Language GANs falling short (https://arxiv.org/abs/1811.02549): quality and coverage of one language
model at several temperatures are a curve, and a model is worth its cost where it has better coverage at the same
quality, not where it has better quality alone. Both are scores of which less is better, such as ``oracle_nll`` or
``lm.forward``, and ``lm.reverse``.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from ganvas.core.curve_scores import CurvePosition, Scored
from ganvas.core.results import Result

TEMPERATURES = (1.2, 1.0, 0.9, 0.8, 0.7, 0.5)
SURE = 2.0  # Standard errors.


def scored(results: Sequence[Result]) -> Scored:
    """Quality and coverage among the values of lines; quality by the oracle of the data where there is one."""
    found = {one.metric: one for one in results}
    quality, coverage = found.get("oracle_nll", found["lm.forward"]), found["lm.reverse"]
    return Scored(
        quality=quality.value,
        coverage=coverage.value,
        quality_error=quality.standard_error or 0.0,
        coverage_error=coverage.standard_error or 0.0,
    )


def place_by(curve: Sequence[Scored], model: Scored) -> CurvePosition:
    """Where a model lies: its coverage against the curve's at the same quality, between the nearest two temperatures.

    The error is that of all three scores, the model's quality by the slope of the curve.

    >>> curve = [Scored(quality=2.0, coverage=4.0), Scored(quality=4.0, coverage=3.0)]
    >>> place_by(curve, Scored(quality=3.0, coverage=3.2, coverage_error=0.1)).verdict
    'beyond'
    >>> place_by(curve, Scored(quality=1.0, coverage=3.0)).verdict
    'outside'
    """
    ordered = sorted(curve, key=lambda one: one.quality)
    for left, right in pairwise(ordered):
        if left.quality <= model.quality <= right.quality and left.quality < right.quality:
            return _between(left, right, model)
    return CurvePosition(verdict="outside")


def _between(left: Scored, right: Scored, model: Scored) -> CurvePosition:
    along = (model.quality - left.quality) / (right.quality - left.quality)
    slope = (right.coverage - left.coverage) / (right.quality - left.quality)
    gain = left.coverage + along * (right.coverage - left.coverage) - model.coverage
    of_curve = math.hypot((1 - along) * left.coverage_error, along * right.coverage_error)
    error = math.hypot(model.coverage_error, of_curve, slope * model.quality_error)
    sure = abs(gain) > SURE * error
    return CurvePosition(verdict=("beyond" if gain > 0 else "short") if sure else "on", gain=gain, error=error)
