"""``ganvas data describe``, ``pack``, ``export`` and ``fetch``: what is in a source, one packed folder, a folder of PNG
files, known public sets."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from ganvas.core.errors import UserError

if TYPE_CHECKING:
    from ganvas.core.sample_sizes.sound_size import SoundSize

MOST_LENGTH = 1024  # Tokens of a packed line, where the number is left out.
SHOWN = 20  # Entries of a long list in a result; the counts are always whole.


@dataclass(frozen=True, kw_only=True)
class Describe:
    """Say what is in a source: count, sizes, modes, labels, broken files."""

    source: Positional[str]
    """Folder, archive, array file, .txt, .edges, molecules:FILE, packed folder, scenes, notes, mixtures:NAME,
    graphs:LAW, pydoc or fetched:NAME; SRC::part takes a part."""
    full: bool = False
    """Read every pixel, which also finds pictures and arrays that are cut short."""
    unit: Literal["characters", "words"] = "characters"
    """Of text: what is counted."""
    broken: Literal["refuse", "skip"] = "refuse"
    """Of graphs: stop at one that cannot be had, or leave it out and count it."""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Pack a source into one folder that training reads directly."""

    source: Positional[str]
    """Folder, archive, array file, .txt, .edges, molecules:FILE, packed folder, scenes or fetched:NAME; SRC::part
    takes a part of it."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder to write; it must not be there yet."""
    size: str | None = None
    """Height and width to pack at: 64, or 64x96 (height x width). Default: the pictures' own. Of sounds, samples and
    samples per second: 8192@8000."""
    channels: Literal[1, 3, 4] | None = None
    """1 grey, 3 RGB, 4 RGBA. Default: grey stays grey, everything else becomes RGB."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with pictures of another shape, or smaller than the size."""
    background: str = "white"
    """Colour under transparent pixels and on padding: a name or #rrggbb."""
    broken: Literal["refuse", "skip"] = "refuse"
    """Stop at a file that cannot be read, or leave it out and name it in the manifest."""
    unit: Literal["characters", "words"] = "characters"
    """Of text: what a token is."""
    length: int | None = None
    """Of text: tokens of a line; longer ones are cut. Default: the longest line's, 1,024 at most."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a source as PNG files: pictures/, and masks/ with the class of every pixel where the source knows it.

    Examples:
      ganvas data export scenes:2000,64x64 -o shapes
    """

    source: Positional[str]
    """Any source of pictures, such as scenes:2000,64x64 or a packed folder."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder to write; it must not be there yet."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What :class:`Export` wrote."""

    pictures: Path
    masks: Path | None
    count: int
    mask_names: list[str]


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Fetch a known public set (mnist, fashion-mnist, cifar10) into the cache, checked against its published hash."""

    name: Positional[str]
    """mnist, fashion-mnist or cifar10."""


@dataclass(frozen=True, kw_only=True)
class DescribeResult:
    """What :class:`Describe` found."""

    source: str
    kind: str
    count: int
    sizes: dict[str, int]  # "HEIGHTxWIDTH": how many; the most frequent first, at most 20 of them.
    num_sizes: int
    modes: dict[str, int]
    labels: dict[str, int] | None
    about_labels: str  # Why there are none, or which folders are not used for them; empty where nothing is to be said.
    broken: list[list[str]]  # Name and reason.
    passed_over: dict[str, int]  # Files that are not read as pictures, by ending: how many; at most 20 endings.
    full: bool
    boxes: dict[str, int]  # By category, in the COCO files of a folder; empty where there are none.


@dataclass(frozen=True, kw_only=True)
class DescribePointsResult:
    """What :class:`Describe` found in a source of points."""

    source: str
    kind: str
    count: int
    dims: int
    dimensions: list[dict[str, float]]  # low, high, mean and standard_deviation of each; at most 20 of them.
    labels: dict[str, int] | None  # Part of the mixture: how many.
    law: str | None  # What a built-in mixture is.
    full: bool


@dataclass(frozen=True, kw_only=True)
class DescribeSoundsResult:
    """What :class:`Describe` found in a source of sounds."""

    source: str
    kind: str
    count: int
    rates: dict[str, int]  # Samples per second: how many; the most frequent first. Empty where any can be made.
    channels: dict[str, int]
    forms: dict[str, int]  # "int16", "float32", ...
    seconds: dict[str, float]  # Of the shortest, the middle and the longest recording, and of all together.
    labels: dict[str, int] | None
    about_labels: str
    silent: list[str]
    broken: list[list[str]]
    passed_over: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class PackSoundsResult:
    """What :class:`Pack` wrote of sounds."""

    out: str
    count: int
    rate: int
    length: int
    class_names: list[str]
    treated: str  # What was done to the recordings.
    fingerprint: str
    bytes_on_disk: int


@dataclass(frozen=True, kw_only=True)
class DescribeTextResult:
    """What :class:`Describe` found in a source of text."""

    source: str
    kind: str
    unit: str  # Of what follows: "characters" or "words".
    count: int  # Lines that are not blank.
    blank: int
    longest: int
    lengths: dict[str, int]  # Share of lines: the length that they do not exceed.
    kinds: int  # Of characters or words.
    most_frequent: dict[str, int]  # At most 20 of them.


@dataclass(frozen=True, kw_only=True)
class DescribeGraphsResult:
    """What :class:`Describe` found in a source of graphs."""

    source: str
    kind: str
    count: int
    sizes: dict[str, int]  # Nodes of a graph: how many graphs; at most 20 of them, the smallest first.
    edges: dict[str, int]  # Edges of a graph, likewise.
    largest: int
    node_kinds: dict[str, int]
    edge_kinds: dict[str, int]
    left_out: dict[str, int]  # Why a graph is left out: how many are.
    law: str | None


@dataclass(frozen=True, kw_only=True)
class PackResult:
    """What :class:`Pack` wrote."""

    out: str
    count: int
    height: int
    width: int
    channels: int
    class_names: list[str]
    broken: list[list[str]]
    passed_over: dict[str, int]  # Files that are not read, by ending: how many; at most 20 endings.
    fingerprint: str
    bytes_on_disk: int


@dataclass(frozen=True, kw_only=True)
class PackPointsResult:
    """What :class:`Pack` wrote of points."""

    out: str
    count: int
    dims: int
    class_names: list[str]
    fingerprint: str
    bytes_on_disk: int


@dataclass(frozen=True, kw_only=True)
class PackTextResult:
    """What :class:`Pack` wrote of text."""

    out: str
    count: int
    length: int
    unit: str
    kinds: int
    cut: int  # Lines that are longer.
    blank: int  # Lines that were left out.
    fingerprint: str
    bytes_on_disk: int


@dataclass(frozen=True, kw_only=True)
class PackGraphsResult:
    """What :class:`Pack` wrote of graphs."""

    out: str
    count: int
    nodes: int  # Of the largest graph.
    node_names: list[str]
    edge_names: list[str]
    left_out: dict[str, int]
    fingerprint: str
    bytes_on_disk: int


@dataclass(frozen=True, kw_only=True)
class FetchResult:
    """Where :class:`Fetch` put the set, and how to name it from now on."""

    name: str
    source: str  # What to write after --data.
    folder: str
    files: list[str]
    downloaded_bytes: int
    licence: str


def describe(
    task: Describe, *, quiet: bool = False
) -> DescribeResult | DescribePointsResult | DescribeSoundsResult | DescribeTextResult | DescribeGraphsResult:
    """Surveys a source."""
    from ganvas.data.fitting import written
    from ganvas.data.sources.unit_of_source import unit_of_source
    from ganvas.data.survey import survey

    unit = unit_of_source(task.source)
    if unit == "points":
        return _describe_points(task)
    if unit == "sounds":
        return _describe_sounds(task, quiet=quiet)
    if unit == "lines":
        return _describe_text(task)
    if unit == "graphs":
        return _describe_graphs(task)
    found = survey(task.source, full=task.full, quiet=quiet)
    return DescribeResult(
        source=task.source,
        kind=found.kind,
        count=found.count,
        sizes={written(size): count for size, count in list(found.sizes.items())[:SHOWN]},
        num_sizes=len(found.sizes),
        modes=dict(found.modes),
        labels=None if found.labels is None else dict(found.labels),
        about_labels=found.about_labels,
        broken=[list(pair) for pair in found.broken],
        passed_over=dict(list(found.passed_over.items())[:SHOWN]),
        full=found.full,
        boxes=_boxes(task.source),
    )


def _boxes(source: str) -> dict[str, int]:
    from ganvas.data.boxes.coco import counted_boxes
    from ganvas.data.boxes.packed_boxes import coco_files_beside

    return dict(sum((counted_boxes(file) for file in coco_files_beside(source)), Counter[str]()).most_common())


def _describe_points(task: Describe) -> DescribePointsResult:
    from ganvas.data.points.survey_points import survey_points

    found = survey_points(task.source, full=task.full)
    columns = zip(found.low, found.high, found.mean, found.standard_deviation, strict=True)
    titles: list[str] = ["low", "high", "mean", "standard_deviation"]
    return DescribePointsResult(
        source=task.source,
        kind=found.kind,
        count=found.count,
        dims=found.dims,
        dimensions=[dict(zip(titles, values, strict=True)) for values in columns][:SHOWN],
        labels=None if found.labels is None else dict(found.labels),
        law=found.law,
        full=task.full,
    )


def _describe_sounds(task: Describe, *, quiet: bool) -> DescribeSoundsResult:
    import numpy as np

    from ganvas.data.sound.packed_sounds import PackedSoundRows, sound_source

    source = sound_source(task.source)
    if task.full and isinstance(source, PackedSoundRows):
        source.pack.verify()
    found = source.survey(quiet=quiet)
    seconds = found.seconds
    spread = {"shortest": seconds[0], "middle": float(np.median(seconds)), "longest": seconds[-1]} if seconds else {}
    return DescribeSoundsResult(
        source=task.source,
        kind=found.kind,
        count=found.count,
        rates={str(rate): count for rate, count in found.rates.items()},
        channels={str(channels): count for channels, count in found.channels.items()},
        forms=dict(found.forms),
        seconds=spread | ({"together": sum(seconds)} if seconds else {}),
        labels=None if found.labels is None else dict(found.labels),
        about_labels=found.about_labels,
        silent=list(found.silent),
        broken=[list(pair) for pair in found.broken],
        passed_over=dict(list(found.passed_over.items())[:SHOWN]),
    )


def _describe_text(task: Describe) -> DescribeTextResult:
    from ganvas.data.text.packed_text import PackedLines, text_source_of
    from ganvas.data.text.survey_text import survey_of

    source = text_source_of(task.source)
    if task.full and isinstance(source, PackedLines):
        source.pack.verify()
    found = survey_of(source, task.unit)
    return DescribeTextResult(
        source=task.source,
        kind=found.kind,
        unit=found.unit,
        count=found.count,
        blank=found.blank,
        longest=found.longest,
        lengths={f"{share:.0%}": found.length_of(share) for share in (0.5, 0.9, 0.99)},
        kinds=len(found.counts),
        most_frequent=dict(found.counts.most_common(SHOWN)),
    )


def _describe_graphs(task: Describe) -> DescribeGraphsResult:
    from ganvas.data.graphs.packed_graphs import PackedGraphRows, graph_source_of
    from ganvas.data.graphs.survey_graphs import survey_of

    source = graph_source_of(task.source)
    if task.full and isinstance(source, PackedGraphRows):
        source.pack.verify()
    found = survey_of(source, broken=task.broken)
    counted = lambda counts: {str(size): counts[size] for size in sorted(counts)[:SHOWN]}  # noqa: E731
    return DescribeGraphsResult(
        source=task.source,
        kind=found.kind,
        count=found.count,
        sizes=counted(found.sizes),
        edges=counted(found.edges),
        largest=found.largest,
        node_kinds=dict(found.nodes),
        edge_kinds=dict(found.bonds),
        left_out=dict(found.left_out),
        law=found.law,
    )


def pack(
    task: Pack, *, quiet: bool = False
) -> PackResult | PackPointsResult | PackSoundsResult | PackTextResult | PackGraphsResult:
    """Packs a source into a folder."""
    from ganvas.data import packing
    from ganvas.data.sources.unit_of_source import unit_of_source

    unit = unit_of_source(task.source)
    if unit == "points":
        return _pack_points(task)
    if unit == "sounds":
        return _pack_sounds(task, quiet=quiet)
    if unit == "lines":
        return _pack_text(task)
    if unit == "graphs":
        return _pack_graphs(task)
    done = packing.pack(
        task.source,
        task.out,
        size=None if task.size is None else parse_size(task.size),
        channels=task.channels,
        fit=task.fit,
        background=task.background,
        broken=task.broken,
        quiet=quiet,
    )
    return PackResult(
        out=str(task.out),
        count=len(done),
        height=done.height,
        width=done.width,
        channels=done.channels,
        class_names=list(done.class_names),
        broken=[list(pair) for pair in done.manifest["broken"]],
        passed_over=dict(list(done.manifest["passed_over"].items())[:SHOWN]),
        fingerprint=done.fingerprint,
        bytes_on_disk=sum(file.stat().st_size for file in task.out.iterdir()),
    )


def _pack_text(task: Pack) -> PackTextResult:
    from ganvas.core.sample_sizes.line_size import LineSize
    from ganvas.data.text.packed_text import pack_text, survey_text

    _refuse_pixels(task, "text")
    found = survey_text(task.source, task.unit)
    length = min(found.longest, MOST_LENGTH) if task.length is None else task.length
    done = pack_text(task.source, task.out, LineSize(length=length, alphabet=found.numbers, unit=task.unit))
    return PackTextResult(
        out=str(task.out),
        count=len(done),
        length=done.length,
        unit=done.alphabet.unit,
        kinds=len(done.alphabet.tokens),
        cut=done.manifest["cut"],
        blank=done.manifest["blank"],
        fingerprint=done.fingerprint,
        bytes_on_disk=sum(file.stat().st_size for file in task.out.iterdir()),
    )


def _pack_graphs(task: Pack) -> PackGraphsResult:
    from ganvas.data.graphs.packed_graphs import pack_graphs

    _refuse_pixels(task, "graphs")
    done = pack_graphs(task.source, task.out, broken=task.broken)
    return PackGraphsResult(
        out=str(task.out),
        count=len(done),
        nodes=done.size.nodes,
        node_names=list(done.node_names),
        edge_names=list(done.edge_names),
        left_out=done.manifest["left_out"],
        fingerprint=done.fingerprint,
        bytes_on_disk=sum(file.stat().st_size for file in task.out.iterdir()),
    )


def _refuse_pixels(task: Pack, what: str) -> None:
    if task.size or task.channels:
        given = "--size" if task.size else "--channels"
        raise UserError(
            f"{task.source} holds {what}, which {'has' if what == 'text' else 'have'} no pixels. Leave out {given}."
        )


def _pack_points(task: Pack) -> PackPointsResult:
    from ganvas.data.points.packed_points import pack_points

    _refuse_pixels(task, "points")
    done = pack_points(task.source, task.out)
    return PackPointsResult(
        out=str(task.out),
        count=len(done),
        dims=done.dims,
        class_names=list(done.class_names),
        fingerprint=done.fingerprint,
        bytes_on_disk=sum(file.stat().st_size for file in task.out.iterdir()),
    )


def _pack_sounds(task: Pack, *, quiet: bool) -> PackSoundsResult:
    from ganvas.data.sound.packed_sounds import pack_sounds, sound_source
    from ganvas.data.sound.sound_source import usual_size

    if task.channels or task.fit != "refuse":
        given = "--channels" if task.channels else "--fit"
        raise UserError(f"{task.source} holds sounds, which have one channel and are padded or cut. Leave out {given}.")
    size = usual_size(sound_source(task.source).survey(quiet=quiet)) if task.size is None else parse_sound(task.size)
    done = pack_sounds(task.source, task.out, size, broken=task.broken, quiet=quiet)
    return PackSoundsResult(
        out=str(task.out),
        count=len(done),
        rate=done.size.rate,
        length=done.size.length,
        class_names=list(done.class_names),
        treated=done.treated,
        fingerprint=done.fingerprint,
        bytes_on_disk=sum(file.stat().st_size for file in task.out.iterdir()),
    )


def export(task: Export, *, quiet: bool = False) -> ExportResult:
    """Writes the pictures of a source as files."""
    from ganvas.data import exporting

    return ExportResult(**vars(exporting.export(task.source, task.out, quiet=quiet)))


def fetch(task: Fetch, *, quiet: bool = False) -> FetchResult:
    """Fetches a known set."""
    from ganvas.data import fetch as fetching

    done = fetching.fetch(task.name, quiet=quiet)
    return FetchResult(
        name=done.name,
        source=f"fetched:{done.name}",
        folder=str(done.folder),
        files=list(done.files),
        downloaded_bytes=done.downloaded_bytes,
        licence=fetching.KNOWN[done.name].licence,
    )


def parse_sound(text: str) -> "SoundSize":
    """``8192@8000`` as samples and samples per second.

    >>> parse_sound("8192@8000").seconds
    1.024
    """
    from ganvas.core.sample_sizes.sound_size import SoundSize

    match = re.fullmatch(r"([1-9]\d{0,8})@([1-9]\d{0,6})", text.strip())
    if match is None:
        raise UserError(f"{text} is not a size of sounds. Write 8192@8000 for samples @ samples per second.")
    return SoundSize(length=int(match[1]), rate=int(match[2]))


def parse_size(text: str) -> tuple[int, int]:
    """``64`` or ``64x96`` as height and width.

    >>> parse_size("64"), parse_size("64x96")
    ((64, 64), (64, 96))
    """
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text.strip())
    if match is None:
        raise UserError(f"--size {text} is not a size. Write 64, or 64x96 for height x width.")
    return int(match[1]), int(match[2] or match[1])
