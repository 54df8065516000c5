"""Samples that are files with names, in a folder or an archive: the part that is taken, and its classes.

They are pictures where nothing else is sought.
"""

import abc
from collections.abc import Mapping
from pathlib import Path

from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import LARGEST_BYTES
from ganvas.data.sources import labels as naming
from ganvas.data.sources.picture_source import Labels, PictureFiles


class NamedPictures(PictureFiles, abc.ABC):
    """A selected folder of a folder or an archive, with labels from folders or a ``dataset.json``."""

    def __init__(
        self, path: Path, *, location: str, selected: str = "", sought: naming.Sought = naming.PICTURES
    ) -> None:
        self.path, self.location, self.selected, self.sought = path, location, selected.strip("/"), sought
        self.dataset_jsons = naming.DatasetJsons(location, self.selected)
        self.others: list[str] = []  # Names of files that are not read.

    def labels(self, names: list[str]) -> Labels | None:
        if self.dataset_jsons.chosen(names) is not None:
            return self.dataset_jsons.labels(names)
        return naming.from_folders(self._below(names))

    def about_labels(self, names: list[str]) -> str:
        if self.dataset_jsons.chosen(names) is not None:
            return "" if self.labels(names) else f'{naming.DATASET_JSON} says "labels": null.'
        said = (naming.about_folders(self._below(names)), self.dataset_jsons.unused(names))
        return " ".join(filter(None, said))

    def passed_over(self) -> Mapping[str, int]:
        return naming.counted_endings(name for name in self.others if naming.is_within(name, self.selected))

    def wanted(self, name: str) -> bool:
        """Whether the file of that name is one of those that are sought."""
        return self.sought.takes(name) and naming.is_within(name, self.selected)

    def _below(self, names: list[str]) -> list[str]:
        cut = len(self.selected) + 1 if self.selected else 0
        return [name[cut:] for name in names]


def refuse_large(size: int) -> None:
    """Refuses an encoded picture by the size that is said of it, before a byte of it is read.

    Raises:
        BrokenPicture: it is larger than any picture.
    """
    if size > LARGEST_BYTES:
        raise BrokenPicture(f"is larger than {LARGEST_BYTES >> 20} MiB")
