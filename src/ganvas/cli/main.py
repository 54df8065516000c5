"""The command line: parse, call one task, render. No mathematics, and no torch until a task needs it."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from ganvas.cli import output
from ganvas.cli.failures import DONE, INTERRUPTED, MISTAKE, explained
from ganvas.cli.interrupts import wait_for_imports
from ganvas.cli.messages import unfailing_messages
from ganvas.cli.parsing import parse
from ganvas.cli.rendering.show import show
from ganvas.cli.warnings_shown import asides
from ganvas.core.errors import UserError
from ganvas.core.progress import say
from ganvas.tasks import verbs
from ganvas.tasks.train import TrainResult


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits.

    0 done, 1 training failed or what was asked does not hold, 2 a mistake in what was given, 130 stopped by Ctrl-C.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # Before torch: idle threads must not spin.
    wait_for_imports()
    with unfailing_messages():
        try:
            task = _task_of(list(sys.argv[1:] if arguments is None else arguments))
        except (UserError, KeyboardInterrupt) as error:
            sys.exit(_told(error))
        sys.exit(run(task))


def _task_of(words: Sequence[str]) -> Any:
    """What was asked for. Whoever asked for help and went away has read enough."""
    try:
        try:
            return parse(words)
        finally:  # Help ends the program here, and Python would complain if its end could not be written.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        output.discard(sys.stdout)
        sys.exit(DONE)


def run(task: Any) -> int:
    """Calls the task, shows its result, and says its exit code."""
    out = sys.stdout
    if out is None:  # So Python says that it was closed before the start. Said before any work, which would be lost.
        say("Error: Standard output is closed, and results go there. Leave it open, or send it away: > /dev/null.")
        return MISTAKE
    with asides(at_once=verbs.verb_of(task).hours):
        return _run(task, out)


def _run(task: Any, out: Any) -> int:
    try:
        result = verbs.verb_of(task).run(task)
        if _speaks():
            show(result)
            output.write(result, out)
    except (Exception, KeyboardInterrupt) as error:
        return _told(error)
    if isinstance(result, TrainResult) and result.stopped:
        return INTERRUPTED
    return getattr(result, "exit_code", DONE)


def _speaks() -> bool:
    """Whether this process shows the result: of those that torchrun started, the first one does for all."""
    return os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0"


def _told(error: BaseException) -> int:
    """Says why there is no result; what nobody foresaw is raised on."""
    told = explained(error)
    if told is None:
        raise error
    say(told[0])
    return told[1]
