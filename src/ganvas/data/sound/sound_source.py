"""Sources of sounds: files in a folder or an archive, and notes that are made on the spot."""

import abc
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int16, Int64

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.sample_sizes.sound_size import SoundSize, doubled_length
from ganvas.data.cache import hash_file
from ganvas.data.conversion import Broken
from ganvas.data.encoded.broken_file import BrokenFile
from ganvas.data.sound import notes
from ganvas.data.sound.other_formats import read_sound
from ganvas.data.sound.riff import Recording
from ganvas.data.sound.treatment import Treatment
from ganvas.data.sources.named_pictures import NamedPictures
from ganvas.data.sources.picture_source import Labels, hash_of
from ganvas.data.sources.spelled_words import told_once

READING = 1  # Counted up when files become other samples than before, so that older packs are not taken for these.
COUNT = 12_000
BLOCK_ROWS = 256
MADE = SoundSize(rate=16000, length=16384)  # What is made on the spot where no size is asked for.
LONGEST = 1 << 20  # Samples of a sound where a person names no length.
HELD_WHOLE = 0.95  # Of the recordings, that a length is to hold to their ends where a person names none.
_STEM = re.compile(r"([^_\-. ]+)[_\- ]")  # What stands before the first _, - or space of a name.


@dataclass(frozen=True, kw_only=True)
class SoundBlock:
    """Some consecutive sounds of one size."""

    waves: Int16[np.ndarray, "n samples"]
    names: tuple[str, ...] = ()  # Of the recording that each is from; empty where none has a name.
    labels: Int64[np.ndarray, " n"] | None = None  # Where they are known before all are read.


@dataclass(frozen=True, kw_only=True)
class SoundSurvey:
    """What a source of sounds holds. Broken files are in no other count."""

    kind: str  # "folder", "tar", "zip", "notes", "packed"
    count: int  # Recordings that can be read.
    rates: Mapping[int, int]  # Samples per second: how many; the most frequent first. Empty: any rate.
    channels: Mapping[int, int]
    forms: Mapping[str, int]  # "int16", "float32", ...
    seconds: tuple[float, ...]  # Of each recording, the shortest first.
    labels: Mapping[str, int] | None
    about_labels: str = ""
    silent: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    passed_over: Mapping[str, int]


def usual_size(found: SoundSurvey) -> SoundSize:
    """The rate of most recordings, and the least power of two of samples that holds nearly all of them whole.

    >>> found = SoundSurvey(kind="folder", count=2, rates={8000: 2}, channels={1: 2}, forms={"int16": 2},
    ...     seconds=(0.3, 0.5), labels=None, passed_over={})
    >>> usual_size(found).length
    4096
    """
    rate = next(iter(found.rates), MADE.rate)
    samples = rate * float(np.quantile(found.seconds, HELD_WHOLE)) if found.seconds else MADE.length
    if found.kind == "packed":
        return SoundSize(rate=rate, length=round(samples))
    return SoundSize(rate=rate, length=doubled_length(samples, LONGEST))


class SoundSource(abc.ABC):
    """Sounds in a fixed order."""

    kind: str
    location: str  # As the user wrote it.
    class_names: tuple[str, ...] = ()  # Known before all are read.

    @abc.abstractmethod
    def blocks(self, size: SoundSize, done: Treatment, *, broken: Broken, quiet: bool) -> Iterator[SoundBlock]:
        """Every sound once, brought to a size; what was done to them is noted."""

    @abc.abstractmethod
    def survey(self, *, quiet: bool) -> SoundSurvey:
        """What there is, read from its beginning to its end."""

    @abc.abstractmethod
    def identity(self) -> str:
        """Changes when the sounds may have changed."""

    def labels(self, names: list[str]) -> Labels | None:
        """Classes of the named recordings, of a source of files."""
        del names
        return None


class MadeNotes(SoundSource):
    """The built-in notes, made at the size that is wanted, or at their own where one is given."""

    kind = "notes"
    class_names = notes.PITCH_NAMES

    def __init__(self, count: int = COUNT, *, own: tuple[int, int] | None = None, seed: int = 0) -> None:
        self.count, self.own, self.seed = count, own, seed
        size = f",{own[0]}@{own[1]}" if own else ""
        self.location = f"notes:{count}{size}" + (f",seed={seed}" if seed else "")

    @classmethod
    def parse(cls, spec: str) -> "MadeNotes":
        """``notes[:COUNT][,LENGTH@RATE][,seed=N]``, such as ``notes:5000,4096@8000,seed=1``.

        Raises:
            UserError: a word is not understood, or two say the same thing.
        """
        count, own, seed = COUNT, None, 0
        words = filter(None, spec.removeprefix("notes").removeprefix(":").split(","))
        for word in told_once(spec, words):
            if re.fullmatch(r"0*[1-9]\d{0,8}", word):
                count = int(word)
            elif match := re.fullmatch(r"([1-9]\d{0,8})@([1-9]\d{0,6})", word):
                own = (int(match[1]), int(match[2]))
            elif match := re.fullmatch(r"seed=(\d{1,18})", word):
                seed = int(match[1])
            else:
                raise UserError(
                    f"{spec}: '{word}' is not understood. Notes are written notes:COUNT,LENGTH@RATE,seed=N, as in "
                    "notes:12000,16384@16000,seed=1; each may be left out."
                )
        return cls(count, own=own, seed=seed)

    def blocks(self, size: SoundSize, done: Treatment, *, broken: Broken, quiet: bool) -> Iterator[SoundBlock]:
        length, rate = self.own or (size.length, size.rate)
        if (length, rate) != (size.length, size.rate):
            raise UserError(
                f"{self.location} are {length} samples at {rate} Hz, and {size.length} at {size.rate} are wanted. "
                "Leave their size out."
            )
        made = notes.Notes(length=length, rate=rate, count=self.count, seed=self.seed)
        for start in range(0, self.count, BLOCK_ROWS):
            waves, pitches = made.select(np.arange(start, min(start + BLOCK_ROWS, self.count)))
            yield SoundBlock(waves=waves, labels=pitches)
        done.recordings += self.count

    def survey(self, *, quiet: bool) -> SoundSurvey:
        """Without making them, but for their pitches."""
        length, rate = self.own or (notes.SHORTEST, 16000)
        made = notes.Notes(length=notes.SHORTEST, rate=rate, count=self.count, seed=self.seed)
        pitches = np.bincount(made.select(np.arange(self.count))[1], minlength=len(self.class_names))
        return SoundSurvey(
            kind=self.kind,
            count=self.count,
            rates={rate: self.count} if self.own else {},
            channels={1: self.count},
            forms={"int16": self.count},
            seconds=(length / rate,) * self.count if self.own else (),
            labels={name: int(n) for name, n in zip(self.class_names, pitches, strict=True)},
            passed_over={},
        )

    def identity(self) -> str:
        return "notes:" + hash_of(self.count, self.own, self.seed, hash_file(Path(notes.__file__)))


