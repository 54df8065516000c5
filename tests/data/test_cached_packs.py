import os

import pytest

from ganvas.core.errors import UserError
from ganvas.data import cached_packs
from ganvas.data.cached_packs import verify_once
from ganvas.data.packing import pack, prepare


class Counted:
    def __init__(self):
        self.times = 0

    def verify(self):
        self.times += 1


@pytest.fixture
def file(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"pixels")
    return tmp_path / "x.npy"


def test_a_small_pack_is_verified_every_time(file):
    counted = Counted()
    for _ in range(2):
        verify_once(counted, [file])
    assert counted.times == 2


def test_a_large_pack_is_verified_again_only_when_a_file_has_changed(file, monkeypatch):
    monkeypatch.setattr(cached_packs, "REMEMBER_FROM_BYTES", 0)
    counted = Counted()
    for _ in range(2):
        verify_once(counted, [file])
    assert counted.times == 1
    file.write_bytes(b"qixels")
    os.utime(file, ns=(1, 1))
    verify_once(counted, [file])
    assert counted.times == 2


def test_a_bit_that_flipped_in_packed_pictures_is_never_measured_as_if_right(folder, tmp_path, pixels, capsys):
    for path in (pack(str(folder), tmp_path / "packed", quiet=True).folder, prepare(str(folder), quiet=True).folder):
        data = bytearray((path / "images.npy").read_bytes())
        data[200] ^= 16
        (path / "images.npy").write_bytes(data)
    with pytest.raises(UserError, match=r"images\.npy do not match its fingerprint"):
        prepare(str(tmp_path / "packed"), quiet=True)
    assert (prepare(str(folder)).images == pixels).all()
    assert "packing again" in capsys.readouterr().err
