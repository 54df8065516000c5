"""Results on stdout: in a format that was asked for, or as JSON."""

import dataclasses
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from ganvas.cli.rendering.show import has_form
from ganvas.core.errors import UserError


def write(result: Any, out: Any) -> None:
    """The result on stdout: in a format that was asked for, or as JSON unless the person has just read it.

    Whoever read the output and went away has read enough.

    Raises:
        UserError: its disk is full.
    """
    printed = getattr(result, "printed", None)
    if printed is None and not _is_on_screen(result, out):
        printed = json.dumps(plain(result), indent=2) + "\n"
    try:
        out.write(printed or "")
        out.flush()
    except BrokenPipeError:
        discard(out)
    except OSError as error:
        discard(out)
        reason = error.strerror or str(error)
        raise UserError(f"Standard output cannot be written: {reason}. Send it elsewhere: > FILE.") from error


def discard(stream: Any) -> None:
    """Sends what is still held for a stream nowhere: Python would try once more at its end, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def plain(value: Any) -> Any:
    """A result as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):  # JSON has no name for it.
        return None
    return value


def _is_on_screen(result: Any, out: Any) -> bool:
    """Whether the person has just read it: JSON behind it on the same terminal would only push it off the screen."""
    return out.isatty() and sys.stderr is not None and sys.stderr.isatty() and has_form(result)


def _key(key: Any) -> str:
    return "x".join(map(str, key)) if isinstance(key, tuple) else str(key)
