"""Values of several runs sorted by how they were measured: those of one protocol stand side by side, and no others."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ganvas.core.results import Result
from ganvas.report.web.comparison.compared import Compared
from ganvas.report.web.run_numbers import YARDSTICKS

LIKELIHOOD = "bits_per_dimension"
COUNTED = 4  # Parts of a likelihood's protocol that say what is counted; behind them stands the kind of number.


@dataclass(frozen=True, kw_only=True)
class NewestValue:
    """What one run scored at its newest moment that was measured so."""

    result: Result
    floor: Result | None
    kimg: float


@dataclass(frozen=True, kw_only=True)
class Like:
    """One metric under one protocol, for every run that was measured so."""

    metric: str
    protocol: str  # Without the kind of number, of a likelihood.
    values: dict[str, NewestValue]  # By the run's name.

    @property
    def floor(self) -> Result | None:
        """What reals score: the floor of any of them, since the reals are the same."""
        return next((value.floor for value in self.values.values() if value.floor is not None), None)


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """The values that compare, and those that have no like among the other runs."""

    like: list[Like]
    unlike: list[Like]
    every: list[Like]  # All groups, each of one metric and one protocol.


def sorted_values(models: Sequence[Compared]) -> Sorted:
    """For every metric the protocol that most runs share; values under other protocols are kept apart.

    Of protocols that equally many runs share, the one that was used last. What one run alone was measured by, in
    whatever way, stands alone.
    """
    found: dict[tuple[str, str], dict[str, NewestValue]] = {}
    order: dict[tuple[str, str], int] = {}
    for model in models:
        for turn, (key, value) in enumerate(_values(model)):
            found.setdefault(key, {})[model.name] = value
            order[key] = max(order.get(key, 0), turn)
    groups = [Like(metric=metric, protocol=protocol, values=values) for (metric, protocol), values in found.items()]
    chosen: dict[str, Like] = {}
    for group in sorted(groups, key=lambda one: order[one.metric, one.protocol]):
        best = chosen.get(group.metric)
        if best is None or len(group.values) >= len(best.values):
            chosen[group.metric] = group
    asked = {metric: {name for one in groups if one.metric == metric for name in one.values} for metric in chosen}
    like = [one for one in groups if chosen[one.metric] is one and (len(one.values) > 1 or len(asked[one.metric]) == 1)]
    shown = {(one.metric, name) for one in like for name in one.values}
    left = [_without(one, shown) for one in groups if one not in like]
    return Sorted(like=like, unlike=[one for one in left if one.values], every=groups)


def _without(group: Like, shown: set[tuple[str, str]]) -> Like:
    """The values of runs that do not stand among the like ones of the same metric already."""
    values = {name: value for name, value in group.values.items() if (group.metric, name) not in shown}
    return replace(group, values=values)


def like_key(result: Result) -> str:
    """What must be equal for two values to stand side by side: the protocol, whatever kind of likelihood it is.

    >>> from ganvas.core.results import Result
    >>> bound = "bits_per_dimension:n64:d768:bin1of256:lower-bound:importance8:dequantised:held-out=sha256:abc"
    >>> like_key(Result(metric=LIKELIHOOD, value=5.0, standard_error=None, error_method="", n=64, seed=0,
    ...     better="lower", protocol=bound))
    'bits_per_dimension:n64:d768:bin1of256:held-out=sha256:abc'
    """
    if result.metric != LIKELIHOOD:
        return result.protocol
    counted, _, pictures = _parts(result.protocol)
    return f"{counted}:{pictures}"


def likelihood_kind(protocol: str) -> str:
    """What kind of number a likelihood is: exact, a lower bound, or an estimate.

    >>> likelihood_kind("bits_per_dimension:n64:d768:bin1of256:lower-bound:importance8:dequantised:held-out=sha256:abc")
    'lower bound, importance8, dequantised'
    """
    return _parts(protocol)[1].replace("-", " ").replace(":", ", ")


def _parts(protocol: str) -> tuple[str, str, str]:
    """What is counted, the kind of number, and which pictures."""
    said, *pictures = re.split("(?=held-out=|training=)", protocol, maxsplit=1)
    words = said.strip(":").split(":")
    return ":".join(words[:COUNTED]), ":".join(words[COUNTED:]), "".join(pictures)


def over_training(model: Compared, metric: str, protocol: str) -> list[tuple[float, Result]]:
    """Every moment at which a run was measured so, in order."""
    found = {
        measurement.kimg: result
        for measurement in model.run.measures
        for result in measurement.shown
        if result.metric == metric and like_key(result) == protocol
    }
    return sorted(found.items())


def _values(model: Compared) -> Iterator[tuple[tuple[str, str], NewestValue]]:
    """The newest value of every metric and protocol, in the order in which they were measured."""
    newest: dict[tuple[str, str], NewestValue] = {}
    for measurement in model.run.measures:
        floors = measurement.floors
        for result in measurement.shown:
            if not _is_told(result.metric):
                continue
            key = result.metric, like_key(result)
            old = newest.pop(key, None)
            floor = floors.get((result.metric, result.protocol)) or (old.floor if old else None)
            newest[key] = NewestValue(result=result, floor=floor, kimg=measurement.kimg)
    return iter(newest.items())


def _is_told(metric: str) -> bool:
    """Levels of one metric and yardsticks are left to the page of a run."""
    return metric not in YARDSTICKS and not metric.partition(".")[2].isdigit()
