"""Columns of every kind that the later samples need: floats of a point, whole numbers of a text, bytes of a picture."""

import json
import os
import pickle

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.store import Store, kind_of
from ganvas.data.store_writing import StoreWriter, content_fingerprint

ROWS = {
    "points": np.array([[0.5, -1.0], [np.inf, 2.0], [-0.0, 1e-30], [3.0, 4.0], [0.0, 0.0]], np.float32),
    "labels": np.array([3, -1, 2**40, 0, 7]),
    "tokens": np.arange(5 * 2 * 3, dtype=np.uint16).reshape(5, 2, 3),
    "known": np.array([True, False, True, True, False]),
}


def write(folder, columns=ROWS, *, block=2, kind="points"):
    folder.mkdir()
    writer = StoreWriter(folder, kind)
    count = len(next(iter(columns.values())))
    for start in range(0, count, block):
        writer.append({name: rows[start : start + block] for name, rows in columns.items()})
    done = writer.finish_columns()
    writer.write_manifest(done, fingerprint=content_fingerprint(kind, count, done), more={"modes": 3})
    return Store.open(folder, kind=kind)


@pytest.fixture
def store(tmp_path):
    return write(tmp_path / "store")


@pytest.mark.parametrize("name", ROWS)
def test_numpy_alone_reads_a_column_of_any_dtype_and_row_shape(store, name):
    read = np.load(store.folder / f"{name}.npy", mmap_mode="r")
    assert read.dtype == ROWS[name].dtype
    assert read.tobytes() == ROWS[name].tobytes()  # Minus zero and infinity too.
    assert (store.map(name) == ROWS[name]).all()


@pytest.mark.parametrize("rows", [[3], [4, 0, 1, 1], [], slice(1, 4), slice(None, None, -1)])
@pytest.mark.parametrize("name", ROWS)
def test_rows_of_a_column_come_in_the_order_asked(store, name, rows):
    wanted = ROWS[name][rows] if isinstance(rows, slice) else ROWS[name][np.array(rows, int)]
    assert store.read(name, rows).tobytes() == wanted.tobytes()
    assert store.read(name, rows).dtype == wanted.dtype


def test_rows_beyond_the_last_are_no_rows(store):
    for rows in ([5], [-1]):
        with pytest.raises(IndexError):
            store.read("points", rows)


def test_what_a_kind_adds_to_the_manifest_comes_back(store):
    assert (store.manifest["modes"], store.manifest["kind"], len(store)) == (3, "points", 5)
    assert store.columns["tokens"].row_bytes == 12


def test_a_store_travels_to_workers(store):
    assert (pickle.loads(pickle.dumps(store)).read("labels", [2, 0]) == [2**40, 3]).all()


def test_the_fingerprint_does_not_depend_on_the_blocks_and_changes_with_every_part(tmp_path, store):
    prints = {write(tmp_path / f"block{block}", block=block).fingerprint for block in (1, 3, 5)}
    assert prints == {store.fingerprint}
    other = ROWS["points"].copy()
    other[4, 1] = -0.0  # Equal as a number, other bytes.
    changed = [
        ROWS | {"points": other},
        ROWS | {"points": ROWS["points"].astype(np.float64)},
        {**{name: rows for name, rows in ROWS.items() if name != "known"}, "mask": ROWS["known"]},
        {name: rows for name, rows in ROWS.items() if name != "known"},
    ]
    prints |= {write(tmp_path / f"other{at}", columns).fingerprint for at, columns in enumerate(changed)}
    prints.add(write(tmp_path / "kind", kind="sounds").fingerprint)
    assert len(prints) == 6


def test_a_column_that_reads_otherwise_has_another_fingerprint(tmp_path):
    same_bytes = [np.zeros((4, 2), dtype) for dtype in (np.int32, np.float32)]
    prints = [write(tmp_path / rows.dtype.name, {"points": rows}).fingerprint for rows in same_bytes]
    assert prints[0] != prints[1]


