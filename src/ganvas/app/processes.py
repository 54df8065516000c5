"""Processes of training: stopped by the signal that Ctrl-C sends, resumed by the command that a run was made by."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder

LAST_CHARACTERS = 600  # Of what a training said before it ended.


class Processes:
    """Trainings that this server has started; others are found by the run that they hold."""

    def __init__(self) -> None:
        self._started: dict[str, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}
        self._one_at_a_time = threading.Lock()

    def stop(self, run: RunFolder) -> str:
        """Asks the training of a run to save and end.

        Raises:
            UserError: no process of this machine trains it, or one of another user does.
        """
        trainer = run.trainer
        if trainer is None:
            raise UserError("No process of this machine trains this run now, so there is nothing to stop.")
        try:
            os.kill(trainer, signal.SIGTERM)
        except ProcessLookupError:
            return "It has just ended."
        except PermissionError:
            raise UserError(f"Process {trainer} of another user trains this run; only that user may stop it.") from None
        return "It finishes its step, saves, and stops."

    def resume(self, name: str, run: RunFolder) -> str:
        """Starts the training of a run again.

        Raises:
            UserError: it is being trained already, may be so on another machine, or does not say by what command.
        """
        with self._one_at_a_time:
            before = self._started.get(name)
            if run.trainer is not None or (before is not None and before[0].poll() is None):
                raise UserError("This run is being trained already.")
            _require_nobody_elsewhere(run)
            words = resuming(run)
            said = tempfile.TemporaryFile()  # noqa: SIM115  (kept as long as the process is known)
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )
            self._started[name] = (process, said)
        return "It goes on from its last saved state; loading takes a few seconds."

    def told(self, name: str) -> str:
        """What a training that this server started said before it failed; empty otherwise."""
        process, said = self._started.get(name, (None, None))
        if process is None or said is None or process.poll() in (None, 0, 130):
            return ""
        said.seek(0)
        return said.read().decode("utf-8", "replace")[-LAST_CHARACTERS:].strip()


def _require_nobody_elsewhere(run: RunFolder) -> None:
    """A disk that machines share may have no locks that hold between them: two trainings would write into one run."""
    machine = run.other_machine
    if machine is not None and run.describe().get("status") == "running":
        raise UserError(
            f"{machine} trained this run last, and whether it still does cannot be seen from this machine. "
            "If it does not, start the command that made the run yourself."
        )


def resuming(run: RunFolder) -> list[str]:
    """The words of the command that resumes a run.

    ``run.json`` may be anybody's: nothing but ``ganvas train`` of a model of the catalogue is started, into this run.

    Raises:
        UserError: the run says no such command, or it is of another folder.
    """
    said = run.describe().get("command")
    words = [word for word in said if isinstance(word, str)] if isinstance(said, list) else []
    if len(words) < 3 or words[:2] != ["ganvas", "train"]:
        raise UserError("This run does not say which `ganvas train` command made it. Start that command yourself.")
    return [sys.executable, "-m", "ganvas", *_into(run.path, words[1:])]


def _into(folder: Path, words: Sequence[str]) -> list[str]:
    """The same words with the run's folder as it is named here."""
    kept, skip = [], False
    for word in words:
        is_out = word in ("--out", "-o")
        if not skip and not is_out and not word.startswith(("--out=", "-o=")):
            kept.append(word)
        skip = is_out
    return [*kept, "--out", str(folder)]
