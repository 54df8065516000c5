"""Results as a person reads them, on stderr; stdout carries the same as JSON, unless both are one terminal."""

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

from ganvas.core.progress import duration, printable, say
from ganvas.tasks.compare import CompareResult
from ganvas.tasks.data import (
    DescribePointsResult,
    DescribeResult,
    DescribeSoundsResult,
    DescribeTextResult,
    ExportResult,
    FetchResult,
    PackPointsResult,
    PackResult,
    PackSoundsResult,
    PackTextResult,
)
from ganvas.tasks.inpaint import Inpainted
from ganvas.tasks.launch import JobFile
from ganvas.tasks.models import Catalogue
from ganvas.tasks.report import ReportResult
from ganvas.tasks.sample import Drawn
from ganvas.tasks.search import SearchResult
from ganvas.tasks.segment import Segmented
from ganvas.tasks.train import TrainResult
from ganvas.tasks.translate import Translated

OF_PICTURES = ("resolution", "base", "channels", "features", "features_max", "network")  # Points have no use for them.
PARTS = 25  # Of a mixture, on the screen.
VALUES = 20  # Sizes, classes and the like that are counted on the screen.
SHOWN = 10  # Broken files named on the screen; the JSON has them all.


@singledispatch
def show(result: Any) -> None:
    """Nothing more than the JSON, unless a kind of result has its own form below."""


def has_form(result: Any) -> bool:
    """Whether ``show`` says anything of it."""
    return show.dispatch(type(result)) is not show.dispatch(object)


@show.register
def _(result: TrainResult) -> None:
    if result.settings and not result.seconds and not result.kimg:
        for part in ("config", "plan"):
            settings = result.settings[part]
            unused = OF_PICTURES if settings.get("dims") else ()
            table(part, ("setting", "value"), [(k, str(v)) for k, v in settings.items() if k not in unused])
        if result.picture_size:
            say(f"Pictures of {result.picture_size[0]}x{result.picture_size[1]} pixels (height x width).")
        return
    done = "finished" if result.finished else "stopped; the same command resumes"
    say(f"{result.run}: {done} at {result.kimg:,.6g} kimg after {duration(result.seconds)} of training.")


@show.register
def _(result: JobFile) -> None:
    say(result.text if result.path is None else f"{result.path}: submit it with `sbatch {result.path}`.")


@show.register
def _(result: Drawn) -> None:
    say(
        f"{result.path}: {result.pictures} {result.unit} of {result.model} at {result.kimg:g} kimg, seed {result.seed}."
    )


@show.register
def _(result: Translated) -> None:
    count = f"{result.pictures:,} picture{'s' if result.pictures != 1 else ''}"
    found = f", {result.found:,} of them from an earlier time" if result.found else ""
    say(f"{result.path}: {count}{found}, {result.direction} by {result.model} at {result.kimg:g} kimg.")


@show.register
def _(result: Segmented) -> None:
    count = f"{result.pictures:,} picture{'s' if result.pictures != 1 else ''}"
    found = f", {result.found:,} of them from an earlier time" if result.found else ""
    say(f"{result.path}: {count} of {result.classes} classes{found}, by {result.model} at {result.kimg:g} kimg.")
    if result.scores:
        table("", ("score", "value"), [(name, f"{value:.4f}") for name, value in result.scores.items()])


@show.register
def _(result: ExportResult) -> None:
    also = f", label maps in {result.masks}" if result.masks else ""
    say(f"{result.pictures}: {result.count:,} pictures{also}.")


@show.register
def _(result: Inpainted) -> None:
    count = f"{result.pictures:,} picture{'s' if result.pictures != 1 else ''}"
    before = f", {result.before:,} of them before this command" if result.before else ""
    white = {"hole": " White was the hole.", "known": " White was what is known.", None: ""}[result.white]
    say(f"{result.path}: {count}{before}, filled by {result.model} at {result.kimg:g} kimg.{white}")
    if result.untouched:
        say(f"The masks of {len(result.untouched):,} are empty; those pictures are as they were.")
    if result.recoded:
        say(f"{len(result.recoded):,} are written as PNG, because their own format would have changed every pixel.")
    if result.results:
        floor = {found["metric"]: found["value"] for found in result.floor}
        rows = [(one["metric"], f"{one['value']:.4g}", f"{floor[one['metric']]:.4g}") for one in result.results]
        table("against the truth", ("metric", "filled", "harmonic filling"), rows)


@show.register
def _(result: ReportResult) -> None:
    say(f"{result.path}: {result.bytes / 1e6:.1f} MB; open it in a browser.")


@show.register
def _(result: CompareResult) -> None:
    say(f"{result.page}: {len(result.models)} models; open it in a browser. Beside it: {result.json}, {result.csv}.")


@show.register
def _(result: SearchResult) -> None:
    if result.page is None:
        table(f"{result.settings} settings", ("setting", "drawn from"), list(result.ranges.items()))
        return
    done = f"{result.tried} of {result.settings} settings"
    say(f"{result.page}: {done}{'; the same command resumes' if result.stopped else ''}.")


