import struct

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import pack
from ganvas.data.survey import survey


def test_everything_in_a_folder_is_counted_once_and_what_is_broken_is_named(folder, encode, rng):
    (folder / "ant" / "grey.png").write_bytes(encode(rng.integers(0, 256, (4, 4), np.uint8)))
    (folder / "bee" / "text.png").write_text("I am not a picture")
    (folder / "cow" / "empty.jpg").write_bytes(b"")
    found = survey(str(folder))
    assert found.count == 13
    assert found.sizes == {(8, 6): 12, (4, 4): 1}
    assert found.modes == {"RGB": 12, "L": 1}
    assert found.labels == {"ant": 5, "bee": 4, "cow": 4}
    assert dict(found.broken) == {"bee/text.png": "is not a picture", "cow/empty.jpg": "is empty (0 bytes)"}


def test_a_cut_picture_is_found_when_every_pixel_is_read(folder, encode, rng):
    whole = encode(rng.integers(0, 256, (64, 64, 3), np.uint8), "JPEG")
    (folder / "ant" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert survey(str(folder)).broken == ()
    assert survey(str(folder), full=True).broken == (("ant/cut.jpg", "is cut short"),)


def test_arrays_and_packs_are_counted_from_their_headers(tmp_path, pixels, folder):
    np.savez(tmp_path / "x.npz", images=pixels, labels=np.arange(12) % 2)
    found = survey(str(tmp_path / "x.npz"))
    assert (found.count, found.sizes, found.modes, found.labels) == (12, {(8, 6): 12}, {"RGB": 12}, {"0": 6, "1": 6})
    packed = pack(str(folder), tmp_path / "packed", quiet=True)
    assert survey(str(packed.folder)).labels == {"ant": 4, "bee": 4, "cow": 4}


def test_a_full_survey_of_a_pack_compares_its_fingerprint(tmp_path, folder):
    packed = pack(str(folder), tmp_path / "packed", quiet=True)
    data = bytearray((packed.folder / "images.npy").read_bytes())
    data[-1] ^= 1
    (packed.folder / "images.npy").write_bytes(data)
    survey(str(packed.folder))
    with pytest.raises(UserError, match="fingerprint"):
        survey(str(packed.folder), full=True)


def test_a_full_survey_reads_arrays_to_their_end(tmp_path, rng):
    # One bit of the pixels: only reading them to their end shows that the archive's checksum does not hold.
    np.savez(tmp_path / "x.npz", images=rng.integers(0, 256, (12, 64, 64, 3), np.uint8))
    data = bytearray((tmp_path / "x.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "x.npz").write_bytes(data)
    assert survey(str(tmp_path / "x.npz")).count == 12
    with pytest.raises(UserError, match="cut short or damaged"):
        survey(str(tmp_path / "x.npz"), full=True)


def test_a_full_survey_reads_idx_files_to_their_end(tmp_path, pixels):
    grey = pixels[..., 0]
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(struct.pack(">4I", 0x803, *grey.shape) + grey.tobytes()[:-1])
    assert survey(str(tmp_path)).count == 12
    with pytest.raises(UserError, match="cut short"):
        survey(str(tmp_path), full=True)


def test_scenes_are_counted_by_landscape():
    found = survey("scenes:40,8x8")
    assert found.count == sum(found.labels.values()) == 40
