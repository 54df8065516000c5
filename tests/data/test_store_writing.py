import numpy as np
import pytest

from ganvas.data.store_writing import StoreWriter


def test_blocks_must_agree_in_names_lengths_dtypes_and_row_shapes(tmp_path):
    writer = StoreWriter(tmp_path, "points")
    writer.append({"points": np.zeros((2, 3), np.float32), "labels": np.zeros(2, int)})
    wrong = [
        {"points": np.zeros((2, 3), np.float32)},
        {"points": np.zeros((2, 3), np.float32), "labels": np.zeros(1, int)},
        {"points": np.zeros((2, 3)), "labels": np.zeros(2, int)},
        {"points": np.zeros((2, 2), np.float32), "labels": np.zeros(2, int)},
    ]
    for block in wrong:
        with pytest.raises(AssertionError):
            writer.append(block)
    with pytest.raises(AssertionError, match="has 3 rows"):
        writer.add_column("weights", np.zeros(3))
    writer.close()


def test_a_folder_without_its_manifest_is_no_store(tmp_path):
    writer = StoreWriter(tmp_path, "points")
    writer.append({"points": np.ones((2, 3), np.float32)})
    writer.finish_columns()
    assert [path.name for path in tmp_path.iterdir()] == ["points.npy"]
    assert (np.load(tmp_path / "points.npy") == 1).all()
