"""Commands whose messages nobody can take any more."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganvas.cli.messages import Unfailing

from .conftest import draw

TALKS = """
import json, os, sys, time
from dataclasses import dataclass
from ganvas.cli import main
from ganvas.core.progress import say
from ganvas.tasks import verbs
from ganvas.tasks.catalogues.models import Models

def works(task):
    for turn in range(200):
        say("x" * 200)
        print("a person's own code prints")
    open(sys.argv[1], "w").write("done")
    return task

verbs.verb_of = lambda task: verbs.Verb(name="models", task=Models, run=works)
main.main(["models", "kept"])
"""


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    def write(self, text: str) -> int:
        self.tried += 1
        raise BrokenPipeError


def test_what_nobody_reads_is_dropped_and_claimed_to_be_written():
    stream = Broken()
    messages = Unfailing(stream)
    assert print("hello", file=messages) is None
    messages.flush()
    assert messages.write("four") == 4
    assert stream.tried > 0
    assert not messages.isatty()


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2>{fifo}"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_work_goes_on_to_its_result_where_messages_cannot_be_written(tmp_path, redirection):
    (tmp_path / "talks.py").write_text(TALKS)
    command = f'"{sys.executable}" "{tmp_path}/talks.py" "{tmp_path}/done"'
    if "fifo" in redirection:  # A reader that takes one line and goes.
        command = f"{{ {command} 2>&3 3>&- | cat >{tmp_path}/out; exit ${{PIPESTATUS[0]}}; }} 3>&1 1>&4 | head -n 1"
        command = f"exec 4>&1; {command} >/dev/null; exit ${{PIPESTATUS[0]}}"
    else:
        command = f"{command} {redirection} >{tmp_path}/out"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (tmp_path / "done").read_text() == "done"
    assert json.loads((tmp_path / "out").read_text()) == {"name": "kept"}
    assert done.returncode == 0, done.stderr


def test_a_pipe_that_breaks_in_the_middle_of_work_is_no_success(tmp_path):
    script = TALKS.replace('    open(sys.argv[1], "w").write("done")', "    raise BrokenPipeError")
    (tmp_path / "talks.py").write_text(script)
    done = subprocess.run([sys.executable, tmp_path / "talks.py", "-"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "BrokenPipeError" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(
    "number",
    [  # A closed terminal takes the reader along; the others are heard by the same lines.
        pytest.param("SIGHUP", marks=pytest.mark.slow),
        *(pytest.param(number, marks=pytest.mark.machines) for number in ("SIGINT", "SIGTERM")),
    ],
)
def test_a_training_whose_reader_is_gone_saves_and_says_130_when_it_is_stopped(tmp_path, number):
    pictures, run = draw(tmp_path / "in"), tmp_path / "run"
    arguments = (
        f"train gan/progan --data {pictures} --out {run} --kimg 50 --threads 1 --set resolution=16 --set latent_size=8 "
        "--set fmap_base=64 --set fmap_max=8 --set batch_size=8 --set measure_kimg=-1 --set report_kimg=0.008"
    )
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "ganvas", *arguments.split()],
        stdout=subprocess.DEVNULL,
        stderr=writer,
        env=os.environ | {"GANVAS_CACHE": str(tmp_path / "cache")},
        preexec_fn=lambda: (
            signal.signal(getattr(signal, number), signal.SIG_DFL)
            if number != "SIGINT"
            else signal.signal(signal.SIGINT, signal.default_int_handler)
        ),
    )
    os.close(writer)
    os.close(reader)  # Nobody reads from the start.
    log = run / "log.jsonl"
    while process.poll() is None and not log.exists():
        time.sleep(0.05)
    process.send_signal(getattr(signal, number))
    assert process.wait(timeout=60) == 130
    states = sorted(folder.name for folder in (run / "state").iterdir())
    assert states[-1] != "000000.000"
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"
