"""Disks that refuse, told as a person reads it: the path, why it cannot be written, what would do."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.core.files.partials import PARTIAL

REASONS = {
    errno.ENOSPC: "the disk is full. Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "the disk quota is used up. Free some space, or choose a folder on another disk.",
    errno.EFBIG: "the file would be larger than this disk, or `ulimit -f`, allows. Choose a folder on another disk.",
    errno.EROFS: "the disk is read-only. Choose a folder that can be written.",
    errno.EACCES: "there is no permission to write there. Choose a folder that can be written.",
    errno.EPERM: "there is no permission to write there. Choose a folder that can be written.",
    errno.ENOTDIR: "a part of the path is a file, not a folder. Choose another path.",
    errno.EISDIR: "a folder is there. Choose another path, or remove the folder.",
    errno.EEXIST: "a file is there. Choose another path, or remove the file.",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one.",
    errno.EIO: "the disk reports an error. Choose a folder on another disk, and look after this one.",
}


@contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turns a full or read-only disk, or a path that cannot be written, into a :class:`UserError`.

    An error about a file elsewhere (a picture that could not be read while ``path`` was written) goes through as it is.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        number = _errno(error)
        if number not in REASONS or not _concerns(error, path):
            raise
        raise UserError(f"{path} cannot be written: {REASONS[number]}") from error


def _errno(error: Exception) -> int | None:
    """The system's number of an error; safetensors only writes it into its message: ``(os error 28)``."""
    if isinstance(error, OSError):
        return error.errno
    written = re.search(r"\(os error (\d+)\)", str(error))
    return int(written[1]) if written else None


def _concerns(error: Exception, path: Path) -> bool:
    """Whether the file that the error names, if any, is ``path``, lies in it or its ``.partial-``, or leads to it."""
    named = getattr(error, "filename", None)
    if not isinstance(named, (str, os.PathLike)):
        return True
    culprit, target = Path(os.path.realpath(named)), Path(os.path.realpath(path))
    if target.is_relative_to(culprit):
        return True
    if not culprit.is_relative_to(target.parent):
        return False
    top = culprit.relative_to(target.parent).parts[0]
    return top == target.name or top.startswith(PARTIAL)
