import errno
import os
import shutil
import socket

import pytest

from ganvas.core.errors import UserError
from ganvas.core.files import file_locks
from ganvas.core.files.file_locks import LastHolder, holder, last_holder, only_one
from ganvas.core.files.json_lines import append_line

fcntl = pytest.importorskip("fcntl", reason="Windows has no such locks")


@pytest.fixture
def flock(monkeypatch):
    """``flock(number)``: from then on the system answers so."""
    file_locks._tell_that_there_are_none.cache_clear()

    def answers(number):
        def refuses(handle, operation):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", refuses)

    yield answers
    file_locks._tell_that_there_are_none.cache_clear()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_disk_without_locks_is_written_to_with_one_warning(tmp_path, flock, capsys, number):
    flock(number)
    with only_one(tmp_path / "held", "taken"):
        append_line(tmp_path / "lines", {"k": 1})
        append_line(tmp_path / "lines", {"k": 2})
    assert (tmp_path / "lines").read_text() == '{"k": 1}\n{"k": 2}\n'
    assert capsys.readouterr().err.count("Warning: This disk has no file locks") == 1


def test_another_refusal_of_a_lock_is_no_missing_lock(tmp_path, flock):
    flock(errno.EIO)
    with pytest.raises(UserError, match="the disk reports an error"):
        append_line(tmp_path / "lines", {"k": 1})


def test_whoever_comes_second_is_told_and_whoever_comes_after_gets_in(tmp_path):
    # The system's lock belongs to the open file, so a second opening stands for a second process.
    with (
        only_one(tmp_path / "held", "taken"),
        pytest.raises(UserError, match="taken"),
        only_one(tmp_path / "held", "taken"),
    ):
        pytest.fail("two were in")
    with only_one(tmp_path / "held", "taken"):
        pass


def test_a_file_that_was_removed_or_made_anew_is_not_the_one_that_is_held(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with only_one(folder / "held", "taken") as still:
        assert still()
        shutil.rmtree(folder)
        assert not still()
        folder.mkdir()
        (folder / "held").touch()
        assert not still()


def test_who_holds_a_file_is_known_while_it_is_held(tmp_path):
    path = tmp_path / "held"
    assert holder(path) is None
    with only_one(path, "taken"):
        assert holder(path) == os.getpid()
    assert holder(path) is None


@pytest.mark.parametrize("said", ["", "12", "-1 here", "99999999999999999999 {host}", "4194304 {host}", "1 elsewhere"])
def test_a_file_that_names_nobody_alive_here_is_held_by_nobody(tmp_path, said):
    path = tmp_path / "held"
    with only_one(path, "taken"):
        path.write_text(said.format(host=socket.gethostname()))
        assert holder(path) is None


def test_who_held_a_file_last_stays_known_and_whether_on_this_machine(tmp_path):
    path = tmp_path / "held"
    assert last_holder(path) is None
    with only_one(path, "taken"):
        pass
    last = last_holder(path)
    assert last == LastHolder(os.getpid(), socket.gethostname())
    assert last.is_here
    path.write_text("12 elsewhere\n")
    assert last_holder(path) == LastHolder(12, "elsewhere")
    assert not last_holder(path).is_here
