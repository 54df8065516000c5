"""Errors of Python's archive readers, said as errors of the user's file."""

import lzma
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from ganvas.core.errors import UserError

LARGEST_ROW_BYTES = 1 << 30  # Of one picture of an array: a header that says more is damage or malice.
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, tokenize.TokenError, OSError)


def refuse_huge_row(row_bytes: int, location: str) -> None:
    """Refuses an array by the size that its header says of one picture, before the memory for it is asked for.

    Raises:
        UserError: it is more than a GiB.
    """
    if row_bytes > LARGEST_ROW_BYTES:
        raise UserError(
            f"{location} is damaged: its header says that one picture has {row_bytes:,} bytes. Copy it again."
        )


@contextmanager
def explain_damage(location: str) -> Iterator[None]:
    """Turns what Python says of an archive that it cannot read into a :class:`UserError`."""
    try:
        yield
    except PermissionError:
        raise UserError(f"{location} cannot be read: there is no permission. Choose a file that can be read.") from None
    except DAMAGE as error:
        raise UserError(
            f"{location} is cut short or damaged ({error or type(error).__name__}). Copy or download it again."
        ) from None
    except RuntimeError as error:
        if (reason := unreadable_member(error)) is None:
            raise
        raise UserError(f"{location} {reason}. Unpack it, or pack it again without.") from None


def unreadable_member(error: RuntimeError) -> str | None:
    """What ``zipfile`` means where it says that a member is of a kind that it cannot unpack; None for other errors."""
    if isinstance(error, NotImplementedError):
        return "is compressed in a way that cannot be read here (deflate64, Zstandard or the like)"
    return "is encrypted" if "encrypted" in str(error) or "password" in str(error) else None
