import json
import os

import pytest

from ganvas.core.errors import UserError
from ganvas.data.conversion import Rules, convert
from ganvas.data.packing import prepare
from ganvas.data.sources import folder as folders
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.survey import survey


def test_links_to_pictures_are_followed_and_circles_end(folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    os.symlink(folder, linked / "there")
    os.symlink(linked, linked / "circle")
    assert len(prepare(str(linked), quiet=True)) == 12


def test_a_file_that_vanishes_is_broken_not_a_crash(folder):
    source = open_source(str(folder))
    (folder / "ant" / "00.png").unlink()
    rows = list(convert(source, Rules(broken="skip")))
    assert rows[0].broken[0][0] == "ant/00.png"
    assert sum(len(row.images) for row in rows) == 11


def uncompressed(grey):
    """A 4 x 4 PGM of one grey: every such file has the same size."""
    return b"P5 4 4 255\n" + bytes([grey]) * 16


def test_two_folders_whose_files_have_the_same_names_sizes_and_times_do_not_share_a_pack(tmp_path):
    for name, grey in (("real", 10), ("fake", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.pgm").write_bytes(uncompressed(grey))
        os.utime(tmp_path / name / "0.pgm", ns=(0, 0))  # As archives with fixed times leave them.
    assert prepare(str(tmp_path / "real"), quiet=True).images[0, 0, 0] == 10
    assert prepare(str(tmp_path / "fake"), quiet=True).images[0, 0, 0] == 200


def test_pictures_that_change_places_are_packed_again(tmp_path):
    for name, grey in (("cat", 10), ("dog", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.pgm").write_bytes(uncompressed(grey))
        os.utime(tmp_path / name / "0.pgm", ns=(0, 0))
    assert prepare(str(tmp_path), quiet=True).images[:, 0, 0, 0].tolist() == [10, 200]
    (tmp_path / "cat" / "0.pgm").rename(tmp_path / "other")
    (tmp_path / "dog" / "0.pgm").rename(tmp_path / "cat" / "0.pgm")
    (tmp_path / "other").rename(tmp_path / "dog" / "0.pgm")
    assert prepare(str(tmp_path), quiet=True).images[:, 0, 0, 0].tolist() == [200, 10]


def test_a_file_written_anew_with_its_old_time_is_packed_again(tmp_path):
    path = tmp_path / "0.pgm"
    path.write_bytes(uncompressed(10))
    before = path.stat()
    assert prepare(str(tmp_path), quiet=True).images[0, 0, 0] == 10
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # Until the clock of the file system has moved on.
        path.write_bytes(uncompressed(200))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert prepare(str(tmp_path), quiet=True).images[0, 0, 0] == 200


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_named_and_never_opened(folder):
    os.mkfifo(folder / "ant" / "pipe.png")
    os.symlink("/dev/zero", folder / "ant" / "zero.png")
    for full in (False, True):
        found = survey(str(folder), full=full)
        assert (found.count, dict(found.broken)) == (
            12,
            dict.fromkeys(("ant/pipe.png", "ant/zero.png"), "is a pipe, a device or the like, not a file"),
        )


def test_a_run_inside_the_pictures_is_omitted_and_a_run_that_is_named_is_read(folder, encode, pixels):
    run = folder / "runs" / "one"
    (run / "samples").mkdir(parents=True)
    (run / "samples" / "000.png").write_bytes(encode(pixels[0]))
    (run / "run.json").write_text(json.dumps({"model": "gan/x", "plan": {}, "data": {"fingerprint": "sha256:0"}}))
    assert open_source(str(folder)).total == 12
    assert open_source(str(run)).total == 1
    (run / "run.json").write_text("{}")  # Somebody else's.
    assert open_source(str(folder)).total == 13


def test_headers_are_looked_for_in_the_first_bytes_alone(tmp_path, rng, encode, monkeypatch):
    noise = encode(rng.integers(0, 256, (200, 200, 3), "uint8"))
    (tmp_path / "0.png").write_bytes(noise)
    (tmp_path / "1.jpg").write_bytes(encode(rng.integers(0, 256, (200, 200, 3), "uint8"), "JPEG"))
    read = []

    class Counted(folders.io.FileIO):
        def readinto(self, into):
            read.append(super().readinto(into))
            return read[-1]

    monkeypatch.setattr(folders.io, "FileIO", Counted)
    assert survey(str(tmp_path)).sizes == {(200, 200): 2}
    assert sum(read) < 40_000 < len(noise)


def test_a_dataset_json_without_permission_is_a_users_error(folder):
    if os.name != "posix" or os.geteuid() == 0:
        pytest.skip("this user may read anything")
    (folder / "dataset.json").write_text("{}")
    (folder / "dataset.json").chmod(0)
    with pytest.raises(UserError, match="cannot be read"):
        open_source(str(folder))
