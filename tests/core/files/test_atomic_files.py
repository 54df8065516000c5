import errno
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ganvas.core.errors import UserError
from ganvas.core.files import atomic_files
from ganvas.core.files.atomic_files import (
    atomic_file,
    atomic_folder,
    read_json,
    remove_folder,
    require_writable,
    write_json,
    write_text,
)
from ganvas.core.files.disk_errors import explain_disk_errors
from ganvas.core.files.json_lines import append_line
from ganvas.core.files.partials import sweep_partials


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


IMPORTS = """
from ganvas.core.files.atomic_files import *
from ganvas.core.files.json_lines import *
import os, sys, time
"""


def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
    """A child process that has imported the module and printed its first line."""
    child = subprocess.Popen(
        [sys.executable, "-c", IMPORTS + script, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def interrupted_write(path: Path, interruption: type[BaseException]) -> None:
    path.write_text("new")
    raise interruption


def kill(child: "subprocess.Popen[str]") -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path):
    path = tmp_path / "new" / "a.txt"
    write_text(path, "first")
    write_text(path, "größer")
    assert path.read_text(encoding="utf-8") == "größer"
    assert names(path.parent) == {"a.txt"}


def test_the_final_name_is_not_there_while_the_file_is_written(tmp_path: Path):
    with atomic_file(tmp_path / "a.png") as partial:
        partial.write_text("half")
        assert names(tmp_path) == {partial.name}
        assert partial.suffix == ".png"  # Writers choose the format by it.
    assert names(tmp_path) == {"a.png"}


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_state(tmp_path: Path, interruption: type[BaseException]):
    write_text(tmp_path / "a.txt", "old")
    with atomic_folder(tmp_path / "b") as partial:
        (partial / "part").write_text("old")
    with pytest.raises(interruption), atomic_file(tmp_path / "a.txt") as partial:
        interrupted_write(partial, interruption)
    with pytest.raises(interruption), atomic_folder(tmp_path / "b") as partial:
        interrupted_write(partial / "part", interruption)
    assert names(tmp_path) == {"a.txt", "b"}
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "b" / "part").read_text() == "old"


def test_a_folder_is_replaced_whole(tmp_path: Path):
    for content in ("first", "second"):
        with atomic_folder(tmp_path / "b") as partial:
            (partial / "deep").mkdir()
            (partial / "deep" / content).write_text(content)
            assert (tmp_path / "b").exists() == (content == "second")
    assert names(tmp_path / "b" / "deep") == {"second"}
    assert names(tmp_path) == {"b"}


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "elsewhere" / "real.txt")
    write_text(tmp_path / "link.txt", "through")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "elsewhere" / "real.txt").read_text() == "through"


def test_a_process_killed_before_the_rename_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    child = start(
        "os.replace = lambda *names: (print('ready', flush=True), time.sleep(60))\n"
        "write_text(Path(sys.argv[1]), 'new')",
        path,
    )
    kill(child)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    sweep_partials(tmp_path)
    assert names(tmp_path) == {"a.txt"}


def test_a_process_killed_between_the_two_renames_of_a_folder_loses_nothing(tmp_path: Path):
    path = tmp_path / "b"
    with atomic_folder(path) as partial:
        (partial / "part").write_text("old")
    child = start(
        "rename, calls = os.rename, []\n"
        "def second_waits(*names):\n"
        "    calls.append(names)\n"
        "    if len(calls) == 2: print('ready', flush=True); time.sleep(60)\n"
        "    rename(*names)\n"
        "os.rename = second_waits\n"
        "with atomic_folder(Path(sys.argv[1])) as partial: (partial / 'part').write_text('new')",
        path,
    )
    kill(child)
    assert not path.exists()
    sweep_partials(tmp_path)
    assert names(tmp_path) == {"b"}
    assert (path / "part").read_text() == "old"


