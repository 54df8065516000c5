import gzip
import struct

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.survey import survey


def idx(array) -> bytes:
    """The format as its definition has it."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def digits(rng):
    return rng.integers(0, 256, (10, 5, 7), np.uint8)


@pytest.fixture
def mnist(tmp_path, digits):
    labels = np.arange(10, dtype=np.uint8)
    for name, part in (("train", slice(0, 7)), ("t10k", slice(7, 10))):
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(digits[part])))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[part])))
    return tmp_path


def test_a_folder_gives_training_pictures_first_with_their_labels(mnist, digits):
    found = prepare(str(mnist), quiet=True)
    assert (found.images[..., 0] == digits).all()
    assert found.labels.tolist() == list(range(10))


def test_train_and_test_are_taken_apart_by_name(mnist, digits):
    assert len(prepare(f"{mnist}::train", quiet=True)) == 7
    assert prepare(f"{mnist}::test", quiet=True).labels.tolist() == [7, 8, 9]
    with pytest.raises(UserError, match="There are: t10k"):
        open_source(f"{mnist}::valid")


def test_a_single_file_packed_or_not_finds_its_labels(mnist, digits):
    path = mnist / "train-images-idx3-ubyte.gz"
    assert prepare(str(path), quiet=True).labels.tolist() == list(range(7))
    plain = mnist / "plain" / "train-images.idx3-ubyte"
    plain.parent.mkdir()
    plain.write_bytes(idx(digits))
    assert (prepare(str(plain), quiet=True).images[..., 0] == digits).all()


def test_class_names_come_from_the_file_beside(mnist):
    (mnist / "classes.txt").write_text("\n".join("abcdefghij"))
    assert prepare(str(mnist), quiet=True).class_names == tuple("abcdefghij")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda images, labels: (images[:-1], labels), "cut short"),
        (lambda images, labels: (images + b"x", labels), "more than its header says"),
        (lambda images, labels: (images, idx(np.zeros(3, np.uint8))), "3 labels for 4 pictures"),
        (lambda images, labels: (images, labels[:-2]), "cut short"),
        (lambda images, labels: (b"\0\0\x0d" + images[3:], labels), "unsigned bytes"),
        (lambda images, labels: (images[:6], labels), "cut short"),
    ],
)
def test_damage_is_refused(tmp_path, spoil, says):
    images, labels = spoil(idx(np.zeros((4, 3, 3), np.uint8)), idx(np.zeros(4, np.uint8)))
    (tmp_path / "a-images-idx3-ubyte").write_bytes(images)
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(labels)
    with pytest.raises(UserError, match=says):
        prepare(str(tmp_path), quiet=True)


def test_a_cut_gzip_and_the_labels_file_alone_are_refused(mnist):
    path = mnist / "train-images-idx3-ubyte.gz"
    with pytest.raises(UserError, match="holds labels"):
        open_source(str(mnist / "train-labels-idx1-ubyte.gz"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="cut short"):
        prepare(str(mnist), quiet=True)


def test_a_header_that_says_petabytes_of_one_picture_is_refused_before_memory_is_asked_for(tmp_path):
    for name, opened in (("train-images-idx3-ubyte", bytes), ("train-images-idx3-ubyte.gz", gzip.compress)):
        (tmp_path / name).write_bytes(opened(struct.pack(">4I", 0x803, 1, 2**31, 2**31) + bytes(100)))
        with pytest.raises(UserError, match=r"one picture has 4,611,686,018,427,387,904 bytes"):
            open_source(str(tmp_path / name))


@pytest.mark.slow
def test_a_compressed_file_with_any_byte_changed_is_read_or_refused(tmp_path):
    whole = gzip.compress(struct.pack(">4I", 0x803, 4, 8, 8) + bytes(range(256)))
    for place in range(0, len(whole), 3):
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert survey(str(path), full=True).count == 4
        except UserError:
            continue
