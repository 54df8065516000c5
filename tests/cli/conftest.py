"""The command line called in this process, a tiny run, and folders of pictures of every kind."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.main import main

TINY = "resolution=16 latent_size=8 fmap_base=64 fmap_max=8 batch_size=8 train_kimg=0.016 fade_kimg=0.016"
RUN = "measure_kimg=-1 sample_kimg=1 report_kimg=0.008"
SETTINGS = [word for change in f"{TINY} {RUN}".split() for word in ("--set", change)]


@dataclass(frozen=True)
class Said:
    """How one command ended."""

    code: Any
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


def call(*arguments: object) -> Said:
    """Runs one command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return Said(ended.value.code, out.getvalue(), err.getvalue())


def train(data: object, out: object, *more: object, estimate: bool = False) -> Said:
    """Three steps of eight pictures, unless more is said; without the estimate, which takes longer than they do."""
    arguments = ("train", "gan/progan", "--data", data, "--out", out, "--kimg", 0.024, *SETTINGS, *more)
    if estimate:
        return call(*arguments)
    with mock.patch("ganvas.train.loop._forecast", return_value=None):
        return call(*arguments)


def draw(folder: Path, count: int = 24, *, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Path:
    """Pictures of noise as PNG files; ``size`` is height and width."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    shape = {"L": size, "RGB": (*size, 3), "RGBA": (*size, 4)}[mode]
    for index in range(count):
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(folder / f"{index:03d}.png")
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures of 16x16. Read only: tests share it."""
    return draw(tmp_path_factory.mktemp("given") / "pictures")


@pytest.fixture(scope="session")
def finished(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps, trained through the command line. Read only: tests share it."""
    run = tmp_path_factory.mktemp("trained") / "run"
    said = train(pictures, run, estimate=True)
    assert said.code == 0, said.stderr
    assert "on this machine" in said.stderr
    return run


@pytest.fixture
def tree() -> Callable[[Path], dict[str, tuple[int, bytes]]]:
    """``tree(folder)``: every file below it with its bytes."""

    def read(folder: Path) -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted(folder.rglob("*"))
        }

    return read
