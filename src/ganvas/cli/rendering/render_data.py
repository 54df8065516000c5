"""Sources of samples as the command line shows them: what is in them, packed, exported, fetched."""

from collections.abc import Mapping, Sequence

from ganvas.cli.rendering.forms import counted, form, table
from ganvas.core.progress import duration, say
from ganvas.tasks.data import (
    DescribeGraphsResult,
    DescribePointsResult,
    DescribeResult,
    DescribeSoundsResult,
    DescribeTextResult,
    ExportResult,
    FetchResult,
    PackGraphsResult,
    PackPointsResult,
    PackResult,
    PackSoundsResult,
    PackTextResult,
)

PARTS = 25  # Of a mixture, on the screen.
VALUES = 20  # Sizes, classes and the like that are counted on the screen.
SHOWN = 10  # Broken files named on the screen; the JSON has them all.


@form.register
def _(result: ExportResult) -> None:
    also = f", label maps in {result.masks}" if result.masks else ""
    say(f"{result.pictures}: {counted(result.count, 'picture')}{also}.")


@form.register
def _(result: DescribeResult) -> None:
    read = "read in full" if result.full else "headers read; --full reads every pixel"
    say(f"{result.source}: {result.kind}, {counted(result.count, 'picture')} ({read}).")
    _counts("pictures", {"size": result.sizes, "mode": result.modes, "class": result.labels or {}})
    _counts("boxes", {"category": result.boxes})
    if result.about_labels:
        say(result.about_labels)
    _not_trained_on(result)


@form.register
def _(result: DescribePointsResult) -> None:
    law = f" {result.law}." if result.law else ""
    say(
        f"{result.source}: {result.kind}, {counted(result.count, 'point')} in {counted(result.dims, 'dimension')}.{law}"
    )
    titles = ("low", "high", "mean", "standard_deviation")
    rows = [(str(at), *(f"{column[title]:.4g}" for title in titles)) for at, column in enumerate(result.dimensions)]
    table("", ("dimension", "lowest", "highest", "mean", "standard deviation"), rows)
    if result.labels:
        table("", ("part", "points"), [(name, f"{count:,}") for name, count in list(result.labels.items())[:PARTS]])


@form.register
def _(result: DescribeSoundsResult) -> None:
    together = f", {duration(result.seconds['together'])} in all" if result.seconds else ""
    say(f"{result.source}: {result.kind}, {counted(result.count, 'sound')}{together}.")
    if result.seconds:
        lengths = [(name, f"{result.seconds[name]:.3g}") for name in ("shortest", "middle", "longest")]
        table("", ("recording", "seconds"), lengths)
    values = {"rate in Hz": result.rates, "channels": result.channels, "stored as": result.forms}
    _counts("sounds", values | {"class": result.labels or {}})
    if result.about_labels:
        say(result.about_labels)
    if result.silent:
        say(f"{len(result.silent):,} are silent and will be left out, such as {result.silent[0]}.")
    _not_trained_on(result)


@form.register
def _(result: PackSoundsResult) -> None:
    size = f"{result.length:,} samples at {result.rate:,} Hz"
    say(f"{result.out}: {counted(result.count, 'sound')} of {size}, {result.bytes_on_disk / 1e6:,.1f} MB.")
    if result.treated:
        say(result.treated)


@form.register
def _(result: PackPointsResult) -> None:
    points = f"{counted(result.count, 'point')} in {counted(result.dims, 'dimension')}"
    say(f"{result.out}: {points}, {result.bytes_on_disk / 1e6:,.1f} MB.")


@form.register
def _(result: DescribeTextResult) -> None:
    blank = f", and {result.blank:,} blank ones" if result.blank else ""
    lines = f"{counted(result.count, 'line')}{blank}, of {counted(result.kinds, 'kind')} of {result.unit}"
    say(f"{result.source}: {result.kind}, {lines}.")
    lengths = [(share, f"{length:,}") for share, length in (result.lengths | {"100%": result.longest}).items()]
    table("", ("of the lines have at most", result.unit), lengths)
    frequent = [(repr(token), f"{count:,}") for token, count in result.most_frequent.items()]
    table("", (f"most frequent {result.unit}", "times"), frequent)


@form.register
def _(result: PackTextResult) -> None:
    size = f"{result.length:,} {result.unit} at most, of {result.kinds:,} kinds"
    say(f"{result.out}: {counted(result.count, 'line')} of {size}, {result.bytes_on_disk / 1e6:,.1f} MB.")
    told = [f"{result.cut:,} lines are longer and were cut"] * bool(result.cut)
    told += [f"{result.blank:,} are blank and were left out"] * bool(result.blank)
    if told:
        say(f"{', '.join(told)}.")


@form.register
def _(result: DescribeGraphsResult) -> None:
    kinds = f", nodes of {len(result.node_kinds)} kinds" if len(result.node_kinds) > 1 else ""
    largest = f"{'of' if result.count == 1 else 'of up to'} {counted(result.largest, 'node')}"
    say(f"{result.source}: {result.kind}, {counted(result.count, 'graph')} {largest}{kinds}.")
    table("", ("nodes of a graph", "graphs"), [(size, f"{count:,}") for size, count in result.sizes.items()])
    occurring = {**result.node_kinds, **result.edge_kinds}
    table("", ("kind", "times"), [(kind, f"{count:,}") for kind, count in occurring.items()])
    _left_out(result.left_out)


@form.register
def _(result: PackGraphsResult) -> None:
    kinds = f"{counted(len(result.node_names), 'kind')} of node, {len(result.edge_names)} of edge"
    size = f"up to {counted(result.nodes, 'node')}, {kinds}, {result.bytes_on_disk / 1e6:,.1f} MB"
    say(f"{result.out}: {counted(result.count, 'graph')} of {size}.")
    _left_out(result.left_out)


def _left_out(counts: Mapping[str, int]) -> None:
    if counts:
        say(f"Left out: {', '.join(f'{count:,} {why}' for why, count in counts.items())}.")


@form.register
def _(result: PackResult) -> None:
    shape = f"{result.height}x{result.width}, {counted(result.channels, 'channel')}"
    say(f"{result.out}: {counted(result.count, 'picture')} of {shape}, {result.bytes_on_disk / 1e6:,.1f} MB.")
    _passed_over(result.passed_over)
    _broken(result.broken, verb="Left out")


@form.register
def _(result: FetchResult) -> None:
    say(f"{result.name} lies in {result.folder} ({result.licence}). Use it as --data {result.source}.")


def _counts(what: str, values: Mapping[str, Mapping[str, int]]) -> None:
    """A table for each way of counting that counted anything: how many samples have each value."""
    for title, counts in values.items():
        if counts:
            table("", (title, what), [(name, f"{count:,}") for name, count in list(counts.items())[:VALUES]])


def _not_trained_on(result: DescribeResult | DescribeSoundsResult) -> None:
    """Files of a source that are no samples, or cannot be read."""
    _passed_over(result.passed_over)
    _broken(result.broken, verb="Cannot be read")
    if result.broken:
        say("Training refuses them; --broken skip leaves them out.")


def _passed_over(endings: Mapping[str, int]) -> None:
    if endings:
        listed = ", ".join(f"{count:,} {ending}" for ending, count in endings.items())
        say(f"Passed over, as these endings are of no picture that is read: {listed}.")


def _broken(broken: Sequence[Sequence[str]], *, verb: str) -> None:
    for name, reason in broken[:SHOWN]:
        say(f"{verb}: {name} {reason}.")
    if len(broken) > SHOWN:
        say(f"... and {len(broken) - SHOWN:,} more files.")