def test_minus_zeros_alone_are_no_hole(tmp_path):
    store = write(tmp_path / "minus", {"points": np.full((4, 2), -0.0, np.float32)})
    assert np.signbit(store.read("points", slice(None))).all()


def test_big_endian_columns_are_written_with_their_low_byte_first(tmp_path):
    store = write(tmp_path / "big", {"points": ROWS["points"].astype(">f4")})
    assert store.columns["points"].dtype.str == "<f4"
    assert store.read("points", slice(None)).tobytes() == ROWS["points"].tobytes()


def test_zeros_are_a_hole_that_reads_as_zeros(tmp_path):
    store = write(
        tmp_path / "zeros", {"points": np.zeros((1 << 16, 2)), "labels": np.zeros(1 << 16, int)}, block=1 << 12
    )
    assert not store.read("points", slice(None)).any()
    assert (store.folder / "points.npy").stat().st_size == 128 + (1 << 20)
    store.verify()


@pytest.mark.parametrize("name", ROWS)
def test_verify_finds_a_single_changed_bit_in_any_column(store, name):
    store.verify()
    path = store.path(name)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"{name}\.npy do not match its fingerprint"):
        Store.open(store.folder, kind="points").verify()


def test_a_store_of_another_kind_is_refused_by_name(store):
    with pytest.raises(UserError, match="holds points, and pictures are wanted"):
        Store.open(store.folder, kind="pictures")


def test_the_kind_of_a_folder_is_told_from_its_manifest(store, tmp_path):
    assert kind_of(store.folder) == "points"
    assert kind_of(tmp_path) is None
    (tmp_path / "manifest.json").write_text('{"format": "a browser extension"}')
    assert kind_of(tmp_path) is None
    (store.folder / "manifest.json").write_text('{"format": "ganv')
    assert kind_of(store.folder) == "damaged"


@pytest.mark.parametrize(
    "column",
    [
        {"dtype": "|O", "row_shape": [2], "sha256": ""},
        {"dtype": "<f4", "row_shape": [-2], "sha256": ""},
        {"dtype": "<f4", "row_shape": [2.0], "sha256": ""},
        {"dtype": "<f4", "row_shape": "2", "sha256": ""},
        {"dtype": ["<f4"], "row_shape": [2], "sha256": ""},
        {"dtype": "<f4", "row_shape": [2]},
        7,
    ],
)
def test_a_column_that_cannot_be_is_damage_not_a_traceback(store, column):
    manifest = json.loads((store.folder / "manifest.json").read_text())
    manifest["columns"]["points"] = column
    (store.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="the column points"):
        Store.open(store.folder, kind="points")


@pytest.mark.parametrize("name", ["../points", "/etc/passwd", "Points", ""])
def test_the_name_of_a_column_is_no_path(store, name):
    manifest = json.loads((store.folder / "manifest.json").read_text())
    manifest["columns"] = {name: manifest["columns"]["points"]}
    (store.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        Store.open(store.folder, kind="points")


@pytest.mark.parametrize(
    "changes", [{"count": 0}, {"count": "5"}, {"columns": {}}, {"columns": []}, {"fingerprint": 1}]
)
def test_a_manifest_of_odd_types_is_damage_not_a_traceback(store, changes):
    manifest = json.loads((store.folder / "manifest.json").read_text())
    (store.folder / "manifest.json").write_text(json.dumps(manifest | changes))
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        Store.open(store.folder, kind="points")


def test_an_array_of_other_numbers_in_the_place_of_a_column_is_noticed(store):
    np.save(store.path("labels"), ROWS["labels"].astype(np.float64))  # As many bytes.
    with pytest.raises(UserError, match="begins otherwise"):
        Store.open(store.folder, kind="points")


def test_a_system_without_reads_at_an_offset_reads_the_same_rows(store, monkeypatch):
    for missing in (["preadv"], ["preadv", "pread"]):  # macOS, and Windows.
        with monkeypatch.context() as patch:
            for name in missing:
                patch.delattr(os, name, raising=False)
            for name, values in ROWS.items():
                assert store.read(name, [4, 0, 1]).tobytes() == values[[4, 0, 1]].tobytes()
