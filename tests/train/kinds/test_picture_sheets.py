"""Sheets of pictures: what a model draws at every moment, and beside it what it makes of given pictures."""

import numpy as np
import pytest
from PIL import Image

from ganvas.core.run_folder import RunFolder
from ganvas.tasks.train import Train, train


@pytest.fixture
def data(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "some.npz", images=pictures)
    return tmp_path / "some.npz"


def run_of(model, data, out, *settings):
    changes = ("resolution=16", "features=4", "batch_size=8", "sample_kimg=0.016", *settings)
    train(
        Train(model=model, data=str(data), out=out, set=changes, kimg=0.032, quiet=True, estimate=False, device="cpu")
    )
    return RunFolder(out)


@pytest.mark.slow
def test_a_model_that_draws_and_shows_has_sheets_of_moments_and_one_of_originals_beside_reconstructions(data, tmp_path):
    run = run_of("vae/autoencoder", data, tmp_path / "run", "latent_size=4")
    assert [path.stem for path in run.other_sheets()] == ["reals", "shown"]
    assert len(run.sheets()) == 3
    shown = np.asarray(Image.open(run.samples / "shown.png"))
    side = shown.shape[1] // 8  # Eight pictures in a row, with gaps.
    assert shown.shape[0] // side == 2
    given = np.load(data)["images"].astype(int)
    first = np.asarray(
        Image.fromarray(shown[2 : 2 + 16 * 5, 2 : 2 + 16 * 5]).resize((16, 16), Image.Resampling.NEAREST)
    )
    distances = np.abs(given - first.astype(int)).max((1, 2, 3))
    assert distances.min() == 0, "the first row is of given pictures"


@pytest.mark.slow
def test_held_out_pictures_of_a_model_that_bounds_its_likelihood_are_scored_in_training(data, tmp_path):
    others = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "others.npz", images=others)
    task = Train(model="vae/vae", data=str(data), held_out=str(tmp_path / "others.npz"), out=tmp_path / "run")
    settings = ("resolution=16", "features=4", "latent_size=4", "batch_size=8", "bound_samples=3")
    how = {"kimg": 0.016, "quiet": True, "estimate": False, "device": "cpu", "set": settings}
    train(Train(model=task.model, data=task.data, held_out=task.held_out, out=task.out, **how))
    results = RunFolder(task.out).lines("measures.jsonl")[-1]["results"]
    (bound,) = [one for one in results if one["metric"] == "bits_per_dimension"]
    assert ":lower-bound:importance3:dequantised:" in bound["protocol"]
    assert bound["value"] > 8, "nothing codes noise in less than its 8 bits"