class SoundFiles(SoundSource):
    """Wave files, and others where what reads them is installed."""

    def __init__(self, files: NamedPictures) -> None:
        self.files, self.kind, self.location = files, files.kind, files.location

    def recordings(self, *, broken: Broken, quiet: bool) -> Iterator[tuple[str, Recording | BrokenFile]]:
        """Every recording with its name, in the source's order; a broken one as the reason why.

        Raises:
            UserError: one is broken, and such are refused.
        """
        with progress(f"Reading {self.location}", self.files.total, unit=self.files.unit, quiet=quiet) as report:
            for entry in self.files.entries():
                try:
                    yield entry.name, read_sound(entry.name, entry.read())
                except BrokenFile as reason:
                    if broken == "refuse":
                        raise broken_sound(entry.name, str(reason)) from None
                    yield entry.name, reason
                report(entry.at)

    def blocks(self, size: SoundSize, done: Treatment, *, broken: Broken, quiet: bool) -> Iterator[SoundBlock]:
        for name, recording in self.recordings(broken=broken, quiet=quiet):
            if isinstance(recording, BrokenFile):
                done.broken.append([name, str(recording)])
            elif len(waves := done.fitted(name, recording, size)):
                yield SoundBlock(waves=waves, names=(name,) * len(waves))

    def survey(self, *, quiet: bool) -> SoundSurvey:
        rates, channels, forms = Counter[int](), Counter[int](), Counter[str]()
        names, seconds, silent, broken = [], [], [], []
        for name, found in self.recordings(broken="skip", quiet=quiet):
            if isinstance(found, BrokenFile):
                broken.append((name, str(found)))
                continue
            names.append(name)
            seconds.append(found.seconds)
            rates[found.rate] += 1
            channels[found.samples.shape[1]] += 1
            forms[found.form.name.lower()] += 1
            if np.ptp(found.samples) == 0:
                silent.append(name)
        given = self.labels(names)
        return SoundSurvey(
            kind=self.kind,
            count=len(names),
            rates=dict(rates.most_common()),
            channels=dict(channels.most_common()),
            forms=dict(forms.most_common()),
            seconds=tuple(sorted(seconds)),
            labels=None if given is None else _counted(given),
            about_labels=self.about_labels(names),
            silent=tuple(silent),
            broken=tuple(broken),
            passed_over=self.files.passed_over(),
        )

    def labels(self, names: list[str]) -> Labels | None:
        """From folders, or a ``dataset.json``; else from what stands first in the names."""
        return self.files.labels(names) or from_stems(names)

    def about_labels(self, names: list[str]) -> str:
        """Why there are no classes, or where they are from where it is not the folders."""
        if self.files.labels(names) is None and (found := from_stems(names)):
            few = ", ".join(found.class_names[:3]) + (", ..." if len(found.class_names) > 3 else "")
            return f"Classes are what stands first in the names of the files: {few}."
        return self.files.about_labels(names).replace("picture", "sound")

    def identity(self) -> str:
        return f"sound:{hash_of(READING, self.files.identity())}"


def from_stems(names: list[str]) -> Labels | None:
    """Classes from names such as ``kick_01.wav``: what stands before the first ``_``, ``-`` or space.

    >>> from_stems(["kick_1.wav", "kick_2.wav", "snare_1.wav", "snare_2.wav"]).class_names
    ('kick', 'snare')
    >>> from_stems(["take_1.wav", "take_2.wav"])  # One class is none.
    """
    found = [_STEM.match(name.rpartition("/")[2]) for name in names]
    stems = [match[1] for match in found if match]
    counts = Counter(stems)
    if len(stems) < len(names) or len(counts) < 2 or min(counts.values()) < 2:
        return None
    classes = sorted(counts)
    number = {name: index for index, name in enumerate(classes)}
    return Labels(values=np.array([number[stem] for stem in stems], np.int64), class_names=tuple(classes))


def broken_sound(name: str, reason: str) -> UserError:
    """What is said of a file that cannot be read where such files may not be skipped."""
    return UserError(
        f"{name} {reason}. Remove it, or leave such files out with --broken skip "
        "(`ganvas data describe SRC` lists them)."
    )


def _counted(given: Labels) -> dict[str, int]:
    counts = np.bincount(given.values, minlength=len(given.class_names))
    return {name: int(n) for name, n in zip(given.class_names, counts, strict=True)}
