"""What is in a source, before anything is packed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ganvas.core.progress import progress
from ganvas.data.fitting import Size
from ganvas.data.packed import PackedRows
from ganvas.data.pictures import BrokenPicture, decode, read_header
from ganvas.data.sources.labels import numbered_classes
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import Labels, PictureArray, PictureFiles

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Counts of what a source holds. Broken files are in no other count."""

    kind: str  # "folder", "tar", "zip", "npy", "npz", "idx", "cifar10", "packed", "scenes"
    count: int  # Pictures that can be read.
    sizes: Mapping[Size, int]  # (height, width): how many; the most frequent first.
    modes: Mapping[str, int]  # As the files have them: L, RGB, RGBA, P, P+alpha, CMYK, I;16, ...
    labels: Mapping[str, int] | None  # Class name: how many.
    broken: tuple[tuple[str, str], ...]  # Name, and why it cannot be read.
    full: bool  # Whether every pixel was decoded, or only the headers were read.


def survey(spec: str, *, full: bool = False, quiet: bool = True) -> Survey:
    """Counts sizes, modes and labels, and names what is broken.

    Args:
        full: Decodes every pixel (of a pack: compares it with its fingerprint). Headers alone are many times faster
            but do not show that a picture is cut short.
        quiet: No progress.
    """
    source = open_source(spec)
    if isinstance(source, PictureFiles):
        return _survey_files(source, full=full, quiet=quiet)
    assert isinstance(source, PictureArray)
    return _survey_array(source, full=full, quiet=quiet)


def _survey_files(source: PictureFiles, *, full: bool, quiet: bool) -> Survey:
    sizes: Counter[Size] = Counter()
    modes: Counter[str] = Counter()
    names, broken = [], []
    with progress(f"Reading {source.location}", source.total, unit=source.unit, quiet=quiet) as report:
        for entry in source.entries():
            try:
                data = entry.read()
                header = read_header(data)
                if full:
                    decode(data)
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
    )


def _survey_array(source: PictureArray, *, full: bool, quiet: bool) -> Survey:
    if full and isinstance(source, PackedRows):
        source.pack.verify()
    return Survey(
        kind=source.kind,
        count=source.count,
        sizes={(source.height, source.width): source.count},
        modes={_MODES[source.channels]: source.count},
        labels=_array_labels(source, quiet=quiet),
        broken=(),
        full=full,
    )


def _array_labels(source: PictureArray, *, quiet: bool) -> Mapping[str, int] | None:
    if not source.labelled:
        return None
    known = source.known_labels()
    if known is None:
        return _labels_on_the_way(source, quiet=quiet)
    return _counted(Labels(values=known, class_names=source.class_names))


def _labels_on_the_way(source: PictureArray, *, quiet: bool) -> Mapping[str, int] | None:
    """Reads the whole source, as its labels lie between the pixels."""
    parts = []
    with progress(f"Reading {source.location}", source.total, unit=source.unit, quiet=quiet) as report:
        for block in source.blocks(256):
            parts.append(block.labels)
            report(sum(map(len, parts)))
    values = np.concatenate(parts)
    return _counted(Labels(values=values, class_names=source.class_names or numbered_classes(values)))


def _counted(labels: Labels | None) -> Mapping[str, int] | None:
    if labels is None:
        return None
    counts = np.bincount(labels.values, minlength=len(labels.class_names))
    return {name: int(count) for name, count in zip(labels.class_names, counts, strict=True)}
