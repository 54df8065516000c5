"""Opening of the source of sounds that a person names after ``--data``.

::

    notes, notes:5000, notes:5000,4096@8000, notes:5000,seed=3    made on the spot (samples @ rate)
    sounds/                                                       a folder of sound files, and all folders below it
    sounds.zip, sounds.tar.xz                                     also .tar, .tar.gz, .tar.bz2
    packed/                                                       what `ganvas data pack` made of sounds

``SRC::part`` takes a subfolder.
"""

import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.sound.other_formats import ANY_SOUNDS, sounds_sought
from ganvas.data.sound.sound_source import MadeNotes, SoundFiles, SoundSource
from ganvas.data.sources.damage import DAMAGE
from ganvas.data.sources.folder import Folder
from ganvas.data.sources.labels import is_picture
from ganvas.data.sources.locations import built_in, expanded, split_part
from ganvas.data.sources.tar_archive import Tar
from ganvas.data.sources.zip_archive import Zip
from ganvas.data.store import kind_of

KIND = "sound"
LOOKED_AT = 2000  # Names of a folder or an archive, by which it is told what it holds.


def is_sounds(spec: str) -> bool:
    """Whether a source holds sounds, told from names alone: the first sound or picture among them decides."""
    if built_in(spec) == "notes":
        return True
    path, _ = split_part(spec)
    found = expanded(path)
    if found.is_dir() and (kind := kind_of(found)):
        return kind == KIND
    try:
        names = islice(_names(found), LOOKED_AT)
        return next((ANY_SOUNDS.takes(name) for name in names if ANY_SOUNDS.takes(name) or is_picture(name)), False)
    except DAMAGE:  # Said by whoever opens it.
        return False


def open_sounds(spec: str) -> SoundSource:
    """The source of sounds that ``spec`` names (this module's docstring lists the forms).

    Raises:
        UserError: nothing is there, or it holds no sounds.
    """
    if name := built_in(spec):
        if name != "notes":
            raise UserError(f"{spec} holds no sounds, and sounds are wanted. Name wave files, or the built-in notes.")
        return MadeNotes.parse(spec)
    path, selected = split_part(spec)
    found = expanded(path)
    if not found.exists():
        beside = [entry.name for entry in found.parent.iterdir()] if found.parent.is_dir() else []
        near = did_you_mean(found.name, [*beside, "notes"])
        raise UserError(f"There is no file or folder {found}.{near or ' Check the path, or use the built-in notes.'}")
    if not os.access(found, os.R_OK):
        raise UserError(f"{found} cannot be read: there is no permission. Choose another, or change its permissions.")
    return SoundFiles(_files(found, spec, selected))


def _files(found: Path, spec: str, selected: str) -> Folder | Zip | Tar:
    how = {"location": spec, "selected": selected, "sought": sounds_sought()}
    if found.is_dir():
        return Folder(found, **how)
    if ANY_SOUNDS.takes(found.name):
        raise UserError(f"{spec} is one sound. Name the folder that it lies in.")
    if found.is_file() and zipfile.is_zipfile(found):
        return Zip(found, **how)
    if found.is_file() and tarfile.is_tarfile(found):
        return Tar(found, **how)
    raise UserError(
        f"{spec} holds no sounds. Sounds are .wav files and the like in a folder, a .zip or a .tar, or made: notes."
    )


def _names(found: Path) -> Iterator[str]:
    """Names of files, in no order."""
    if found.is_dir():
        for _, _, files in os.walk(found):
            yield from files
    elif found.is_file() and zipfile.is_zipfile(found):
        with zipfile.ZipFile(found) as archive:
            yield from archive.namelist()
    elif found.is_file() and tarfile.is_tarfile(found):
        yield from _tar_names(found)


def _tar_names(found: Path) -> Iterable[str]:
    with tarfile.open(found) as archive:
        for member in archive:
            yield member.name
