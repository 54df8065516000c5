import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.tasks import data as tasks


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, images=np.arange(6 * 8 * 12 * 3, dtype=np.uint8).reshape(6, 8, 12, 3), labels=np.arange(6) % 2)
    return str(path)


def plain(result):
    return json.loads(json.dumps(dataclasses.asdict(result)))


def test_describe_says_what_is_there_as_json_can_hold_it(source):
    found = plain(tasks.describe(tasks.Describe(source=source), quiet=True))
    assert found["count"] == 6
    assert found["sizes"] == {"8x12": 6}
    assert found["labels"] == {"0": 3, "1": 3}
    assert found["broken"] == []


def test_pack_writes_the_folder_that_it_names(source, tmp_path):
    task = tasks.Pack(source=source, out=tmp_path / "packed", size="4x6", channels=1)
    found = plain(tasks.pack(task, quiet=True))
    assert (found["count"], found["height"], found["width"], found["channels"]) == (6, 4, 6, 1)
    assert found["fingerprint"].startswith("sha256:")
    assert np.load(tmp_path / "packed" / "images.npy").shape == (6, 4, 6, 1)


def test_points_are_described_and_packed_as_points(tmp_path):
    found = plain(tasks.describe(tasks.Describe(source="mixtures:pair,1000"), quiet=True))
    assert (found["kind"], found["count"], found["dims"]) == ("mixtures", 1000, 1)
    assert sum(found["labels"].values()) == 1000
    assert found["dimensions"][0]["standard_deviation"] ** 2 == pytest.approx(4 + 0.25, rel=0.1)  # Modes at +-2.
    packed = plain(tasks.pack(tasks.Pack(source="mixtures:pair,1000", out=tmp_path / "packed"), quiet=True))
    assert (packed["count"], packed["dims"]) == (1000, 1)
    assert plain(tasks.describe(tasks.Describe(source=packed["out"], full=True)))["kind"] == "packed"


def test_points_have_no_size_in_pixels(tmp_path):
    with pytest.raises(UserError, match="which have no pixels"):
        tasks.pack(tasks.Pack(source="mixtures:pair", out=tmp_path / "packed", size="8"))


@pytest.mark.parametrize("size", ["0", "64x", "x64", "64x64x3", "large", "-4"])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(UserError, match="is not a size"):
        tasks.parse_size(size)


def test_fetching_an_unknown_set_is_a_users_error():
    with pytest.raises(UserError, match="Did you mean 'mnist'"):
        tasks.fetch(tasks.Fetch(name="mnits"))


@pytest.mark.slow
def test_the_tasks_import_neither_torch_nor_numpy_nor_pillow():
    script = "import sys, ganvas.tasks.data; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
