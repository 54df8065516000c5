"""A run measures itself while it trains, and ``ganvas measure`` measures it later: one flow, one draw, one value."""

import json

import numpy as np
import pytest

from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, train

TINY = ("latent_size=8", "batch_size=8", "measure_n=20", "sample_kimg=1", "fmap_base=64", "fmap_max=8")


@pytest.mark.slow
@pytest.mark.parametrize("conditional", [False, True])
def test_the_last_line_of_a_training_is_what_measure_says_to_the_bit(tmp_path, monkeypatch, conditional):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], [30, 12, 8])
    pictures = random.integers(0, 80, (50, 16, 16, 3)) + 60 * classes[:, None, None, None]
    np.savez(tmp_path / "in.npz", images=pictures.astype(np.uint8), labels=classes)
    schedule = ("resolution=16", "train_kimg=0.008", "fade_kimg=0.016")
    task = Train(
        model="gan/progan",
        data=str(tmp_path / "in.npz"),
        out=tmp_path / "run",
        set=TINY + schedule,
        conditional=conditional,
        kimg=0.032,
        seed=5,
        quiet=True,
        estimate=False,
        device="cpu",
    )
    train(task)
    last = json.loads((tmp_path / "run" / "measures.jsonl").read_text().splitlines()[-1])
    found = measure(Measure(a=str(tmp_path / "run"), n=20, seed=5, quick=True, quiet=True, device="cpu"))
    assert last["source"] == "training"
    assert last["own"] is True
    assert last["results"] == [one.to_plain() for one in found.results]
    assert last["floor"] == [one.to_plain() for one in found.floor]
    assert found.own
