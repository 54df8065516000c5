"""Pictures that stay in Parquet files: with pyarrow where it is installed, and with a stub of it everywhere."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.shards.sharded_pictures import OPEN_GROUPS, ShardFiles
from ganvas.data.sources.locations import lasting_name
from ganvas.train.feeds.windowed_order import WINDOW, WindowedOrder, order_of

GROUP = 2  # Rows.


def png(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


class Column(list):
    """Of a stub's table: its values have ``as_py``, as those of pyarrow."""

    def __getitem__(self, row):
        return SimpleNamespace(as_py=lambda: list.__getitem__(self, row))

    def to_pylist(self):
        return list(self)


class StubFile:
    """What is used of ``pyarrow.parquet.ParquetFile``; a file of the stub is JSON."""

    def __init__(self, path) -> None:
        said = json.loads(path.read_text())
        self.columns = said["columns"] | {"image": [bytes.fromhex(one) for one in said["columns"]["image"]]}
        metadata = {b"huggingface": json.dumps(said["hub"]).encode()} if said["hub"] else None
        self.schema_arrow = SimpleNamespace(names=list(self.columns), metadata=metadata)
        rows = len(self.columns["image"])
        counts = [min(GROUP, rows - start) for start in range(0, rows, GROUP)]
        self.metadata = SimpleNamespace(
            num_rows=rows,
            num_row_groups=len(counts),
            row_group=lambda at: SimpleNamespace(num_rows=counts[at], total_byte_size=1000),
        )

    def read_row_group(self, group, *, columns):
        rows = slice(group * GROUP, (group + 1) * GROUP)
        assert columns, "no column that is not needed is read"

        class Table(dict):
            def __len__(self):
                return len(next(iter(self.values())))

        return Table({name: Column(self.columns[name][rows]) for name in columns})


def write_stub(path, images, labels, names) -> None:
    columns = {"image": [image.hex() for image in images], "caption": ["" for _ in images]}
    hub = {"info": {"features": {"label": {"names": names}}}} if names else None
    path.write_text(json.dumps({"columns": columns | ({} if labels is None else {"label": labels}), "hub": hub}))


def write_parquet(path, images, labels, names) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"image": [{"bytes": image, "path": None} for image in images], "caption": [""] * len(images)}
    table = arrow.table(columns if labels is None else columns | {"label": labels})
    if names:
        said = {"info": {"features": {"label": {"names": names}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(said)})
    parquet.write_table(table, path, row_group_size=GROUP)


@pytest.fixture(params=["stub", "pyarrow"])
def write(request, monkeypatch):
    """How a table is written."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow")
        return write_parquet
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", SimpleNamespace(ParquetFile=StubFile))
    return write_stub


@pytest.fixture
def given(tmp_path, write):
    """Two files of three and two row groups, and their pictures."""
    folder, pictures = tmp_path / "tables", np.random.default_rng(0).integers(0, 256, (9, 8, 10, 3), dtype=np.uint8)
    folder.mkdir()
    for number, rows in enumerate((slice(0, 5), slice(5, 9))):
        labels = [row % 2 for row in range(9)][rows]
        write(folder / f"{number}.parquet", [png(picture) for picture in pictures[rows]], labels, ["cat", "dog"])
    return folder, pictures


def test_rows_are_the_pictures_in_the_order_asked_and_every_row_group_is_a_shard(given, tmp_path):
    folder, pictures = given
    found = prepare(str(folder), cache=tmp_path / "cache", quiet=True)
    assert (len(found), found.height, found.width, found.channels) == (9, 8, 10, 3)
    assert found.rows_of_shards == [2, 2, 1, 2, 2]
    rows = np.array([8, 0, 5, 5, 4])
    assert np.array_equal(found.read(rows), pictures[rows])
    assert (found.class_names, found.labels.tolist()) == (("cat", "dog"), [0, 1, 0, 1, 0, 1, 0, 1, 0])
    assert isinstance(order_of(found, seed=0, name="order"), WindowedOrder)
    single = prepare(str(folder / "0.parquet"), cache=tmp_path / "cache", quiet=True)
    assert np.array_equal(single.read(slice(None)), pictures[:5])


def test_the_second_time_nothing_is_read_and_braces_name_the_same_set(given, tmp_path, monkeypatch):
    folder, _ = given
    how = {"cache": tmp_path / "cache", "quiet": True}
    first = prepare(str(folder), **how)
    monkeypatch.setattr("ganvas.data.shards.shard_index.shards_in", None)
    assert prepare(f"{folder}/{{0..1}}.parquet", **how).fingerprint == first.fingerprint
    assert lasting_name(f"{folder}/{{0..1}}.parquet") == f"{folder}/{{0..1}}.parquet"


def test_groups_are_held_up_to_a_number_that_a_window_fits_in(given, tmp_path, monkeypatch):
    assert OPEN_GROUPS > WINDOW
    monkeypatch.setattr("ganvas.data.shards.sharded_pictures.OPEN_GROUPS", 2)
    folder, _ = given
    files = ShardFiles(prepare(str(folder), cache=tmp_path / "cache", quiet=True).index, sorted(folder.iterdir()))
    for entry in files.entries(np.arange(9)):
        entry.read()
    assert list(files._open) == [3, 4]


def test_tables_that_cannot_be_read_in_their_middle_are_refused(given, tmp_path, write):
    folder, pictures = given
    how = {"cache": tmp_path / "cache", "quiet": True}
    with pytest.raises(UserError, match=r"--broken skip.*pack them"):
        prepare(str(folder), broken="skip", **how)
    (folder / "0.tar").touch()
    with pytest.raises(UserError, match=r"names tables and other files, such as 0\.tar"):
        prepare(f"{folder}/0.{{parquet,tar}}", **how)
    (folder / "0.tar").unlink()
    with pytest.raises(UserError, match=r"are not there: .*2\.parquet"):
        prepare(f"{folder}/{{0..2}}.parquet", **how)
    write(folder / "2.parquet", [b"nothing"], [0], ["cat", "dog"])
    with pytest.raises(UserError, match=r"2\.parquet: 000000009 is not a picture|000000009 cannot be decoded"):
        prepare(str(folder), **how)
    write(folder / "2.parquet", [png(pictures[0])], None, None)
    with pytest.raises(
        UserError, match=r"the files have two layouts: 0\.parquet has the columns image, caption, label"
    ):
        prepare(str(folder), **how)
    assert len(list((tmp_path / "cache" / "packs").glob("*/manifest.json"))) == 0, "no half of an index is kept"


def test_a_table_that_changes_during_a_training_is_noticed(given, tmp_path, write):
    folder, pictures = given
    found = prepare(str(folder), cache=tmp_path / "cache", quiet=True)
    write(folder / "0.parquet", [png(255 - picture) for picture in pictures[:5]], [0] * 5, ["cat", "dog"])
    with pytest.raises(UserError, match=r"0\.parquet changed while"):
        found.read(np.arange(3))
