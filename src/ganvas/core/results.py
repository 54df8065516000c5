"""A measured value and everything needed to trust it."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from ganvas.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Result:
    """One number of one metric.

    ``protocol`` says everything that changes the value except the pictures themselves (``n``, levels, resize,
    quantisation, network and its hash, reference hash). Two results with different protocols do not compare.
    """

    metric: str  # "swd", "ms_ssim", with a level or a part after a dot: "swd.32".
    value: float
    standard_error: float | None  # Of the value, by the method named in ``error_method``; None when n is too small.
    error_method: str
    n: int  # Pictures on each side.
    seed: int
    better: Literal["lower", "higher", "neither"]
    protocol: str

    def to_plain(self) -> dict[str, Any]:
        """As JSON can hold it; a value that is not finite becomes null, and "not_finite" says which: "inf", "nan"."""
        plain = dataclasses.asdict(self)
        if not math.isfinite(self.value):
            plain["not_finite"] = str(float(self.value))
        for key in ("value", "standard_error"):
            if plain[key] is not None and not math.isfinite(plain[key]):
                plain[key] = None
        return plain


def difference(a: Result, b: Result, *, force: bool = False) -> tuple[float, float | None]:
    """``a - b`` with its standard error, both sides taken as independent.

    Raises:
        UserError: the metrics or the protocols differ, so that the difference would mean nothing (``force=True``
            computes it anyway).
    """
    if a.metric != b.metric and not force:
        raise UserError(f"{a.metric} and {b.metric} are different metrics. Compare like with like.")
    if a.protocol != b.protocol and not force:
        raise UserError(
            f"{a.metric} was measured in two ways that do not compare: '{a.protocol}' and '{b.protocol}'. "
            "Measure both in one way, or force the comparison."
        )
    if a.standard_error is None or b.standard_error is None:
        return a.value - b.value, None
    return a.value - b.value, math.hypot(a.standard_error, b.standard_error)
