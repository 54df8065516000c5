"""Bits per dimension of held-out pictures while a model trains, and their yardsticks."""

import dataclasses

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.metrics.likelihood import density
from ganvas.train import checkpoint
from ganvas.train.kinds.picture_kind import PictureData
from ganvas.train.loop import train
from ganvas.train.sheets.sample_grids import NoSheets

MODEL = "autoregressive/pixelcnn_pp"


class Unseen(PictureData):
    """Pictures of which no sheets are drawn: a pass per pixel would be most of the time."""

    def sheets(self, folder, model, plan, *, device):
        return NoSheets(folder)


@pytest.fixture
def setup(tiny_setup, tmp_path):
    """A short run with twelve held-out pictures, measured at its start and twice."""
    pictures = np.random.default_rng(5).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "held.npz", images=pictures)
    size = {"height": 16, "width": 16}
    made = tiny_setup(model=MODEL, steps=4, config=size, measure_kimg=0.016, sample_kimg=100.0, measure_n=9)
    held_out = prepare(str(tmp_path / "held.npz"), size=(16, 16), quiet=True)
    data = Unseen(packed=made.data.packed, held_out=held_out, described=made.data.described)
    return dataclasses.replace(made, data=data)


@pytest.mark.slow
def test_each_measurement_has_the_bits_of_held_out_pictures_and_yardsticks_that_are_found_once(setup, monkeypatch):
    calls = []
    plain = density.yardstick_results

    def counted(*args, **kwargs):
        calls.append(args)
        return plain(*args, **kwargs)

    monkeypatch.setattr(density, "yardstick_results", counted)
    train(setup)
    lines = setup.run.lines("measures.jsonl")
    assert [line["nimg"] for line in lines] == [0, 16, 32]
    # No Gaussian: there are fewer training pictures than numbers of one.
    names = ["bits_per_dimension"] + [f"bits_per_dimension.{one}" for one in ("histogram", "png", "webp")]
    for line in lines:
        results = {one["metric"]: one for one in line["results"]}
        assert list(results) == names
        assert {one["n"] for one in results.values()} == {9}
        assert line["floor"] == []
        # Uniform noise: no code has fewer than 8 bits, and files have a header besides.
        assert results["bits_per_dimension"]["value"] > 8
        assert results["bits_per_dimension.png"]["value"] > 8
        assert results["bits_per_dimension"]["standard_error"] > 0
    assert len(calls) == 1


@pytest.mark.slow
def test_the_average_that_is_measured_begins_at_the_weights_that_data_has_set(setup):
    train(dataclasses.replace(setup, plan=dataclasses.replace(setup.plan, total_kimg=0.008, measure_kimg=-1.0)))
    tensors, _ = checkpoint.load(setup.run.models()[0], "model")
    # Weights are drawn with biases of 0; after one step of 0.001 an average of decay 0.9995 has moved by 5e-7 of it.
    assert tensors["network.above.bias"].abs().min() > 1e-5


def test_the_best_state_can_be_kept_by_bits_and_is_refused_without_held_out_pictures(setup):
    best = dataclasses.replace(setup, plan=dataclasses.replace(setup.plan, keep_best="bits_per_dimension"))
    best.data.held_out = None
    with pytest.raises(UserError, match="--held-out"):
        train(best)
