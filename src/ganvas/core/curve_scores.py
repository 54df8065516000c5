"""Quality and coverage of models of text, and the place of one by the temperature curve of another."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Quality and coverage of drawn lines, less being better, with their standard errors."""

    quality: float
    coverage: float
    quality_error: float = 0.0
    coverage_error: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CurvePosition:
    """Where a model lies by a curve."""

    verdict: Literal["beyond", "on", "short", "outside"]  # Outside of the qualities that the curve has.
    gain: float = math.nan  # Of coverage, above 0 where it is beyond.
    error: float = math.nan
