import json
import pickle

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.train import checkpoint

COUNTERS = {"nimg": 1000, "step": 4, "stage_phase": 0, "counts": {"D": 4}, "best": [{"kimg": 0.5, "value": 2.0}]}
MODEL = {"model": "gan/dcgan", "config": {}, "nimg": 5, "resolution": 16, "fade": 1.0, "data": {"height": 16}}


@pytest.fixture
def saved(tmp_path):
    folder = tmp_path / "state" / "000001.000"
    checkpoint.save(folder, "state", {"w": torch.arange(1000.0)}, {"numbers": COUNTERS})
    return folder


def test_what_is_loaded_is_what_was_saved(saved):
    tensors, numbers = checkpoint.load(saved, "state")
    assert torch.equal(tensors["w"], torch.arange(1000.0))
    assert numbers["numbers"] == COUNTERS


def test_memory_formats_do_not_matter_to_the_values(tmp_path):
    picture = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    checkpoint.save(tmp_path / "s", "model", {"x": picture.contiguous()}, MODEL)
    assert torch.equal(checkpoint.load(tmp_path / "s", "model")[0]["x"], picture)


@pytest.mark.parametrize("keep", [0, 7, 8, 100, 3000])
def test_a_file_cut_short_anywhere_is_refused_by_name(saved, keep):
    file = saved / "state.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"state\.safetensors was cut short or altered.*Remove .* to resume"):
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


def edited(folder, name, change):
    file = folder / f"{name}.json"
    given = json.loads(file.read_text())
    change(given)
    file.write_text(json.dumps(given))


@pytest.mark.parametrize(
    "change",
    [
        lambda given: given["numbers"].update(nimg=120),
        lambda given: given["numbers"].update(stage_phase=1),
        lambda given: given["numbers"]["counts"].update(D=7),
        lambda given: given["numbers"]["counts"].pop("D"),
        lambda given: given["numbers"]["best"].clear(),
        lambda given: given.update(more=1),
        lambda given: given.update(numbers_sha256="0" * 64),
    ],
)
def test_one_altered_number_is_refused(saved, change):
    edited(saved, "state", change)
    with pytest.raises(UserError, match=r"state\.json was edited or altered.*Remove .* to resume from an older one"):
        checkpoint.load(saved, "state")


def test_the_order_and_the_spaces_of_numbers_do_not_matter(saved):
    given = json.loads((saved / "state.json").read_text())
    (saved / "state.json").write_text(json.dumps(dict(reversed(given.items()))))
    assert checkpoint.load(saved, "state")[1]["numbers"] == COUNTERS


def test_a_state_under_another_name_is_refused(saved):
    moved = saved.rename(saved.with_name("000002.000"))
    with pytest.raises(UserError, match=r"its state is of 000001\.000 kimg\. Give it that name"):
        checkpoint.load(moved, "state")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nimg": "5"}, "'nimg' is \"5\" and should be a whole number"),
        ({"resolution": [16]}, "'resolution' is a list of 1"),
        ({"fade": 1.5}, "'fade' is 1.5 and should be at least 0 and at most 1"),
        ({"data": {"height": "big"}}, "'data.height' is \"big\" and should be a whole number"),
        ({"data": {"class_names": [1]}}, "'data.class_names.0' is 1"),
        ({"config": None}, "'config' is null and should be an object"),
        ({"model": 10**30}, "'model' is a number beyond 64 bits"),
    ],
)
def test_a_number_of_another_kind_is_refused_even_with_a_hash_that_fits(tmp_path, changes, message):
    checkpoint.save(tmp_path / "m", "model", {"w": torch.ones(1)}, MODEL | changes)
    with pytest.raises(UserError, match=message):
        checkpoint.load(tmp_path / "m", "model")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"format": ' + "9" * 5000 + "}", '{"format": NaN}', '"\\ud800"', "\xff"]
)
def test_json_that_no_reader_could_use_is_refused(saved, text):
    (saved / "state.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"state\.json is not whole JSON"):
        checkpoint.load(saved, "state")


def test_a_model_with_a_weight_that_is_no_number_is_refused(tmp_path):
    checkpoint.save(tmp_path / "m", "model", {"g.weight": torch.tensor([1.0, torch.nan])}, MODEL)
    with pytest.raises(UserError, match=r"weights that are not numbers \(nan, in 'g\.weight'\).*--kimg"):
        checkpoint.load(tmp_path / "m", "model")
