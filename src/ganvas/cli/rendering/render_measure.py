"""Measurements, statistics and the catalogue of metrics as a person reads them, on stderr."""

from collections.abc import Mapping

from ganvas.cli.rendering.forms import counted, form, table
from ganvas.core.progress import say
from ganvas.tasks.catalogues.metrics import MetricList
from ganvas.tasks.measure import MeasureResult
from ganvas.tasks.stats import StatsResult


@form.register
def _(result: MeasureResult) -> None:
    at = "" if result.kimg is None else f" at {result.kimg:g} kimg"
    rows = [(row.metric, row.value, row.beside, row.better, f"{row.n:,}") for row in result.rows()]
    against = f" against {result.b}" if result.b else ""
    number = f"{result.n:,} {result.unit} on each side"
    if not result.b:
        number = f"{result.n:,} pictures"
    elif result.n_reals is not None and result.n_reals != result.n:
        number = f"{result.n:,} pictures, {result.n_reals:,} in the reference"
    title = f"{result.a}{at}{against}: {number}, seed {result.seed}"
    table(title, ("metric", "value", "reals against reals", "better", "n"), rows)
    for note in result.notes:
        say(f"Note: {note}")
    _skipped(result.skipped)
    if result.written:
        say(f"A line was added to {result.written}.")


@form.register
def _(result: StatsResult) -> None:
    pictures = counted(result.n, "picture")
    if result.first is not None and result.of is not None:
        pictures = f"pictures {result.first:,} to {result.first + result.n - 1:,} of the {result.of:,}"
    say(f"{result.path}: {pictures} of {result.source}, {result.bytes / 1e6:,.1f} MB.")
    rows = [(name, result.protocols[name] or "pixels") for name in result.metrics]
    table("", ("for", "seen through"), rows)
    for note in result.notes:
        say(f"Note: {note}")
    _skipped(result.skipped)


@form.register
def _(result: MetricList) -> None:
    if result.description:
        say(result.description)
    for one in result.metrics:
        network = f"{one.network} (always)" if one.fixed else one.network
        sees = f"{one.sees} of {network}" if network else one.sees
        needs = f"{one.minimum} pictures{'' if one.alone else ' on each side'}"
        better = {"neither": "as reals score"}.get(one.better, one.better)
        say(f"{one.name}: {one.summary}")
        say(f"    better: {better}; sees: {sees}; at least {needs}; cost: {one.cost}")
        say(f"    {one.paper}")


def _skipped(skipped: Mapping[str, str]) -> None:
    """Metrics that could not be computed, those with one reason in one line."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in skipped.items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        say(f"Skipped {', '.join(names)}: {reason}")
