"""Conversion of a source to rows of one size and one number of channels, decoded on every core, in its own order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Int, UInt8

from ganvas.core.errors import UserError
from ganvas.data.colour import Colour, Pictures, own_channels, to_channels
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.fitting import Fit, Plan, Size, apply, apply_to_masks, plan, written
from ganvas.data.pictures import decode
from ganvas.data.sources.picture_source import Block, Entry, PictureArray, PictureFiles, Source

Broken = Literal["refuse", "skip"]
BLOCK_BYTES = 8 << 20  # Of pixels handled at once by one thread: memory stays at a few of these per core.
CORES = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
THREADS_FROM_PIXELS = 96 * 96  # Below, decoding is mostly Python, and threads would only wait for each other.
_MOST_FILES = 256

J = TypeVar("J")
R = TypeVar("R")


class ColourAfterGrey(Exception):
    """A picture with colour came after grey ones had been written as grey: packing starts again with 3 channels."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How pictures become rows."""

    size: Size | None = None  # Height and width; None: the first picture's own.
    channels: int | None = None  # 1, 3 or 4; None: 1 if all are grey, else 3.
    fit: Fit = "refuse"
    background: Colour = (255, 255, 255)
    broken: Broken = "refuse"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Some finished rows, in order."""

    images: Pictures
    at: float  # How far through the source, in its unit.
    names: tuple[str, ...] | None = None
    labels: Int[np.ndarray, " n"] | None = None
    masks: UInt8[np.ndarray, "n h w"] | None = None
    broken: tuple[tuple[str, str], ...] = ()
    treated: frozenset[str] = frozenset()  # What was done to any of them: see :func:`treatment`.


def convert(source: Source, rules: Rules) -> Iterator[Rows]:
    """Every picture of the source as rows under the rules.

    Raises:
        UserError: a picture is broken (and may not be skipped) or does not fit.
        ColourAfterGrey: ``rules.channels`` is None, the first picture was grey, and a later one is not.
    """
    if isinstance(source, PictureFiles):
        return _convert_files(source, rules)
    assert isinstance(source, PictureArray)
    return _convert_array(source, rules)


def treatment(steps: Plan, pictures: Pictures, channels: int, background: Colour) -> frozenset[str]:
    """The names of what changed the pictures: box or lanczos; crop, pad or stretch; grey; on-#rrggbb."""
    have, done = pictures.shape[-1], {steps.method, steps.reshaped} - {"none", ""}
    seen_through = have in (2, 4) and channels != 4 and bool((pictures[..., -1] < 255).any())
    if seen_through or steps.reshaped == "pad":
        done.add(f"on-#{bytes(background).hex()}")
    if have > 2 and channels == 1:
        done.add("grey")
    return frozenset(done)


