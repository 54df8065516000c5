"""Names of pictures, and the classes that their folders or a ``dataset.json`` give them.

The class of a picture is the folder that it lies in, when every picture lies in one and there are at least two. Two
kinds of folders are no classes: splits (``train``, ``test``, ``val2017``, ...) and numbered shards of five or more
digits (``00000``, ``01000``), as large sets use. A ``dataset.json`` (StyleGAN and EDM layout) that lies above all
pictures decides alone.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.pictures import ENDINGS
from ganvas.data.sources.picture_source import Labels

DATASET_JSON = "dataset.json"
LARGEST_JSON_BYTES = 1 << 28  # That of a set of five million pictures.
MOST_CLASSES = 100_000  # A class number of at least this, and of at least the count of pictures, is a stray one.
SHARD_DIGITS = 5
_SPLIT = re.compile(r"(train|training|test|testing|val|valid|validation|eval|dev|unlabell?ed|extra)([_-]?\d{4})?")
_NAMED = 3  # Folders that a sentence names.


def tidy(name: str) -> str:
    """A member's name with forward slashes, without leading ``./`` or ``/``. Names are only ever names here."""
    name = name.replace("\\", "/")
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def is_hidden(name: str) -> bool:
    """Files that systems leave behind: ``.DS_Store``, ``._x.png``, ``__MACOSX/...``."""
    if not name.startswith(".") and "/." not in name and "__MACOSX" not in name:
        return False  # Nearly every name ends here.
    return any((part[:1] == "." and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What is sought in a folder or an archive, by the endings of names."""

    noun: str  # "pictures"
    endings: frozenset[str]
    said: str  # What they end in, for a message.

    def takes(self, name: str) -> bool:
        """Whether the name says that this file is one of those that are sought."""
        return os.path.splitext(name)[1].lower()[1:] in self.endings and not is_hidden(name)


PICTURES = Sought(noun="pictures", endings=ENDINGS, said=".png, .jpg, .webp, .bmp, .gif, .tif and the like")


def is_picture(name: str) -> bool:
    """Whether the name says that this is a picture that we read."""
    return PICTURES.takes(name)


def is_within(name: str, folder: str) -> bool:
    """Whether a picture lies in the selected folder (or anywhere below it); no selection takes all."""
    return not folder or name.startswith(folder + "/")


def from_folders(names: Sequence[str]) -> Labels | None:
    """Classes from the folder each picture lies in, or None when the folders are no classes."""
    parents = [PurePosixPath(name).parent.name for name in names]
    classes = sorted(set(parents))
    if len(classes) < 2 or "" in classes or _are_splits(classes) or _are_shards(classes):
        return None
    number = {name: index for index, name in enumerate(classes)}
    return Labels(values=np.array([number[parent] for parent in parents], np.int64), class_names=tuple(classes))


def about_folders(names: Sequence[str]) -> str:
    """A sentence: why :func:`from_folders` finds no classes, or which folders it does not use; else nothing.

    >>> about_folders(["train/1.png", "test/2.png"])
    'The folders test, train are parts of a split, not classes.'
    >>> about_folders(["a/1.png", "b/2.png"])
    ''
    """
    parents = [PurePosixPath(name).parent for name in names]
    classes = sorted({parent.name for parent in parents})
    above: dict[str, set[str]] = {}
    for parent in parents:
        above.setdefault(parent.name, set()).add(parent.parent.name)
    outer = sorted(set().union(*above.values()))
    if classes in ([], [""]):
        return "No picture lies in a sub-folder."
    if "" in classes:
        loose = [name for name in names if "/" not in name]
        some = f"{_few(loose)} {'lies' if len(loose) == 1 else 'lie'}"
        return f"{some} in no sub-folder, so that the folders ({_few(classes[1:])}) are taken for no classes."
    if len(classes) == 1:
        if len(outer) > 1:
            return (
                f"Every picture lies in a folder named {classes[0]}, and the folders above those ({_few(outer)}) are "
                "not used: a class is the folder that its pictures lie in."
            )
        return f"All pictures lie in one folder, {classes[0]}."
    if _are_splits(classes):
        return f"The folders {_few(classes)} are parts of a split, not classes."
    if _are_shards(classes):
        return f"The folders {_few(classes)} are numbered parts, not classes."
    if any(len(group) > 1 for group in above.values()) and not _are_splits(outer):
        return (
            f"Classes are the folders that pictures lie in ({_few(classes)}); those above ({_few(outer)}) are not used."
        )
    return ""


def _are_splits(folders: Sequence[str]) -> bool:
    return all(_SPLIT.fullmatch(name.lower()) for name in folders)


def _are_shards(folders: Sequence[str]) -> bool:
    return all(name.isdecimal() and len(name) >= SHARD_DIGITS for name in folders)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


@dataclass
class DatasetJsons:
    """The ``dataset.json`` files of a source; the one that lies above all its pictures gives their classes."""

    where: str
    selected: str  # The folder whose pictures are taken; empty for all.
    _texts: dict[str, bytes | None] = field(default_factory=dict)  # By folder; None where it cannot be the one.

    def take(self, name: str, size: int, read: Callable[[], bytes]) -> None:
        """Keeps the file of that name if it is a ``dataset.json`` that may speak of the pictures taken.

        Raises:
            UserError: it says that it is larger than any set's.
        """
        folder = name.rpartition("/")[0]
        if name.rpartition("/")[2] != DATASET_JSON or is_hidden(name):
            return
        above = is_within(f"{self.selected}/", folder)
        if not above and not is_within(folder + "/", self.selected):
            return
        if size > LARGEST_JSON_BYTES:
            raise UserError(
                f"{name} of {self.where} has {size:,} bytes; at most {LARGEST_JSON_BYTES:,} are read. Remove it, or "
                "write only names and classes into it."
            )
        inner_is_there = any(not is_within(f"{self.selected}/", kept) for kept in self._texts)
        self._texts[folder] = None if inner_is_there and not above else read()

    def labels(self, names: Sequence[str]) -> Labels | None:
        """Classes from the file that lies above all pictures; asked where :meth:`chosen` is not None."""
        folder = self.chosen(names)
        text = None if folder is None else self._texts[folder]
        if folder is None or text is None:
            return None
        cut = len(folder) + 1 if folder else 0
        return from_dataset_json(text, [name[cut:] for name in names], where=_joined(self.where, folder))

    def chosen(self, names: Sequence[str]) -> str | None:
        """The folder of the file that decides: the outermost that lies above all pictures."""
        read = [folder for folder, text in self._texts.items() if text is not None]
        above = [folder for folder in read if all(is_within(name, folder) for name in names)]
        return min(above, key=len, default=None)

    def unused(self, names: Sequence[str]) -> str:
        """A sentence on files that speak of some of the pictures only, where none speaks of all."""
        if self.chosen(names) is not None or not self._texts:
            return ""
        folders = sorted(self._texts)
        return (
            f"{DATASET_JSON} in {_few(folders)} is not used: it does not lie above all pictures. "
            f"Take its part alone, as {self.where}::{folders[0]}."
        )

    def written(self) -> list[tuple[str, str]]:
        """Folder and text of each, for the identity of a source."""
        return [(folder, (text or b"").decode("utf-8", "replace")) for folder, text in sorted(self._texts.items())]


def _joined(where: str, folder: str) -> str:
    return f"{where}::{folder}" if folder else where


def from_dataset_json(text: bytes, names: Sequence[str], *, where: str) -> Labels | None:
    """Classes from ``{"labels": [[name, class], ...]}``; ``null`` means that there are none."""
    listed = _listed(text, where)
    if listed is None:
        return None
    missing = next((name for name in names if name not in listed), None)
    if missing is not None:
        raise UserError(
            f"{DATASET_JSON} of {where} has no label for {missing}. "
            'Label every picture there, or set "labels" to null to use none.'
        )
    values = [listed[name] for name in names]
    if values:
        check_largest(max(values), len(values), f"{DATASET_JSON} of {where}")
    return Labels(values=np.array(values, np.int64), class_names=numbered_classes(np.array(values, np.int64)))


def _listed(text: bytes, where: str) -> Mapping[str, int] | None:
    try:
        labels = json.loads(text).get("labels")
        if labels is None:
            return None
        listed = {tidy(name): value for name, value in labels}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f'{DATASET_JSON} of {where} is not JSON of the form {{"labels": [[name, class], ...]}}. '
            "Repair it, or remove it to take classes from the folders."
        ) from None
    if not all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in listed.values()):
        raise UserError(
            f"{DATASET_JSON} of {where} has labels that are not class numbers 0, 1, 2, ... "
            'Write one whole number per picture, or set "labels" to null to use none.'
        )
    return listed


def check_largest(largest: int, count: int, where: str) -> None:
    """Refuses a class number that no set of that many pictures has: every number up to it would become a class.

    Raises:
        UserError: it is at least 100,000 and at least the count of pictures.
    """
    if largest >= max(MOST_CLASSES, count):
        raise UserError(
            f"{where} has the class number {largest} for {count:,} pictures: a stray number, it seems. "
            "Number the classes 0, 1, 2, ..."
        )


def numbered_classes(values: Int[np.ndarray, " n"]) -> tuple[str, ...]:
    """Names for classes that have numbers only: ``("0", "1", ...)`` up to the largest."""
    return tuple(str(index) for index in range(int(values.max()) + 1)) if len(values) else ()


def counted_endings(names: Iterable[str]) -> dict[str, int]:
    """How many names have each ending, the most frequent first; hidden files and ``dataset.json`` are not counted."""
    plain = (PurePosixPath(name) for name in names if not is_hidden(name))
    endings = Counter(path.suffix.lower() or "(none)" for path in plain if path.name != DATASET_JSON)
    return dict(endings.most_common())


def nothing_found(where: str, seen: Iterable[str], selected: str, sought: Sought = PICTURES) -> UserError:
    """The error for a source without what is sought in it: what was there instead."""
    noun = sought.noun
    seen = [name for name in seen if not is_hidden(name)]
    if selected:
        folders = sorted({parent.as_posix() for name in seen for parent in PurePosixPath(name).parents} - {"."})
        known = f" Folders: {', '.join(folders[:12])}{', ...' if len(folders) > 12 else ''}." if folders else ""
        return UserError(f"{where} has no {noun} in '{selected}'.{did_you_mean(selected, folders)}{known}")
    archives = [name for name in seen if name.lower().endswith((".zip", ".tar", ".gz", ".xz", ".bz2", ".tgz", ".npz"))]
    if archives:
        return UserError(f"{where} has no {noun} in it, but an archive: name that instead ({archives[0]}).")
    if not seen:
        return UserError(f"{where} is empty. Name a folder or archive with {noun} in it.")
    found = ", ".join(f"{count} {ending}" for ending, count in list(counted_endings(seen).items())[:3])
    return UserError(
        f"{where} has no {noun} in it, only other files (by ending: {found}). {noun.capitalize()} end in {sought.said}."
    )
