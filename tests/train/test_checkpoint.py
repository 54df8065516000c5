import json
import pickle

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.train import checkpoint


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "state" / "000001.000"
    checkpoint.save(folder, "state", {"w": torch.arange(1000.0)}, {"nimg": 1000})
    return folder


def test_what_is_loaded_is_what_was_saved(saved):
    tensors, numbers = checkpoint.load(saved, "state")
    assert torch.equal(tensors["w"], torch.arange(1000.0))
    assert numbers["nimg"] == 1000


def test_memory_formats_do_not_matter_to_the_values(tmp_path):
    picture = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    checkpoint.save(tmp_path / "s", "state", {"x": picture.contiguous()}, {})
    assert torch.equal(checkpoint.load(tmp_path / "s", "state")[0]["x"], picture)


@pytest.mark.parametrize("keep", [0, 7, 8, 100, 3000])
def test_a_file_cut_short_anywhere_is_refused_by_name(saved, keep):
    file = saved / "state.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"state\.safetensors was cut short or altered.*Remove .* to go on"):
        checkpoint.load(saved, "state")


def test_one_flipped_bit_is_refused(saved):
    file = saved / "state.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(UserError, match="cut short or altered"):
        checkpoint.load(saved, "state")


def test_a_pickle_in_the_place_of_the_tensors_is_never_opened(saved):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was executed",))

    file = saved / "state.safetensors"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError):
        checkpoint.load(saved, "state")
    numbers = json.loads((saved / "state.json").read_text())  # Even with a digest that fits.
    (saved / "state.json").write_text(json.dumps(numbers | {"sha256": checkpoint.digest(file)}))
    with pytest.raises(UserError, match="not a safetensors file"):
        checkpoint.load(saved, "state")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"sha256": 1}'])
def test_numbers_that_are_not_whole_are_refused(saved, text):
    (saved / "state.json").write_text(text)
    with pytest.raises(UserError):
        checkpoint.load(saved, "state")


@pytest.mark.parametrize("name", ["state.json", "state.safetensors"])
def test_a_missing_half_is_refused_by_name(saved, name):
    (saved / name).unlink()
    with pytest.raises(UserError, match=name):
        checkpoint.load(saved, "state")
