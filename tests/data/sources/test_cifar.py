import io
import tarfile

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source

BATCHES = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]


@pytest.fixture
def records(rng):
    labels = np.arange(12) % 10
    pixels = rng.integers(0, 256, (12, 32, 32, 3), np.uint8)
    planes = pixels.transpose(0, 3, 1, 2).reshape(12, -1)
    return labels, pixels, [bytes([label]) + row.tobytes() for label, row in zip(labels, planes, strict=True)]


@pytest.fixture
def folder(tmp_path, records):
    root = tmp_path / "cifar-10-batches-bin"
    root.mkdir()
    for index, name in enumerate(BATCHES):
        (root / name).write_bytes(b"".join(records[2][2 * index : 2 * index + 2]))
    (root / "batches.meta.txt").write_text("airplane\n")
    return root


def tar_of(folder, path):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path


def test_records_are_a_label_and_three_planes(folder, records):
    found = prepare(str(folder), quiet=True)
    assert (found.images == records[1]).all()
    assert found.labels.tolist() == records[0].tolist()
    assert found.class_names[3] == "cat"


def test_the_archive_holds_the_same_pictures(folder, records, tmp_path):
    path = tar_of(folder, tmp_path / "cifar-10-binary.tar.gz")
    train = prepare(f"{path}::train", quiet=True)
    test = prepare(f"{path}::test", quiet=True)
    assert sorted(row.tobytes() for row in train.images) == sorted(row.tobytes() for row in records[1][:10])
    assert (test.images == records[1][10:]).all()


def test_the_python_version_is_never_unpickled(tmp_path):
    root = tmp_path / "cifar-10-batches-py"
    root.mkdir()
    for name in ("data_batch_1", "batches.meta", "test_batch"):
        (root / name).write_bytes(b"cposix\nsystem\n(S'false'\ntR.")
    for path in (root, tar_of(root, tmp_path / "cifar-10-python.tar.gz")):
        with pytest.raises(UserError, match="binary version"):
            open_source(str(path))


def test_a_cut_batch_a_wrong_label_and_an_unknown_part_are_refused(folder):
    with pytest.raises(UserError, match=r"::train or ::test"):
        open_source(f"{folder}::valid")
    batch = folder / "data_batch_2.bin"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-1])
    with pytest.raises(UserError, match=r"data_batch_2.bin is cut short"):
        open_source(str(folder))
    batch.write_bytes(b"\x0b" + whole[1:])
    with pytest.raises(UserError, match="label 11"):
        prepare(str(folder), quiet=True)


def test_other_binary_files_are_no_cifar(tmp_path, pixels, encode):
    data = encode(pixels[0])
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name in ("data.bin", "1.png"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert open_source(str(tmp_path / "x.tar")).kind == "tar"