@show.register
def _(result: DescribeResult) -> None:
    read = "read in full" if result.full else "headers read; --full reads every pixel"
    say(f"{result.source}: {result.kind}, {result.count:,} pictures ({read}).")
    _counts("pictures", {"size": result.sizes, "mode": result.modes, "class": result.labels or {}})
    if result.about_labels:
        say(result.about_labels)
    _not_trained_on(result)


@show.register
def _(result: DescribePointsResult) -> None:
    law = f" {result.law}." if result.law else ""
    say(f"{result.source}: {result.kind}, {result.count:,} points in {_dimensions(result.dims)}.{law}")
    titles = ("low", "high", "mean", "standard_deviation")
    rows = [(str(at), *(f"{column[title]:.4g}" for title in titles)) for at, column in enumerate(result.dimensions)]
    table("", ("dimension", "lowest", "highest", "mean", "standard deviation"), rows)
    if result.labels:
        table("", ("part", "points"), [(name, f"{count:,}") for name, count in list(result.labels.items())[:PARTS]])


@show.register
def _(result: DescribeSoundsResult) -> None:
    together = f", {duration(result.seconds['together'])} in all" if result.seconds else ""
    say(f"{result.source}: {result.kind}, {result.count:,} sounds{together}.")
    if result.seconds:
        lengths = [(name, f"{result.seconds[name]:.3g}") for name in ("shortest", "middle", "longest")]
        table("", ("recording", "seconds"), lengths)
    counted = {"rate in Hz": result.rates, "channels": result.channels, "stored as": result.forms}
    _counts("sounds", counted | {"class": result.labels or {}})
    if result.about_labels:
        say(result.about_labels)
    if result.silent:
        say(f"{len(result.silent):,} are silent and will be left out, such as {result.silent[0]}.")
    _not_trained_on(result)


@show.register
def _(result: PackSoundsResult) -> None:
    size = f"{result.length:,} samples at {result.rate:,} Hz"
    say(f"{result.out}: {result.count:,} sounds of {size}, {result.bytes_on_disk / 1e6:,.1f} MB.")
    if result.treated:
        say(result.treated)


@show.register
def _(result: PackPointsResult) -> None:
    say(f"{result.out}: {result.count:,} points in {_dimensions(result.dims)}, {result.bytes_on_disk / 1e6:,.1f} MB.")


@show.register
def _(result: DescribeTextResult) -> None:
    blank = f", and {result.blank:,} blank ones" if result.blank else ""
    say(f"{result.source}: {result.kind}, {result.count:,} lines{blank}, of {result.kinds:,} kinds of {result.unit}.")
    lengths = [(share, f"{length:,}") for share, length in (result.lengths | {"100%": result.longest}).items()]
    table("", ("of the lines have at most", result.unit), lengths)
    frequent = [(repr(token), f"{count:,}") for token, count in result.most_frequent.items()]
    table("", (f"most frequent {result.unit}", "times"), frequent)


@show.register
def _(result: PackTextResult) -> None:
    size = f"{result.length:,} {result.unit} at most, of {result.kinds:,} kinds"
    say(f"{result.out}: {result.count:,} lines of {size}, {result.bytes_on_disk / 1e6:,.1f} MB.")
    told = [f"{result.cut:,} lines are longer and were cut"] * bool(result.cut)
    told += [f"{result.blank:,} are blank and were left out"] * bool(result.blank)
    if told:
        say(f"{', '.join(told)}.")


@show.register
def _(result: PackResult) -> None:
    shape = f"{result.height}x{result.width}, {result.channels} channel{'s' if result.channels != 1 else ''}"
    say(f"{result.out}: {result.count:,} pictures of {shape}, {result.bytes_on_disk / 1e6:,.1f} MB.")
    _passed_over(result.passed_over)
    _broken(result.broken, verb="Left out")


@show.register
def _(result: FetchResult) -> None:
    say(f"{result.name} lies in {result.folder} ({result.licence}). Use it as --data {result.source}.")


@show.register
def _(result: Catalogue) -> None:
    if not result.settings:
        rows = [(model["name"], f"{model['summary']}\n{model['paper']}") for model in result.models]
        table("models", ("name", "what it is, and its paper"), rows)
        return
    say(f"{result.models[0]['name']}: {result.models[0]['summary']} {result.models[0]['paper']}")
    if result.presets:
        table("presets", ("--preset", "what it is, and its source"), list(result.presets.items()))
    table("settings", ("--set", "default"), [(name, str(value)) for name, value in result.settings.items()])


def _dimensions(dims: int) -> str:
    return f"{dims} dimension{'s' if dims != 1 else ''}"


def _counts(what: str, counted: Mapping[str, Mapping[str, int]]) -> None:
    """A table for each way of counting that counted anything: how many samples have each value."""
    for title, counts in counted.items():
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


def terminal_width() -> int:
    """Of the terminal that stderr is, in letters; 80 where it is none."""
    from rich.console import Console

    return Console(stderr=True).width


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, firm: bool = False) -> None:
    """A table on stderr, as wide as the terminal allows.

    Args:
        firm: Only the first column breaks into lines; for tables whose others fit.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        title=Text(title) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for place, name in enumerate(header):
        drawn.add_column(name, overflow="fold", no_wrap=name == "name" or (firm and place > 0))
    for row in rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    Console(stderr=True).print(drawn)
