"""Packed sounds: a store whose rows are sounds of one rate and length, with their classes where there are some.

::

    manifest.json   as of every store, with the rate, class names, and what was done to the recordings
    waves.npy       int16, count x length: a sample is its number divided by 32768
    labels.npy      int64, count                       (only with classes)
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Int16

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.data.cached_packs import cached_pack, require_empty
from ganvas.data.conversion import Broken
from ganvas.data.packed_store import PackedStore, are_labels, are_texts
from ganvas.data.sound.opening_sounds import KIND, open_sounds
from ganvas.data.sound.sound_source import BLOCK_ROWS, SoundBlock, SoundSource, SoundSurvey
from ganvas.data.sound.treatment import Treatment, treatment_sentence
from ganvas.data.sources.locations import expanded
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint

WAVES, LABELS = "waves", "labels"


class PackedSounds(PackedStore):
    """A packed folder of sounds, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        (length,) = store.columns[WAVES].row_shape
        self.size = SoundSize(rate=self.manifest["rate"], length=length, normalise=self.manifest["normalise"])
        self.class_names: tuple[str, ...] = tuple(self.manifest["class_names"])
        self.labels: Int[np.ndarray, " n"] | None = store.read(LABELS, slice(None)) if LABELS in store.columns else None

    @property
    def treated(self) -> str:
        """What was done to the recordings, in a sentence; empty where nothing was."""
        return treatment_sentence(self.manifest["treatment"], self.size)

    def counts(self) -> list[int] | None:
        """Sounds by class; None without classes."""
        return None if self.labels is None else np.bincount(self.labels, minlength=len(self.class_names)).tolist()

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> Int16[np.ndarray, "k samples"]:
        """Sounds by index, in the order asked."""
        return self.store.read(WAVES, indices)

    @staticmethod
    def damage(store: Store) -> str | None:
        """The first of the columns, and of what is read from the manifest, that is not one of sounds."""
        waves, labels, said = store.columns.get(WAVES), store.columns.get(LABELS), store.manifest
        problems = {
            "waves": waves is None or waves.dtype != np.dtype("<i2") or len(waves.row_shape) != 1,
            "labels": not are_labels(labels),
            "columns": bool(set(store.columns) - {WAVES, LABELS}),
            "class_names": not are_texts(said.get("class_names")),
            "rate": type(said.get("rate")) is not int or said["rate"] < 1,
            "normalise": type(said.get("normalise")) is not bool,
            "treatment": not isinstance(said.get("treatment"), dict)
            or not set(Treatment().to_plain()) <= set(said["treatment"]),
        }
        return next((name for name, wrong in problems.items() if wrong), None)


class PackedSoundRows(SoundSource):
    """A packed folder as a source; it has one size."""

    kind = "packed"

    def __init__(self, path: Path, *, location: str) -> None:
        self.location, self.pack = location, PackedSounds.open(path)
        self.class_names = self.pack.class_names

    def blocks(self, size: SoundSize, done: Treatment, *, broken: Broken, quiet: bool) -> Iterator[SoundBlock]:
        """Its sounds as they are."""
        self.require(size)
        done.recordings += len(self.pack)
        for start in range(0, len(self.pack), BLOCK_ROWS):
            rows, labels = slice(start, min(start + BLOCK_ROWS, len(self.pack))), self.pack.labels
            yield SoundBlock(waves=self.pack.read(rows), labels=None if labels is None else labels[rows])

    def require(self, size: SoundSize) -> None:
        """That it has this size.

        Raises:
            UserError: it has another.
        """
        have = self.pack.size
        if (have.rate, have.length) != (size.rate, size.length):
            raise UserError(
                f"{self.location} was packed with {have.length:,} samples at {have.rate:,} Hz, and {size.length:,} at "
                f"{size.rate:,} are wanted. Leave rate and length out, or pack the source again."
            )

    def survey(self, *, quiet: bool) -> SoundSurvey:
        """Every sound of its one size."""
        count, size, counts = len(self.pack), self.pack.size, self.pack.counts()
        return SoundSurvey(
            kind=self.kind,
            count=count,
            rates={size.rate: count},
            channels={1: count},
            forms={"int16": count},
            seconds=(size.seconds,) * count,
            labels=None if counts is None else dict(zip(self.class_names, counts, strict=True)),
            about_labels=self.pack.treated,
            passed_over={},
        )

    def identity(self) -> str:
        return f"packed:{self.pack.fingerprint}"


def sound_source(spec: str) -> SoundSource:
    """The source of sounds that ``spec`` names, a packed folder being one."""
    return PackedSoundRows(expanded(spec), location=spec) if PackedSounds.lies_at(spec) else open_sounds(spec)


def prepare_sounds(
    spec: str, size: SoundSize, *, broken: Broken = "refuse", cache: Path | None = None, quiet: bool = False
) -> PackedSounds:
    """The sounds of a source, packed at a size: opened as they are when they are a pack, else packed once and kept.

    Args:
        spec: The source, as :func:`~ganvas.data.sound.opening_sounds.open_sounds` takes it.
        size: Rate and length.
        broken: What to do with a file that cannot be read.
        cache: Where packs are kept; None is the user's cache folder.
        quiet: No progress, and nothing is said of waiting for another process.

    Raises:
        UserError: nothing is there, it holds no sound, or one is broken.
    """
    source = sound_source(spec)
    if isinstance(source, PackedSoundRows):
        source.require(size)
        return PackedSounds.open_verified(source.pack.folder, cache=cache)
    return cached_pack(
        hash_of(KIND, VERSION, source.identity(), vars(size), broken)[:32],
        open_pack=lambda folder: PackedSounds.open_verified(folder, cache=cache),
        write=lambda folder: _write(source, folder, size, broken=broken, quiet=quiet),
        cache=cache,
        quiet=quiet,
    )


def pack_sounds(
    spec: str, out: Path, size: SoundSize, *, broken: Broken = "refuse", quiet: bool = False
) -> PackedSounds:
    """Packs a source of sounds into the folder ``out``, which must not be there yet."""
    require_empty(out)
    source = sound_source(spec)
    with atomic_folder(out) as partial:
        _write(source, partial, size, broken=broken, quiet=quiet)
    return PackedSounds.open(out)


def _write(source: SoundSource, folder: Path, size: SoundSize, *, broken: Broken, quiet: bool) -> None:
    writer, done, names = StoreWriter(folder, KIND), Treatment(), []
    class_names = source.class_names
    try:
        for block in source.blocks(size, done, broken=broken, quiet=quiet):
            labels = {} if block.labels is None else {LABELS: block.labels}
            writer.append({WAVES: block.waves} | labels)
            names += block.names
        if not writer.count:
            silent = f" All {len(done.silent)} that can be read are silent." if done.silent else ""
            raise UserError(f"{source.location} holds no sound that can be learnt from.{silent}")
        if given := source.labels(names):
            writer.add_column(LABELS, given.values)
            class_names = given.class_names
        columns = writer.finish_columns()
    finally:
        writer.close()
    more: dict[str, Any] = {
        "rate": size.rate,
        "normalise": size.normalise,
        "class_names": list(class_names),
        "treatment": done.to_plain(),
        "source": {"kind": source.kind, "name": Path(source.location).name},
    }
    writer.write_manifest(columns, fingerprint=content_fingerprint(KIND, writer.count, columns), more=more)