def test_a_process_killed_at_any_moment_leaves_one_of_the_whole_states(tmp_path: Path):
    path, wait = tmp_path / "a.txt", random.Random(0)
    for _ in range(5):
        child = start(
            "print('ready', flush=True)\n"
            "for turn in range(10**9): write_text(Path(sys.argv[1]), 'ab'[turn % 2] * 100_000)",
            path,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(wait.uniform(0, 0.1))
        kill(child)
        sweep_partials(tmp_path)
        assert not path.exists() or path.read_text() in ("a" * 100_000, "b" * 100_000)
    assert names(tmp_path) <= {"a.txt"}


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "disk reports an error"),
    ],
)
def test_a_disk_that_refuses_is_explained_and_nothing_half_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
):
    write_text(tmp_path / "a.txt", "old")

    def refuse(path: Path) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic_files, "_flush", refuse)
    with pytest.raises(UserError, match=rf"a\.txt cannot be written: .*{says}"):
        write_text(tmp_path / "a.txt", "new")
    with pytest.raises(UserError, match=rf"b cannot be written: .*{says}"), atomic_folder(tmp_path / "b") as partial:
        (partial / "part").write_text("new")
    assert names(tmp_path) == {"a.txt"}
    assert (tmp_path / "a.txt").read_text() == "old"


LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
print("ready", flush=True)
try:
    {}
except ValueError as error:
    sys.stdout.write(f"{{type(error).__name__}}: {{error}}")
"""
SAVE = """
    import torch, safetensors.torch
    with atomic_file(Path(sys.argv[1])) as partial:
        safetensors.torch.save_file({'w': torch.zeros(9999)}, partial)
