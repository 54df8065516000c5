import hashlib
import os
import time

import pytest

from ganvas.core.errors import UserError
from ganvas.data import cache


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "own"))
    assert cache.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("GANVAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "ganvas"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "ganvas"


def test_a_large_files_hash_is_remembered_until_the_file_changes(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "REMEMBER_FROM_BYTES", 0)
    path = tmp_path / "large"
    path.write_bytes(b"first")
    assert cache.content_hash(path) == hashlib.sha256(b"first").hexdigest()
    with monkeypatch.context() as patched:
        patched.setattr(cache, "hash_file", lambda path: "not asked")
        assert cache.content_hash(path) == hashlib.sha256(b"first").hexdigest()
    time.sleep(0.01)
    old = path.stat()
    path.write_bytes(b"other")  # The same size, and the old time put back: the change time still tells.
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert cache.content_hash(path) == hashlib.sha256(b"other").hexdigest()


def test_without_a_home_folder_the_variable_that_helps_is_named(monkeypatch):
    for name in ("GANVAS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache.Path, "home", homeless)
    with pytest.raises(UserError, match=r"no home folder.*Set GANVAS_CACHE"):
        cache.cache_folder()


def test_a_cache_that_cannot_be_written_names_the_variable_that_moves_it(tmp_path):
    (tmp_path / "file").write_text("a file, where a folder would have to be")
    with (
        pytest.raises(UserError, match=r"The cache cannot be written at .*Set GANVAS_CACHE"),
        cache.locked(tmp_path / "file" / "packs" / "x.lock"),
    ):
        pass
