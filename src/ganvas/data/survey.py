"""Survey of a source before anything is packed: counts, sizes, modes, labels, and what is broken or passed over."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ganvas.core.progress import progress
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.fitting import Size
from ganvas.data.packed import PackedRows
from ganvas.data.pictures import Header, decode, read_header
from ganvas.data.shards.sharded_pictures import ShardSource
from ganvas.data.sources.labels import numbered_classes
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import Entry, Labels, PictureArray, PictureFiles

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Counts of what a source holds. Broken files are in no other count."""

    kind: str  # "folder", "tar", "zip", "npy", "npz", "idx", "cifar10", "packed", "scenes", "shards"
    count: int  # Pictures that can be read.
    sizes: Mapping[Size, int]  # (height, width): how many; the most frequent first.
    modes: Mapping[str, int]  # As the files have them: L, RGB, RGBA, P, P+alpha, CMYK, I;16, ...
    labels: Mapping[str, int] | None  # Class name: how many.
    broken: tuple[tuple[str, str], ...]  # Name, and why it cannot be read.
    full: bool  # Whether every pixel was read, or only the headers.
    about_labels: str = ""  # A sentence: why there are no labels, or which folders are not used for them.
    passed_over: Mapping[str, int]  # Files that are not read, by ending: how many; the most frequent first.


def survey(spec: str, *, full: bool = False, quiet: bool = True) -> Survey:
    """Counts sizes, modes and labels, and names what is broken.

    Args:
        full: Reads every pixel (of a pack: compares it with its fingerprint). Headers alone are many times faster, of
            files that are not in a compressed archive, but do not show that a picture is cut short.
        quiet: No progress.
    """
    source = open_source(spec)
    if isinstance(source, ShardSource) and not full:
        return _survey_index(source)
    if isinstance(source, PictureFiles):
        return _survey_files(source, full=full, quiet=quiet)
    assert isinstance(source, PictureArray)
    return _survey_array(source, full=full, quiet=quiet)


def _survey_index(source: ShardSource) -> Survey:
    """What the index of shards says: the headers were read when it was made."""
    index = source.index
    return Survey(
        kind=source.kind,
        count=len(index),
        sizes=index.sizes,
        modes=index.modes,
        labels=dict(zip(index.class_names, index.class_counts, strict=True)) if index.class_names else None,
        broken=(),
        full=False,
        about_labels=source.about_labels([]),
        passed_over={},
    )


def _survey_files(source: PictureFiles, *, full: bool, quiet: bool) -> Survey:
    sizes: Counter[Size] = Counter()
    modes: Counter[str] = Counter()
    names, broken = [], []
    with progress(f"Reading {source.location}", source.total, unit=source.unit, quiet=quiet) as report:
        for entry in source.entries():
            try:
                header = _header(entry, full=full)
            except BrokenPicture as reason:
                broken.append((entry.name, str(reason)))
            else:
                sizes[header.height, header.width] += 1
                modes[header.mode] += 1
                names.append(entry.name)
            report(entry.at)
    return Survey(
        kind=source.kind,
        count=len(names),
        sizes=dict(sizes.most_common()),
        modes=dict(modes.most_common()),
        labels=_counted(source.labels(names)),
        broken=tuple(broken),
        full=full,
        about_labels=source.about_labels(names),
        passed_over=source.passed_over(),
    )


def _header(entry: Entry, *, full: bool) -> Header:
    if full:
        data = entry.read()
        header = read_header(data)
        decode(data)
        return header
    with entry.open() as file:
        return read_header(file)


def _survey_array(source: PictureArray, *, full: bool, quiet: bool) -> Survey:
    if full and isinstance(source, PackedRows):
        source.pack.verify()
    reads = full and not source.drawn and not isinstance(source, PackedRows)
    return Survey(
        kind=source.kind,
        count=source.count,
        sizes={(source.height, source.width): source.count},
        modes={_MODES[source.channels]: source.count},
        labels=_array_labels(source, reads=reads, quiet=quiet),
        broken=(),
        full=full,
        passed_over={},
    )


def _array_labels(source: PictureArray, *, reads: bool, quiet: bool) -> Mapping[str, int] | None:
    known = source.known_labels() if source.labelled else None
    if reads or (source.labelled and known is None):
        found = _read_through(source, quiet=quiet)
        known = known if found is None else found
    if known is None:
        return None
    return _counted(Labels(values=known, class_names=source.class_names or numbered_classes(known)))


def _read_through(source: PictureArray, *, quiet: bool) -> np.ndarray | None:
    """Reads the whole source, which finds what is cut short, and gives the labels that lie between the pixels."""
    parts, done = [], 0
    rows = max(1, min(256, _BLOCK_BYTES // (source.height * source.width * source.channels)))
    with progress(f"Reading {source.location}", source.total, unit=source.unit, quiet=quiet) as report:
        for block in source.blocks(rows):
            done += len(block.images)
            report(done)
            if block.labels is not None:
                parts.append(block.labels)
    return np.concatenate(parts) if parts else None


def _counted(labels: Labels | None) -> Mapping[str, int] | None:
    if labels is None:
        return None
    counts = np.bincount(labels.values, minlength=len(labels.class_names))
    return {name: int(count) for name, count in zip(labels.class_names, counts, strict=True)}