"""


def test_a_file_that_finds_no_room_is_explained(tmp_path: Path):
    # The system's own refusal, not a pretended one: no file of this child may grow beyond 1000 bytes.
    child = start(LIMIT.format("write_text(Path(sys.argv[1]), 'x' * 100_000)"), tmp_path / "a")
    assert child.communicate()[0].startswith(f"UserError: {tmp_path / 'a'} cannot be written: the file would be larger")
    assert names(tmp_path) == set()


def test_a_line_that_finds_no_room_is_explained_and_the_next_starts_anew(tmp_path: Path):
    # The limit cuts the line in its middle: the system's first answer is then a short write, not an error.
    child = start(LIMIT.format("append_line(Path(sys.argv[1]), {'k': 'x' * 2000})"), tmp_path / "a")
    assert child.communicate()[0].startswith(f"UserError: {tmp_path / 'a'} cannot be written: the file would be larger")
    append_line(tmp_path / "a", {"k": 1})
    assert (tmp_path / "a").read_text().splitlines()[1:] == ['{"k": 1}']


def test_lines_are_added_whole_and_hold_only_what_other_tools_read(tmp_path: Path):
    for k in range(3):
        append_line(tmp_path / "a", {"k": k})
    with pytest.raises(ValueError, match="JSON"):
        append_line(tmp_path / "a", {"k": float("nan")})
    assert (tmp_path / "a").read_text() == '{"k": 0}\n{"k": 1}\n{"k": 2}\n'


@pytest.mark.slow
def test_safetensors_that_find_no_room_are_explained(tmp_path: Path):
    # It raises an error of its own, with the system's number only in the text.
    child = start(LIMIT.format(SAVE), tmp_path / "a")
    assert child.communicate()[0].startswith(f"UserError: {tmp_path / 'a'} cannot be written: the file would be larger")
    assert names(tmp_path) == set()


def test_an_error_about_a_file_elsewhere_is_not_blamed_on_the_disk(tmp_path: Path):
    elsewhere = tmp_path / "pictures" / "a.png"
    with pytest.raises(PermissionError), explain_disk_errors(tmp_path / "packed"):
        raise PermissionError(errno.EACCES, "Permission denied", str(elsewhere))
    with pytest.raises(UserError, match="packed cannot be written"), explain_disk_errors(tmp_path / "packed"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "packed" / "manifest.json"))
    with pytest.raises(UserError, match="packed cannot be written"), explain_disk_errors(tmp_path / "packed"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))


def test_other_errors_pass_as_they_are(tmp_path: Path):
    with pytest.raises(FileNotFoundError), explain_disk_errors(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "No such file")
    with pytest.raises(ZeroDivisionError), explain_disk_errors(tmp_path):
        raise ZeroDivisionError


def test_a_path_through_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    for below in ("file/a.txt", "file/b/a.txt"):
        with pytest.raises(UserError, match=r"a\.txt cannot be written: .* file"):
            write_text(tmp_path / below, "new")
    with pytest.raises(UserError, match="a file is there"), atomic_folder(tmp_path / "file"):
        pytest.fail("no work is done for a path that cannot be")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(tmp_path: Path):
    (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match="a folder is there"), atomic_file(tmp_path / "a"):
        pytest.fail("no work is done for a path that cannot be")


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path):
    # Renaming onto /dev/null is something that a superuser can do.
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="not a file"):
        write_text(tmp_path / "pipe", "new")


def test_a_name_that_is_too_long_is_explained(tmp_path: Path):
    with pytest.raises(UserError, match="name is too long"):
        write_text(tmp_path / ("a" * 250), "new")


def test_json_survives_and_refuses_what_other_tools_cannot_read(tmp_path: Path):
    value = {"a": [1, 2.5, None], "b": "größer"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", float("nan"))
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"not json"])
def test_cut_or_altered_json_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json is not whole JSON"):
        read_json(tmp_path / "a.json")


def test_a_place_is_tried_without_a_trace_and_one_that_lacks_folders_is_good(tmp_path):
    (tmp_path / "there").write_bytes(b"old")
    require_writable(tmp_path / "there")
    require_writable(tmp_path / "new" / "folder" / "file")
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
    assert (tmp_path / "there").read_bytes() == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_disk_that_takes_only_empty_files_is_refused_before_the_work(tmp_path, monkeypatch):
    opened = Path.open

    def full(path, *how):  # /dev/full takes an empty write, and nothing else.
        path.touch()
        return opened(Path("/dev/full"), *how)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UserError, match=r"file cannot be written: the disk is full"):
        require_writable(tmp_path / "file")
    assert names(tmp_path) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes for others")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_that_a_library_wrote_for_its_user_alone_follow_the_umask(tmp_path: Path, mask: int, mode: int):
    before = os.umask(mask)
    try:
        with atomic_file(tmp_path / "a") as partial:
            partial.touch(0o600)
        with atomic_folder(tmp_path / "b") as partial:
            (partial / "part").touch(0o600)
        append_line(tmp_path / "c", {})
    finally:
        os.umask(before)
    for name in ("a", "b/part", "c"):
        assert (tmp_path / name).stat().st_mode & 0o777 == mode, name
    assert names(tmp_path) == {"a", "b", "c"}


def flush_of_folders_answers(number: int):
    """``os.fsync`` as it is on disks that do not know it for folders."""
    flush = os.fsync

    def answer(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        flush(handle)

    return answer


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_a_disk_that_cannot_flush_folders_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    monkeypatch.setattr(os, "fsync", flush_of_folders_answers(number))
    write_text(tmp_path / "a", "new")
    for content in ("first", "second"):
        with atomic_folder(tmp_path / "b") as partial:
            (partial / "deep").mkdir()
            (partial / "deep" / "part").write_text(content)
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "b" / "deep" / "part").read_text() == "second"


def test_a_disk_whose_folders_report_an_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "fsync", flush_of_folders_answers(errno.EIO))
    with pytest.raises(UserError, match="the disk reports an error"):
        write_text(tmp_path / "a", "new")


def test_files_are_opened_for_writing_where_they_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Windows flushes nothing else, and opens no folder.
    opened, open_file = {}, os.open

    def windows(path, flags, *more, **named):
        if os.path.isdir(path) and not named:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        handle = open_file(path, flags, *more, **named)
        opened[handle] = flags
        return handle

    flush = os.fsync

    def only_writable(handle):
        if not opened.get(handle, os.O_RDWR) & (os.O_RDWR | os.O_WRONLY):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flush(handle)

    monkeypatch.setattr(os, "open", windows)
    monkeypatch.setattr(os, "fsync", only_writable)
    monkeypatch.delattr(os, "pread", raising=False)
    write_text(tmp_path / "a", "new")
    append_line(tmp_path / "c", {"k": 1})
    append_line(tmp_path / "c", {"k": 2})
    with atomic_folder(tmp_path / "b") as partial:
        (partial / "part").write_text("whole")
    assert (tmp_path / "c").read_text() == '{"k": 1}\n{"k": 2}\n'
    assert names(tmp_path) == {"a", "b", "c"}


def test_a_removed_folder_is_never_seen_by_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "part").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(atomic_files.shutil, "rmtree", lambda path: raises(errno.EBUSY))
        with pytest.raises(OSError, match="busy"):
            remove_folder(tmp_path / "b")
    assert not (tmp_path / "b").exists()
    sweep_partials(tmp_path)
    assert names(tmp_path) == set()


def raises(number: int) -> None:
    raise OSError(number, os.strerror(number))
