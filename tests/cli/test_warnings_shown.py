"""Warnings of other libraries while a command runs, and what of them stands on a terminal."""

import io
import json
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ganvas.cli import main as command_line
from ganvas.core.errors import UserError
from ganvas.tasks import verbs
from ganvas.tasks.catalogues.models import Models
from ganvas.tasks.networks.table import Table, TableResult
from ganvas.tasks.train import Train
from ganvas.tasks.verbs import Verb

RESULT = TableResult(model="net", parameters=3, used=3, macs=0, rows=[], written=None, text="the table", printed=None)


@dataclass
class WithoutForm:
    value: int = 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(monkeypatch):
    """Runs a task that does this, with these as stdout and stderr, and returns what they were given."""

    def running(does, *, task=None, out=None, err=None):
        out, err, task = out or io.StringIO(), err or io.StringIO(), task or Models()
        verb = Verb(name="any", task=type(task), run=lambda _: does(), hours=isinstance(task, Train))
        monkeypatch.setattr(verbs, "verb_of", lambda _: verb)
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            code = command_line.run(task)
        return code, out.getvalue(), err.getvalue()

    return running


def test_on_a_terminal_the_words_stand_alone_and_elsewhere_the_json_goes_to_stdout(run):
    table = Table(model="net")
    _, out, err = run(lambda: RESULT, task=table, out=Terminal(), err=Terminal())
    assert (out, err) == ("", "the table\n")
    for streams in ({}, {"out": Terminal()}, {"err": Terminal()}):  # A pipe on either side.
        _, out, err = run(lambda: RESULT, task=table, **streams)
        assert json.loads(out)["model"] == "net"
        assert err == "the table\n"


def test_a_result_without_words_is_json_on_a_terminal_too(run):
    _, out, err = run(WithoutForm, out=Terminal(), err=Terminal())
    assert (json.loads(out), err) == ({"value": 3}, "")


def test_what_was_asked_for_in_a_format_goes_to_a_terminal_as_well(run):
    _, out, _ = run(lambda: replace(RESULT, text=None, printed="a & b"), out=Terminal(), err=Terminal())
    assert out == "a & b"


def test_warnings_come_after_what_the_command_says_once_each_and_in_one_line(run):
    def warns():
        for _ in range(3):
            warnings.warn("an old way\n  to write it.", FutureWarning, stacklevel=1)
        raise UserError("This cannot be.")

    code, out, err = run(warns)
    first, second = err.splitlines()
    assert (code, out, first) == (2, "", "Error: This cannot be.")
    assert second.startswith("Warning: an old way to write it (FutureWarning of test_warnings_shown.py, line ")


def test_many_warnings_are_counted_and_an_error_of_ours_does_not_lose_them(run):
    def warns():
        for number in range(8):
            warnings.warn(f"number {number}", UserWarning, stacklevel=1)
        raise ZeroDivisionError

    err = io.StringIO()
    before = warnings.showwarning
    with pytest.raises(ZeroDivisionError):
        run(warns, err=err)
    lines = err.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[-1] == "... and 3 more warnings."
    assert warnings.showwarning is before


def test_training_says_a_warning_when_it_comes(run):
    def warns():
        warnings.warn("look", UserWarning, stacklevel=1)
        sys.stderr.write("then\n")
        raise UserError("Over.")

    _, _, err = run(warns, task=Train(model="gan/dcgan", data="x", out=Path("x")))
    assert [line.split()[0] for line in err.splitlines()] == ["Warning:", "then", "Error:"]


def test_what_a_persons_own_code_prints_does_not_get_into_the_json(run):
    def prints():
        sys.stdout.write("torch.Size([1, 3])\n")
        return WithoutForm()

    _, out, err = run(prints)
    assert json.loads(out) == {"value": 3}
    assert err == "torch.Size([1, 3])\n"
