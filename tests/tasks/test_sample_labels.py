"""From labelled pictures to pictures of a class, for every model that takes classes with adversarial networks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.tasks.sample import Sample, sample
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

NARROW = {
    "gan/sngan": (
        "generator_features=8",
        "generator_features_max=8",
        "discriminator_features=8",
        "discriminator_features_max=8",
        "critic_moves=2",
    ),
    "gan/sagan": ("features=8", "features_max=16"),
    "gan/acgan": ("features=8", "discriminator_features=4", "discriminator_features_max=16"),
    "gan/ssgan_semi": ("features=8", "classifier_features=4"),
}
EVERY = ("latent_size=8", "batch_size=8", "lr=0.01", "measure_kimg=-1", "sample_kimg=1")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Path:
    """Dark and light pictures."""
    path = tmp_path_factory.mktemp("labelled") / "two.npz"
    random = np.random.default_rng(0).integers(0, 60, (24, 16, 16, 3))
    labels = np.arange(24) % 2
    np.savez(path, images=(random + 190 * labels[:, None, None, None]).astype(np.uint8), labels=labels)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("model", NARROW)
def test_a_run_with_classes_draws_the_class_that_is_asked_for(model, labelled, tmp_path):
    train(
        Train(
            model=model,
            data=str(labelled),
            out=tmp_path / "run",
            set=(*NARROW[model], *EVERY),
            kimg=0.032,
            conditional=True,
            labelled=4 if model == "gan/ssgan_semi" else None,
            quiet=True,
            estimate=False,
            device="cpu",
        )
    )
    trained = load(tmp_path / "run")
    assert trained.conditional
    for label in (0, 1):
        out = tmp_path / f"{label}.zip"
        sample(Sample(run=tmp_path / "run", n=6, to="zip", out=out, label=str(label), seed=3))
        assert out.stat().st_size > 0
    z = trained.latents(6, seed=3)
    with torch.no_grad():
        dark, light = (trained.decode(z, torch.full((6,), label)) for label in (0, 1))
    assert dark.shape == light.shape == (6, 3, 16, 16)
    if model != "gan/ssgan_semi":  # Its generator is told no class: the classifier, hardly trained, may find only one.
        assert not torch.allclose(dark, light)
