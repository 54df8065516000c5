"""Failures of a command as one sentence and an exit code."""

import re

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.process.listener import Stopped

DONE, FAILED, MISTAKE, INTERRUPTED = 0, 1, 2, 130


def explained(error: BaseException) -> tuple[str, int] | None:
    """What the person reads of it, and the exit code; None where only we can mend it, and the traceback is needed."""
    match error:
        case UserError():
            return f"Error: {error}", MISTAKE
        case TrainingFailed():
            return f"Error: {error}", FAILED
        case KeyboardInterrupt() | Stopped():
            return "Stopped.", INTERRUPTED
        case OSError(filename=name) if name is not None:  # Of a path that no task foresaw: it is to be changed.
            reason = f"Error: {name}: {error.strerror}. Choose a path that is there and can be read and written."
            return reason, MISTAKE
        case FileNotFoundError() if "temporary directory" in str(error):
            return "Error: No folder for temporary files can be written. Set TMPDIR to one that can.", MISTAKE
        case RuntimeError() if "home directory" in str(error):
            return "Error: A path begins with ~, and there is no such home folder. Write the path in full.", MISTAKE
        case MemoryError() | RuntimeError() if _of_memory(error):
            return _memory(error), FAILED
        case _:
            return None


def _of_memory(error: BaseException) -> bool:
    """torch and numpy have their own errors for it, and torch on a processor only a sentence."""
    return isinstance(error, MemoryError) or bool(re.search(r"out of memory|can't allocate memory", str(error)))


def _memory(error: BaseException) -> str:
    asked = re.search(r"allocate ([\d.]+) ([KMGTP]iB)|allocate (\d+) bytes", str(error))
    size = f" ({_size(asked)} more were asked for)" if asked else ""
    return (
        f"Error: There is not enough memory{size}. Smaller batches (--batch, --set batch_size=...), fewer pictures "
        "(-n) or smaller ones need less."
    )


def _size(asked: "re.Match[str]") -> str:
    return f"{asked[1]} {asked[2]}" if asked[1] else f"{int(asked[3]) / 1e9:,.2f} GB"