def _convert_array(source: PictureArray, rules: Rules) -> Iterator[Rows]:
    channels = rules.channels or own_channels(source.channels, rules.background)
    have = (source.height, source.width)
    steps = plan(have, rules.size or have, rules.fit)
    rows = max(1, BLOCK_BYTES // (source.height * source.width * max(source.channels, channels)))

    def job(block: Block, at: float) -> Rows:
        images = apply(steps, to_channels(block.images, channels, rules.background), rules.background)
        masks = None if block.masks is None else apply_to_masks(steps, block.masks)
        treated = treatment(steps, block.images, channels, rules.background)
        return Rows(images=images, at=at, labels=block.labels, masks=masks, treated=treated)

    def jobs() -> Iterator[tuple[Block, float]]:
        done = 0
        for block in source.blocks(rows):
            done += len(block.images)
            yield block, float(done)

    return _in_order(lambda pair: job(*pair), jobs(), threads=0 if steps.method == "none" else CORES)


def _convert_files(source: PictureFiles, rules: Rules) -> Iterator[Rows]:
    entries = source.entries()
    settled, large, skipped = None, False, []
    for entry in entries:  # The first whole picture settles size and channels.
        first = _try_decode(entry)
        if isinstance(first, BrokenPicture):
            skipped.append(_refuse_or_name(entry, first, rules.broken))
            continue
        channels = rules.channels or own_channels(first.shape[-1], rules.background)
        settled = Settled(size=rules.size or first.shape[:2], channels=channels, rules=rules)
        large = first.shape[0] * first.shape[1] >= THREADS_FROM_PIXELS
        yield settled.rows([(entry, first)], skipped)
        break
    if settled is None:
        raise UserError(f"{source.location} holds no picture that can be read: all {len(skipped)} are broken.")
    yield from settled.all_decoded(entries, large=large)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Size and channels of every row of a source of files, once the first picture is known."""

    size: Size
    channels: int
    rules: Rules

    def all_decoded(self, entries: Iterable[Entry], *, large: bool) -> Iterator[Rows]:
        """Decodes and converts files a few at a time, in their order; in threads where they are ``large``."""
        per_job = max(1, min(_MOST_FILES, BLOCK_BYTES // (self.size[0] * self.size[1] * self.channels)))
        return _in_order(self.decoded, _grouped(entries, per_job), threads=CORES if large else 0)

    def decoded(self, entries: list[Entry]) -> Rows:
        """Decodes and converts some files; runs in a thread."""
        good, skipped = [], []
        for entry in entries:
            picture = _try_decode(entry)
            if isinstance(picture, BrokenPicture):
                skipped.append(_refuse_or_name(entry, picture, self.rules.broken))
            else:
                good.append((entry, self._converted(entry, picture)))
        images = [image for _, (image, _) in good]
        return Rows(
            images=np.stack(images) if images else np.empty((0, *self.size, self.channels), np.uint8),
            at=entries[-1].at,
            names=tuple(entry.name for entry, _ in good),
            broken=tuple(skipped),
            treated=frozenset().union(*(treated for _, (_, treated) in good)),
        )

    def rows(self, pictures: list[tuple[Entry, np.ndarray]], skipped: list[tuple[str, str]]) -> Rows:
        """Rows of pictures that are decoded already."""
        converted = [self._converted(entry, picture) for entry, picture in pictures]
        return Rows(
            images=np.stack([image for image, _ in converted]),
            at=pictures[-1][0].at,
            names=tuple(entry.name for entry, _ in pictures),
            broken=tuple(skipped),
            treated=frozenset().union(*(treated for _, treated in converted)),
        )

    def _converted(self, entry: Entry, picture: np.ndarray) -> tuple[np.ndarray, frozenset[str]]:
        rules = self.rules
        if rules.channels is None and own_channels(picture.shape[-1], rules.background) > self.channels:
            raise ColourAfterGrey
        if rules.size is None and rules.fit == "refuse" and picture.shape[:2] != self.size:
            raise UserError(
                f"The pictures have several sizes: {entry.name} is {written(picture.shape[:2])} and the first is "
                f"{written(self.size)} (height x width). Choose a --size and say how: --fit crop, pad or stretch."
            )
        steps = plan(picture.shape[:2], self.size, rules.fit, name=entry.name)
        images = apply(steps, to_channels(picture[None], self.channels, rules.background), rules.background)
        return images[0], treatment(steps, picture[None], self.channels, rules.background)


def _try_decode(entry: Entry) -> np.ndarray | BrokenPicture:
    try:
        return decode(entry.read())
    except BrokenPicture as reason:
        return reason


def _refuse_or_name(entry: Entry, reason: BrokenPicture, broken: Broken) -> tuple[str, str]:
    if broken == "refuse":
        raise broken_refusal(entry.name, str(reason))
    return entry.name, str(reason)


def broken_refusal(name: str, reason: str) -> UserError:
    """What is said of a file that cannot be read where such files may not be skipped."""
    return UserError(
        f"{name} {reason}. Remove it, or leave such files out with --broken skip "
        "(`ganvas data describe SRC --full` lists them all)."
    )


def _grouped(entries: Iterable[Entry], most: int) -> Iterator[list[Entry]]:
    """Up to ``most`` entries, and no more encoded bytes than a block, at a time."""
    group: list[Entry] = []
    held = 0
    for entry in entries:
        if group and (len(group) >= most or held + entry.encoded_bytes > BLOCK_BYTES):
            yield group
            group, held = [], 0
        group.append(entry)
        held += entry.encoded_bytes
    if group:
        yield group


def _in_order(work: Callable[[J], R], jobs: Iterable[J], *, threads: int) -> Iterator[R]:
    """Runs jobs in threads and gives their results in the jobs' order; only a few are ever under way."""
    if threads < 2:
        yield from map(work, jobs)
        return
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                if len(waiting) > threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
