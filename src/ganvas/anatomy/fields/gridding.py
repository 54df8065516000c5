"""Does a stack of dilated convolutions look at every pixel? Exactly, and by the published rule.

Wang et al. 2018, Understanding Convolution for Semantic Segmentation, section 3.2. https://arxiv.org/abs/1702.08502

An output of a stack with rates ``r_1 .. r_n`` and kernel ``K`` reads the pixels at offsets ``sum_i k_i r_i``, each
``k_i`` one of the kernel's taps: a sum of sets, the same along both axes and in any order of the layers. Offsets
between the outermost that no sum reaches are holes (gridding). The paper's rule for hybrid dilated convolution computes
``M_i = max(M_{i+1} - 2 r_i, 2 r_i - M_{i+1}, r_i)`` from ``M_n = r_n`` and asks for ``M_2 <= K``. It speaks of the
largest gap between taps, for rates in ascending order. By the exact test it is not the whole story: it passes
(2, 2, 2), which sees every second pixel, and it fails (1, 2, 5, 1, 2, 5), which sees all. So both are reported, and the
exact one is the verdict.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError

LONGEST = 1 << 22  # Offsets along one axis.


@dataclass(frozen=True, kw_only=True)
class Gridding:
    """What a stack of dilated convolutions reads. Offsets are along one axis, in pixels of its input."""

    rates: tuple[int, ...]
    kernels: tuple[int, ...]  # Per layer.
    field: int  # Side of the square from the first to the last pixel read.
    read: int  # Pixels along one axis that are read.
    holes: tuple[int, ...]  # Offsets that are not, from the first pixel of the field on.
    density: float  # Share of the pixels of the square that are read: (read / field)^2.
    fewest_paths: int  # By how many ways the least and the most read pixel is reached.
    most_paths: int
    divisor: int  # Greatest common divisor of the rates; above 1 there are holes in any case.
    rule: tuple[int, ...]  # M_1 .. M_n for the rates in ascending order.
    rule_as_given: tuple[int, ...]  # The same for the order in which they were given.
    rule_passes: bool  # M_2 <= K, in ascending order.
    suggestion: tuple[int, ...] | None  # Rates without holes, none above those given; None where there are no holes.

    @property
    def covers(self) -> bool:
        """Whether every pixel of the field is read."""
        return not self.holes

    @property
    def verdict(self) -> str:
        """In one line."""
        if self.covers:
            return f"no holes: every one of the {self.field} x {self.field} pixels is read"
        return (
            f"{len(self.holes)} holes along an axis of {self.field}: "
            f"{self.read}^2 = {self.read**2:,} of {self.field**2:,} pixels are read ({self.density:.1%})"
        )

    @property
    def rule_says(self) -> str:
        """The published rule's answer beside the exact one."""
        if len(self.rates) == 1:
            return "the rule needs two layers or more"
        if len(set(self.kernels)) > 1:
            return "the rule is for layers of one kernel"
        second = self.rule[1]
        said = f"M_2 = {second} {'<=' if self.rule_passes else '>'} K = {self.kernels[0]}: the rule "
        said += "passes" if self.rule_passes else "fails"
        if self.rule_passes == self.covers:
            return f"{said}, as the exact test"
        reason = "it does not ask for a rate of 1" if self.rule_passes else "it is sufficient, not necessary"
        return f"{said}, and is wrong here ({reason})"


def gridding(rates: Sequence[int], *, kernel: int | Sequence[int] = 3) -> Gridding:
    """Which pixels a stack of convolutions with these dilation rates reads.

    Args:
        kernel: Of all layers, or one per layer.

    >>> gridding([1, 2, 5]).covers, round(gridding([2, 4, 8]).density, 4)
    (True, 0.2675)

    Raises:
        UserError: no rates, a rate below 1, a kernel below 2, or a field too wide to be looked at.
    """
    rates = tuple(rates)
    if not rates:
        raise UserError("No dilation rates are given. Give one per layer, such as 1 2 5.")
    for rate in rates:
        if rate < 1:
            raise UserError(f"A dilation rate of {rate} cannot be: rates are 1 or more.")
    kernels = (kernel,) * len(rates) if isinstance(kernel, int) else tuple(kernel)
    if min(kernels) < 2:
        raise UserError(f"A kernel of {min(kernels)} reads one pixel whatever its dilation. Give --kernel 2 or more.")
    field = 1 + sum((size - 1) * rate for size, rate in zip(kernels, rates, strict=True))
    if field > LONGEST:
        raise UserError(f"The rates span {field:,} pixels, more than the {LONGEST:,} that are looked at.")
    paths = path_counts(rates, kernels)
    holes = np.flatnonzero(paths == 0)
    ascending = tuple(sorted(rates))
    rule = hdc_rule(ascending)
    return Gridding(
        rates=rates,
        kernels=kernels,
        field=field,
        read=field - len(holes),
        holes=tuple(holes.tolist()),
        density=((field - len(holes)) / field) ** 2,
        fewest_paths=int(paths[paths > 0].min()),
        most_paths=int(paths.max()),
        divisor=math.gcd(*rates),
        rule=rule,
        rule_as_given=hdc_rule(rates),
        rule_passes=len(rates) > 1 and len(set(kernels)) == 1 and rule[1] <= kernels[0],
        suggestion=_suggest(rates, kernels) if len(holes) else None,
    )


def path_counts(rates: Sequence[int], kernels: Sequence[int]) -> Int[np.ndarray, " field"]:
    """By how many choices of taps each offset is reached, from the first of the field to the last; 0 is a hole.

    Counts beyond 2^62 are held there.
    """
    counts = np.ones(1, dtype=np.int64)
    for rate, kernel in zip(rates, kernels, strict=True):
        wider = np.zeros(len(counts) + (kernel - 1) * rate, dtype=np.int64)
        limit = np.iinfo(np.int64).max // 2 // kernel
        for tap in range(kernel):
            wider[tap * rate : tap * rate + len(counts)] += np.minimum(counts, limit)
        counts = wider
    return counts


def hdc_rule(rates: Sequence[int]) -> tuple[int, ...]:
    """``M_1 .. M_n`` of Wang et al. 2018, eq. 2, in the order given.

    >>> hdc_rule([1, 2, 5])[1], hdc_rule([1, 2, 9])[1]
    (2, 5)
    """
    found = [rates[-1]]
    for rate in reversed(rates[:-1]):
        after = found[0]
        found.insert(0, max(after - 2 * rate, 2 * rate - after, rate))
    return tuple(found)


def _suggest(rates: Sequence[int], kernels: Sequence[int]) -> tuple[int, ...]:
    """The given rates in ascending order, each lowered to the width that those before it cover densely.

    Copies of a dense stretch of w pixels, shifted by at most w, leave no hole; the first layer finds one pixel.
    """
    dense, found = 1, []
    for rate, kernel in sorted(zip(rates, kernels, strict=True)):
        found.append(min(rate, dense))
        dense += (kernel - 1) * found[-1]
    return tuple(found)
