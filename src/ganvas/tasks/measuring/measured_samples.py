"""Samples that are no pictures, measured: how they are told apart, and what is found of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.results import Result
from ganvas.core.run_folder import is_run_or_model
from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.tasks.measuring.sides import ALL

if TYPE_CHECKING:
    from ganvas.train.trained import Trained


@dataclass(frozen=True, kw_only=True)
class MeasuredSamples:
    """What was found of points, sounds or lines."""

    against: str  # As a person names it.
    n: int
    results: list[Result]
    floor: list[Result]  # Of as many real samples that were not compared with; empty where there are none left.
    fakes: str  # Fingerprint of the samples that were measured.
    reals: str  # Fingerprint of the real ones; of points the law.
    trained: "Trained | None"
    own: bool  # Whether a run was measured against what it was trained on.


def unit_of_side(spec: str, *, kimg: float | None) -> SampleUnit:
    """What a side of a comparison holds or draws; no weights are read for it."""
    from ganvas.data.sources.unit_of_source import unit_of_source
    from ganvas.metrics.statistics.base import is_stats

    path = Path(spec).expanduser()
    if is_stats(path):  # Its moments are arrays of numbers, as points are.
        return "pictures"
    if is_run_or_model(path):
        from ganvas.train.trained import unit_of_run

        return unit_of_run(path, kimg=kimg)
    return unit_of_source(spec)


def is_own(trained: "Trained | None", reals: str) -> bool:
    """Whether real samples of this fingerprint are those that a run was trained on."""
    return trained is not None and reals == trained.data["fingerprint"]


def chosen_results(results: list[Result], metrics: tuple[str, ...] | None, *, of: str) -> list[Result]:
    """The results whose names begin with one of the metrics; all where none is named.

    Args:
        of: What they are measured of, for the person.

    Raises:
        UserError: a metric is not among them.
    """
    if metrics is None or ALL in metrics:
        return results
    known = list(dict.fromkeys(one.metric.partition(".")[0] for one in results))
    for name in metrics:
        if name not in known:
            raise UserError(f"'{name}' is not measured of {of}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
    return [one for one in results if one.metric.partition(".")[0] in metrics]
