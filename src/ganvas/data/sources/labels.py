"""Which names are pictures, and what their folders or a ``dataset.json`` say about classes.

The class of a picture is the folder that it lies in, when every picture lies in one and there are at least two. Two
kinds of folders are no classes: splits (``train``, ``test``, ``val``, ...) and numbered shards of five or more digits
(``00000``, ``01000``), as large sets use. A ``dataset.json`` (StyleGAN and EDM layout) decides alone.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.pictures import EXTENSIONS
from ganvas.data.sources.picture_source import Labels

DATASET_JSON = "dataset.json"
SPLITS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation", "eval", "dev"))
SHARD_DIGITS = 5


def tidy(name: str) -> str:
    """A member's name with forward slashes, without leading ``./`` or ``/``. Names are only ever names here."""
    name = name.replace("\\", "/")
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def is_hidden(name: str) -> bool:
    """Files that systems leave behind: ``.DS_Store``, ``._x.png``, ``__MACOSX/...``."""
    if not name.startswith(".") and "/." not in name and "__MACOSX" not in name:
        return False  # Nearly every name ends here.
    return any((part[:1] == "." and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))


def is_picture(name: str) -> bool:
    """Whether the name says that this is a picture that we read."""
    return os.path.splitext(name)[1].lower() in EXTENSIONS and not is_hidden(name)


def is_within(name: str, folder: str) -> bool:
    """Whether a picture lies in the selected folder (or anywhere below it); no selection takes all."""
    return not folder or name.startswith(folder + "/")


def from_folders(names: Sequence[str]) -> Labels | None:
    """Classes from the folder each picture lies in, or None when the folders are no classes."""
    parents = [PurePosixPath(name).parent.name for name in names]
    classes = sorted(set(parents))
    if len(classes) < 2 or "" in classes:
        return None
    if all(name.lower() in SPLITS for name in classes):
        return None
    if all(name.isdecimal() and len(name) >= SHARD_DIGITS for name in classes):
        return None
    number = {name: index for index, name in enumerate(classes)}
    return Labels(values=np.array([number[parent] for parent in parents], np.int64), class_names=tuple(classes))


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
    values = np.array([listed[name] for name in names], np.int64)
    return Labels(values=values, class_names=numbered_classes(values))


def _listed(text: bytes, where: str) -> Mapping[str, int] | None:
    try:
        labels = json.loads(text).get("labels")
        if labels is None:
            return None
        listed = {tidy(name): value for name, value in labels}
    except (ValueError, TypeError, AttributeError):
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


def numbered_classes(values: np.ndarray) -> tuple[str, ...]:
    """Names for classes that have numbers only: ``("0", "1", ...)`` up to the largest."""
    return tuple(str(index) for index in range(int(values.max()) + 1)) if len(values) else ()


def nothing_found(where: str, seen: Iterable[str], selected: str) -> UserError:
    """The error for a source without pictures: what was there instead."""
    seen = [name for name in seen if not is_hidden(name)]
    if selected:
        folders = sorted({parent.as_posix() for name in seen for parent in PurePosixPath(name).parents} - {"."})
        known = f" Folders: {', '.join(folders[:12])}{', ...' if len(folders) > 12 else ''}." if folders else ""
        return UserError(f"{where} has no pictures in '{selected}'.{did_you_mean(selected, folders)}{known}")
    archives = [name for name in seen if name.lower().endswith((".zip", ".tar", ".gz", ".xz", ".bz2", ".tgz", ".npz"))]
    if archives:
        return UserError(f"{where} has no pictures in it, but an archive: name that instead ({archives[0]}).")
    if not seen:
        return UserError(f"{where} is empty. Name a folder or archive with pictures in it.")
    endings = Counter(PurePosixPath(name).suffix.lower() or "(none)" for name in seen)
    found = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(3))
    return UserError(
        f"{where} has no pictures in it, only other files (by ending: {found}). "
        "Pictures end in .png, .jpg, .webp, .bmp, .gif, .tif and the like."
    )
