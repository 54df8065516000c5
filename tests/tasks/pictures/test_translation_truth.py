"""Translations of files beside their truth, and what needs no training beside them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.tasks.pictures.translate import Translate, translate
from ganvas.tasks.pictures.translation_truth import TranslationTruth, floors_of
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

SETTINGS = (
    *("height=12", "width=12", "features=3", "discriminator_features=4", "discriminator_halvings=1", "batch_size=4"),
    *("measure_kimg=-1", "health_kimg=-1"),
)
QUIET = {"kimg": 0.004, "quiet": True, "estimate": False, "device": "cpu"}


def written(folder: Path, pictures: np.ndarray) -> str:
    folder.mkdir(parents=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{index}.png")
    return str(folder)


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """Pictures of four levels, of which all colours occur, and their negatives, as folders."""
    folder = tmp_path_factory.mktemp("sides")
    shown = 64 * np.random.default_rng(0).integers(0, 4, (6, 12, 12, 3), dtype=np.uint8)
    return written(folder / "shown", shown), written(folder / "truth", 255 - shown)


@pytest.fixture(scope="module")
def paired(sides, tmp_path_factory):
    """A run on pairs whose length is one step."""
    out = tmp_path_factory.mktemp("paired") / "run"
    settings = (*SETTINGS, "halvings=2", "dropped=0")
    train(Train(model="translate/pix2pix", data=sides[0], target=sides[1], out=out, set=settings, **QUIET))
    return out


def test_beside_a_model_of_pairs_stand_the_pictures_as_they_are_and_what_colours_tell(paired, sides, tmp_path):
    done = translate(Translate(run=paired, source=sides[0], out=tmp_path / "out", truth=sides[1]))
    scores = done.scores
    assert list(scores) == ["translate/pix2pix", "identity", "colour table"]
    files = [[np.asarray(Image.open(f"{side}/{k}.png")).astype(float) for k in range(6)] for side in sides]
    made = [np.asarray(Image.open(tmp_path / "out" / f"{k}.png")).astype(float) for k in range(6)]
    for name, pictures in (("identity", files[0]), ("translate/pix2pix", made)):
        errors = [np.square(one - truth).mean() for one, truth in zip(pictures, files[1], strict=True)]
        assert scores[name]["psnr"] == pytest.approx(np.mean(10 * np.log10(255**2 / np.array(errors))))
    assert scores["colour table"]["ssim"] == pytest.approx(1), "a colour tells its negative"
    assert scores["identity"]["ssim"] < 0.5


def test_a_truth_that_is_missing_or_of_another_size_is_named(paired, sides, tmp_path):
    given = {"run": paired, "source": sides[0], "truth": written(tmp_path / "truth", np.zeros((6, 4, 4, 3), np.uint8))}
    with pytest.raises(UserError, match=r"0\.png of .* is 4x4, and its translation 12x12"):
        translate(Translate(**given, out=tmp_path / "out"))
    (tmp_path / "truth" / "0.png").unlink()
    with pytest.raises(UserError, match="no picture named 0"):
        translate(Translate(**given, out=tmp_path / "out"))
    with pytest.raises(UserError, match="--truth measures files as they are"):
        translate(Translate(**given, out=tmp_path / "out2", fit="crop"))


def test_without_the_training_pictures_the_pictures_as_they_are_stand_alone(paired, sides):
    trained = load(paired)
    trained.data["target"]["fingerprint"] = "another"
    assert list(floors_of(trained, first=True)) == ["identity"]


def test_a_floor_of_two_kinds_goes_the_way_of_the_model(sides, tmp_path):
    run = tmp_path / "run"
    settings = (*SETTINGS, "blocks=1")
    train(Train(model="translate/cyclegan", data=sides[0], other=sides[1], out=run, set=settings, **QUIET))
    for first, (source, target) in ((True, sides), (False, sides[::-1])):
        floors = floors_of(load(run), first=first)
        truth = TranslationTruth(target, 3, floors)
        pictures = [np.asarray(Image.open(f"{source}/{k}.png")) for k in range(6)]
        for k, picture in enumerate(pictures):
            truth.measure(str(k), picture, picture, model="none")
        assert set(truth.scores()) == {"none", "identity", "linear colours"}
        batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        mean = np.mean([np.asarray(Image.open(f"{target}/{k}.png")) for k in range(6)])
        moved = floors["linear colours"](batch).float().mean()
        assert float(moved) == pytest.approx(mean, abs=2), "in the colours of the other kind"
