"""Pictures in tables, where pyarrow is installed, and of a hub that is a stub."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.packing import pack


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, 6, 4, 3), dtype=np.uint8)


def png(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def write_table(path, columns, *, names=None) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.table(columns)
    if names:
        said = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(said)})
    parquet.write_table(table, path)


def test_parquet_files_are_packed_with_their_classes(pictures, tmp_path):
    (tmp_path / "tables").mkdir()
    rows = [{"bytes": png(picture), "path": "x.png"} for picture in pictures]
    for number, part in enumerate((slice(0, 2), slice(2, 5))):
        columns = {"image": rows[part], "label": [0, 1, 1, 0, 1][part]}
        write_table(tmp_path / "tables" / f"{number}.parquet", columns, names=["cat", "dog"])
    found = pack(str(tmp_path / "tables"), tmp_path / "packed", quiet=True)
    assert np.array_equal(found.read(slice(None)), pictures)
    assert (found.class_names, found.labels.tolist()) == (("cat", "dog"), [0, 1, 1, 0, 1])
    single = pack(str(tmp_path / "tables" / "0.parquet"), tmp_path / "single", quiet=True)
    assert len(single) == 2


def test_tables_that_cannot_be_are_refused_by_name(pictures, tmp_path):
    write_table(tmp_path / "a.parquet", {"text": ["x"]})
    with pytest.raises(UserError, match=r"has the columns text, and none that is named image"):
        pack(str(tmp_path / "a.parquet"), tmp_path / "packed", quiet=True)
    write_table(tmp_path / "b.parquet", {"image": ["http://x/y.png"]})
    with pytest.raises(UserError, match=r"row 0 holds no bytes of a picture but str"):
        pack(str(tmp_path / "b.parquet"), tmp_path / "packed", quiet=True)
    with pytest.raises(UserError, match=r"two layouts: a\.parquet has the columns text, and b\.parquet image"):
        pack(str(tmp_path), tmp_path / "packed", quiet=True)
    (tmp_path / "a.parquet").write_bytes((tmp_path / "b.parquet").read_bytes()[:40])
    with pytest.raises(UserError, match=r"a\.parquet is cut short or no Parquet file"):
        pack(str(tmp_path / "a.parquet"), tmp_path / "packed", quiet=True)


@pytest.mark.parametrize(("name", "spec", "extra"), [("datasets", "hf:some/set", "hub")])
def test_without_the_package_it_is_said_which_one(monkeypatch, tmp_path, name, spec, extra):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=rf"needs the package {name}.*ganvas\[{extra}\]"):
        pack(spec, tmp_path / "packed", quiet=True)


class Streamed(list):
    info = SimpleNamespace(splits={"test": SimpleNamespace(num_examples=5)}, download_checksums=None)

    @property
    def features(self):
        return {"img": None, "label": SimpleNamespace(names=["cat", "dog"])}

    def cast_column(self, column, feature):
        assert (column, feature) == ("img", "not decoded")
        return self


def hub(rows, error=None):
    def load_dataset(name, *, split, streaming):
        assert (name, split, streaming) == ("some/set", "test", True)
        if error:
            raise error
        return Streamed(rows)

    return SimpleNamespace(load_dataset=load_dataset, Image=lambda decode: "decoded" if decode else "not decoded")


def test_a_set_of_the_hub_is_streamed_and_packed(pictures, monkeypatch, tmp_path):
    rows = [{"img": {"bytes": png(picture), "path": None}, "label": i % 2} for i, picture in enumerate(pictures)]
    monkeypatch.setitem(sys.modules, "datasets", hub(rows))
    found = pack("hf:some/set,test", tmp_path / "packed", quiet=True)
    assert np.array_equal(found.read(slice(None)), pictures)
    assert (found.class_names, found.labels.tolist()) == (("cat", "dog"), [0, 1, 0, 1, 0])


def test_a_set_that_says_neither_its_length_nor_its_columns_is_read_or_refused(pictures, monkeypatch, tmp_path):
    monkeypatch.setattr(Streamed, "info", SimpleNamespace(splits=None, download_checksums=None))
    monkeypatch.setitem(sys.modules, "datasets", hub([{"img": {"bytes": png(pictures[0]), "path": None}, "label": 1}]))
    assert len(pack("hf:some/set,test", tmp_path / "packed", quiet=True)) == 1
    monkeypatch.setattr(Streamed, "features", None)
    with pytest.raises(UserError, match="does not say which columns"):
        pack("hf:some/set,test", tmp_path / "other", quiet=True)


def test_without_a_network_the_name_the_split_and_the_network_are_to_be_checked(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "datasets", hub([], ConnectionError("no route to host")))
    with pytest.raises(UserError, match=r"cannot be had from the hub: no route to host.*the network"):
        pack("hf:some/set,test", tmp_path / "packed", quiet=True)
    assert not (tmp_path / "packed").exists()
