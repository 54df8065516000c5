"""``make fuzz`` in a small form, and what it counts."""

import json
import os
import random
import runpy
import signal
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "fuzz.py"
fuzz = runpy.run_path(str(SCRIPT))


def ended(tmp_path, command, **limits):
    return fuzz["outcome"](command, tmp_path / "log", **limits)


def refuse():
    sys.stderr.write("Error: there is no such thing.\n")
    raise SystemExit(2)


def silent():
    raise SystemExit(2)


def hang():
    signal.pause()


def test_every_way_to_end_is_told_from_the_others(tmp_path):
    assert ended(tmp_path, lambda: None) == "read"
    assert ended(tmp_path, refuse) == "refused"
    assert ended(tmp_path, silent) == "traceback"
    assert ended(tmp_path, lambda: 1 / 0) == "traceback"
    assert ended(tmp_path, lambda: os.kill(os.getpid(), signal.SIGKILL)) == "signal"
    assert ended(tmp_path, hang, seconds=0.2) == "hang"


@pytest.mark.parametrize("how", ["bytes", "json", "lines"])
def test_a_seed_gives_the_same_variants_and_nearly_all_are_other_files(how):
    whole = json.dumps({"nimg": 1, "best": [{"kimg": 0.5}], "name": "x"}).encode() + (b"\n" if how == "lines" else b"")
    first, again = ([fuzz["harmed"](whole, how, random.Random(seed)) for seed in range(60)] for _ in range(2))
    assert first == again
    assert sum(one != whole for one in first) > 50
    assert len(set(first)) > 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["picture labels", "data pictures.n", "torchscript table"])
def test_no_file_of_some_kinds_ends_in_a_traceback(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    counts = fuzz["fuzz"](tmp_path, variants=4, seconds=5, only=kind)
    assert {name: dict(count) for name, count in counts.items() if set(count) & set(fuzz["BAD"])} == {}
    assert sum(sum(count.values()) for count in counts.values()) > 0
