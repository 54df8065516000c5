import hashlib
import json
import pickle

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packed import Packed
from ganvas.data.packing import pack, prepare


@pytest.fixture
def packed(folder, tmp_path):
    return pack(str(folder), tmp_path / "packed", quiet=True)


def test_numpy_alone_can_read_the_packed_form(packed, pixels):
    assert (np.load(packed.folder / "images.npy", mmap_mode="r") == pixels).all()
    assert np.load(packed.folder / "labels.npy").tolist() == packed.labels.tolist()
    assert json.loads((packed.folder / "names.json").read_text())[0] == "ant/00.png"


@pytest.mark.parametrize("rows", [[3], [0, 1, 2, 7, 6, 6], [], list(range(12)), slice(2, 9), slice(None, None, -1)])
def test_rows_come_by_index_in_the_order_asked(packed, pixels, rows):
    wanted = pixels[rows] if not isinstance(rows, list) else pixels[np.array(rows, int)]
    assert (packed.read(rows) == wanted).all()


@pytest.mark.parametrize("rows", [[-1], [12], [0, 99]])
def test_rows_that_are_not_there_are_no_rows(packed, rows):
    with pytest.raises(IndexError):
        packed.read(rows)


def test_the_memory_map_is_read_only_and_the_pack_travels_to_workers(packed, pixels):
    with pytest.raises(ValueError, match="read-only"):
        packed.images[0] = 0
    assert (pickle.loads(pickle.dumps(packed)).read([4, 1]) == pixels[[4, 1]]).all()


def test_the_fingerprint_is_of_the_content_alone(packed, folder, pixels, tmp_path):
    np.savez(tmp_path / "same.npz", images=pixels, labels=packed.labels)
    assert prepare(str(tmp_path / "same.npz"), quiet=True).fingerprint == packed.fingerprint
    other = pixels.copy()
    other[5, 3, 2, 1] ^= 1
    np.savez(tmp_path / "pixel.npz", images=other, labels=packed.labels)
    np.savez(tmp_path / "label.npz", images=pixels, labels=packed.labels[::-1])
    prints = {prepare(str(tmp_path / f"{name}.npz"), quiet=True).fingerprint for name in ("pixel", "label")}
    assert len(prints | {packed.fingerprint}) == 3


def test_the_fingerprint_of_the_same_bytes_in_another_shape_differs(tmp_path, pixels):
    for name, array in (("a", pixels), ("b", pixels.reshape(12, 6, 8, 3))):
        np.save(tmp_path / f"{name}.npy", array)
    assert len({prepare(str(tmp_path / f"{name}.npy"), quiet=True).fingerprint for name in "ab"}) == 2


def test_verify_finds_a_single_changed_bit(packed):
    packed.verify()
    path = packed.folder / "images.npy"
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)
    with pytest.raises(UserError, match="fingerprint"):
        Packed.open(packed.folder).verify()


def cut(name):
    def spoil(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) - 9])

    return spoil


def edit(**changes):
    def spoil(folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | changes))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut("images.npy"), "should have"),
        (cut("labels.npy"), "damaged"),
        (cut("manifest.json"), "not whole JSON"),
        (lambda folder: (folder / "images.npy").unlink(), "is missing"),
        (lambda folder: (folder / "labels.npy").unlink(), "missing"),
        (lambda folder: (folder / "manifest.json").unlink(), "no manifest.json"),
        (edit(count=13), "should have"),
        (edit(count=-1), "damaged"),
        (edit(count=True), "damaged"),
        (edit(format="zarr"), "something else"),
        (edit(version=99), "version 99"),
        (edit(kind="sounds"), "holds sounds, and pictures are wanted"),
        (edit(class_names=["ant", 7, "cow"]), "class_names"),
        (edit(class_names=["ant", "bee"]), "labels from 0 to 2 for 2 classes"),
        (edit(broken=[["a.png"]]), "broken"),
        (lambda folder: (folder / "images.npy").write_bytes(b"\0" * (folder / "images.npy").stat().st_size), "begins"),
    ],
)
def test_a_damaged_pack_is_refused(packed, spoil, says):
    spoil(packed.folder)
    with pytest.raises(UserError, match=says):
        Packed.open(packed.folder)


@pytest.mark.parametrize("names", [["a"], "a.png", [None] * 12, {"a": 1}])
def test_names_that_are_not_one_text_per_picture_are_refused(packed, names):
    (packed.folder / "names.json").write_text(json.dumps(names))
    with pytest.raises(UserError, match=r"names\.json does not have one name per picture"):
        _ = Packed.open(packed.folder).names


def test_the_fingerprint_is_the_one_that_the_page_on_data_writes_down(packed, pixels):
    def sha(data):
        return hashlib.sha256(data).hexdigest()

    text = json.dumps([[12, 8, 6, 3], sha(pixels.tobytes()), sha(packed.labels.astype("<i8").tobytes()), None])
    assert packed.fingerprint == "sha256:" + sha(text.encode())


def test_labels_are_never_unpickled(packed):
    np.save(packed.folder / "labels.npy", np.array([print] * 12, object), allow_pickle=True)
    with pytest.raises(UserError, match=r"labels\.npy"):
        Packed.open(packed.folder)


def test_a_folder_that_is_no_pack_is_said_so(folder, tmp_path):
    for path in (folder, tmp_path / "nowhere"):
        with pytest.raises(UserError, match="not a packed folder"):
            Packed.open(path)
