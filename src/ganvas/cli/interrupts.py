"""Ctrl-C while a module is being imported waits until it is: half of numpy or torch ends in errors, not in a stop."""

import signal
from types import FrameType
from typing import Any

AGAIN_SEC = 0.05
IMPORTS = "<frozen importlib._bootstrap"


def wait_for_imports() -> None:
    """From here on Ctrl-C raises KeyboardInterrupt as ever, but not in the middle of an import; pressed again, at once.

    Does nothing where somebody else has taken the signal, outside of the main thread, and on systems without timers.
    """
    if not hasattr(signal, "setitimer") or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    try:
        signal.signal(signal.SIGALRM, _interrupt)
        signal.signal(signal.SIGINT, _interrupt)
    except ValueError:  # Not the main thread.
        return


def _interrupt(number: int, frame: FrameType | None) -> Any:
    pressed_again = number == signal.SIGINT and signal.getitimer(signal.ITIMER_REAL)[0] > 0
    if _importing(frame) and not pressed_again:
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SEC)
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.default_int_handler(number, frame)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORTS):
            return True
        frame = frame.f_back
    return False
