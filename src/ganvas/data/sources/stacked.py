"""Stacked pictures: three grey pictures of a labelled source, drawn at random, as red, green and blue of one.

Metz et al. 2017, Unrolled Generative Adversarial Networks (https://arxiv.org/abs/1611.02163), count modes so: three
digits of ten classes make 1,000 modes, which a classifier of single digits tells apart. Any labelled source will do;
with k classes there are k^3 modes, and mode ``a k^2 + b k + c`` has class a in red, b in green, c in blue.

::

    stacked:mnist/::train    stacked,50000,seed=1:mnist/::train    stacked:scenes:2000,32x32

A stack is a pure function of (seed, index) and of the source.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from ganvas.core.errors import UserError
from ganvas.data.cache import hash_file
from ganvas.data.conversion import Rows, Rules, convert
from ganvas.data.scenes.factors import mix
from ganvas.data.sources.labels import numbered_classes
from ganvas.data.sources.picture_source import Block, Labels, PictureArray, PictureFiles, Source, hash_of
from ganvas.data.sources.spelled_words import told_once

COUNT = 50_000
MOST_CLASSES = 40  # 64,000 modes.
MOST_BYTES = 4 << 30  # Of the single pictures, which are held in memory.

_GOLDEN, _APART = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x7F4A7C159E3779B9)


class Stacked(PictureArray):
    """Stacks of a source's pictures."""

    kind = "stacked"
    drawn = True
    channels = 3
    labelled = True

    def __init__(self, single: Source, *, location: str, count: int = COUNT, seed: int = 0) -> None:
        self.single, self.location, self.count, self.seed = single, location, count, seed
        self.total = count

    @cached_property
    def height(self) -> int:
        """Of the single pictures."""
        return self.single.height if isinstance(self.single, PictureArray) else self._whole[0].shape[1]

    @cached_property
    def width(self) -> int:
        """Of the single pictures."""
        return self.single.width if isinstance(self.single, PictureArray) else self._whole[0].shape[2]

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Three names of classes apart by commas, for each mode."""
        names = self._whole[1].class_names
        return tuple(f"{red},{green},{blue}" for red in names for green in names for blue in names)

    def blocks(self, rows: int) -> Iterator[Block]:
        images, labels = self._whole
        for start in range(0, self.count, rows):
            chosen = self.chosen(np.arange(start, min(start + rows, self.count)))
            classes = labels.values[chosen]
            places = len(labels.class_names) ** np.array([2, 1, 0])
            yield Block(images=images[chosen].transpose(0, 2, 3, 1), labels=classes @ places)

    def chosen(self, indices: Int[np.ndarray, " n"]) -> Int[np.ndarray, "n 3"]:
        """Which single pictures some stacks are made of."""
        start = mix(np.array([self.seed % 2**64], dtype=np.uint64) + _APART)
        key = mix(start ^ mix((indices.astype(np.uint64) + np.uint64(1)) * _GOLDEN))
        bits = mix(key[:, None] + (np.arange(3) + 1).astype(np.uint64) * _GOLDEN) >> np.uint64(11)
        return (bits.astype(np.float64) / 2.0**53 * len(self._whole[0])).astype(np.int64)

    def identity(self) -> str:
        """With a hash of the code that stacks."""
        return "stacked:" + hash_of(self.single.identity(), self.count, self.seed, hash_file(Path(__file__)))

    @cached_property
    def _whole(self) -> tuple[UInt8[np.ndarray, "n h w"], Labels]:
        """All single pictures in grey, and their classes."""
        images: list[np.ndarray] = []
        found: list[Rows] = []
        held = 0
        for rows in convert(self.single, Rules(channels=1)):
            held += rows.images.nbytes
            if held > MOST_BYTES:
                raise UserError(
                    f"{self.single.location} is too large to be stacked: its pictures are held in memory, and are more "
                    f"than {MOST_BYTES >> 30} GiB. Name a part of it, or pack it at a smaller size first."
                )
            images.append(rows.images[..., 0])
            found.append(rows)
        labels = self._labels(found)
        if labels is None or not 2 <= len(labels.class_names) <= MOST_CLASSES:
            count = "no classes" if labels is None else f"{len(labels.class_names)} classes"
            raise UserError(
                f"{self.single.location} has {count}; stacked pictures are made of 2 to {MOST_CLASSES}, and have as "
                "many modes as triples of them. Name a labelled source, such as stacked:mnist/."
            )
        return np.concatenate(images), labels

    def _labels(self, found: list[Rows]) -> Labels | None:
        if isinstance(self.single, PictureFiles):
            return self.single.labels([name for rows in found for name in rows.names or ()])
        assert isinstance(self.single, PictureArray)
        parts = [rows.labels for rows in found if rows.labels is not None]
        values = np.concatenate(parts) if parts else self.single.known_labels()
        if values is None:
            return None
        return Labels(values=values.astype(np.int64), class_names=self.single.class_names or numbered_classes(values))


def options_of(spec: str) -> tuple[int, int]:
    """Count and seed of ``stacked[,COUNT][,seed=N]:SRC``.

    Raises:
        UserError: a word is neither.
    """
    count, seed = COUNT, 0
    for word in told_once(spec, spec.partition(":")[0].split(",")[1:]):
        if re.fullmatch(r"0*[1-9]\d{0,8}", word):
            count = int(word)
        elif match := re.fullmatch(r"seed=(\d{1,18})", word):
            seed = int(match[1])
        else:
            raise UserError(
                f"{spec}: '{word}' is not understood. Stacked pictures are written stacked,COUNT,seed=N:SRC, as in "
                "stacked,50000,seed=1:mnist/; count and seed may be left out."
            )
    return count, seed
