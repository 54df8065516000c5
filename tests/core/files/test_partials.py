import os
import time
from pathlib import Path

import pytest

from ganvas.core.files.atomic_files import atomic_folder, write_text
from ganvas.core.files.partials import sweep_partials, sweep_stale

HOUR = 3600.0


@pytest.fixture(autouse=True)
def forgets() -> None:
    """Folders are swept once per process; a test is one of many."""
    sweep_stale.cache_clear()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def untouched(path: Path, seconds: float) -> None:
    """As if nobody had written to it, or to anything in it, for so long."""
    for each in (*path.rglob("*"), path):
        os.utime(each, times=(time.time() - seconds,) * 2)


def test_sweeping_leaves_everything_else(tmp_path: Path):
    (tmp_path / ".partial-1-a").write_text("half")
    (tmp_path / ".partial-1-b").mkdir()
    (tmp_path / ".partial-old-1-c").mkdir()
    (tmp_path / "c").mkdir()
    (tmp_path / ".hidden").write_text("mine")
    sweep_partials(tmp_path)
    assert names(tmp_path) == {"c", ".hidden"}


@pytest.mark.parametrize("write", [lambda path: write_text(path, "new"), lambda path: filled(path)])
def test_what_a_killed_command_left_in_a_folder_goes_after_a_day(tmp_path: Path, write):
    for name, age in (("dead", 25 * HOUR), ("working", 23 * HOUR)):
        (tmp_path / f".partial-1-{name}").mkdir()
        (tmp_path / f".partial-1-{name}" / "part").write_text("half")
        untouched(tmp_path / f".partial-1-{name}", age)
    write(tmp_path / "result")
    assert names(tmp_path) == {"result", ".partial-1-working"}


def test_a_large_file_that_grows_for_days_keeps_its_folder(tmp_path: Path):
    folder = tmp_path / ".partial-1-pack"
    folder.mkdir()
    (folder / "images.npy").write_text("half")
    untouched(folder, 72 * HOUR)
    (folder / "images.npy").write_text("half and more")
    write_text(tmp_path / "result", "new")
    assert names(tmp_path) == {"result", folder.name}


def filled(path: Path) -> None:
    with atomic_folder(path) as partial:
        (partial / "part").write_text("new")
