"""What a dry run refuses is what training refuses, before anything is packed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.cli import main as command_line
from ganvas.core.errors import UserError
from ganvas.tasks.train import Train, _require_same_settings, train


def picture(path: Path, size: tuple[int, int] = (16, 16), *, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)


def pictures(folder: Path, size: tuple[int, int] = (16, 16)) -> Path:
    """Three, each another one."""
    for seed in range(3):
        picture(folder / f"{seed}.png", size, seed=seed)
    return folder


def greys(folder: Path) -> Path:
    """Three grey ones."""
    folder.mkdir()
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{seed}.png")
    return folder


def classes(folder: Path, count: int) -> Path:
    """A folder of so many classes beside the other, each of two pictures."""
    above = folder.parent / "classes"
    for label in range(count):
        for seed in range(2):
            picture(above / f"class{label}" / f"{seed}.png", seed=2 * label + seed)
    return above


@pytest.fixture
def folder(tmp_path) -> Path:
    return pictures(tmp_path / "in")


@pytest.fixture
def packs_nothing(monkeypatch):
    def refuse(*given, **named):
        raise AssertionError("something was packed")

    monkeypatch.setattr("ganvas.train.kinds.packed_sources.prepare", refuse)


def dry(folder: Path, *changes: str, model: str = "gan/dcgan", **options) -> Train:
    return Train(model=model, data=str(folder), out=folder.parent / "run", set=changes, dry_run=True, **options)


def of_a_preset_for_points(folder):
    return dry(folder, model="gan/wgan", preset="mixtures"), "mixtures is made for points, and .* holds pictures.*small"


def of_a_preset_for_pictures(folder):
    asked = dry(folder, model="gan/wgan", preset="small")
    return replace(
        asked, data="mixtures:ring8"
    ), "small is made for pictures, and mixtures:ring8 holds points.*mixtures"


def of_other_shape(folder):
    picture(folder / "wide.png", (16, 24))
    return dry(folder), "16x24 .* cannot become 16x16"


def of_a_broken_file(folder):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return dry(folder), "broken.png .*--broken skip"


def of_too_small_pictures(folder):
    return dry(folder, "resolution=32", "base=4,4"), "smaller than 32x32"


def of_classes_without_labels(folder):
    return dry(folder, "num_classes=3", model="gan/progan"), "num_classes=3, .* has no labels"


def of_one_class(folder):
    path = folder.parent / "one.npz"
    np.savez(path, images=np.zeros((4, 16, 16, 3), np.uint8), labels=np.zeros(4, np.int64))
    return replace(
        dry(folder, model="gan/sngan", conditional=True), data=str(path)
    ), "at least two classes, .* of one, 0"


def of_more_classes_than_there_are(folder):
    task = dry(folder, "num_classes=5", model="gan/sagan")
    return replace(task, data=str(classes(folder, 3))), "num_classes=5, .* has 3 classes: the others"


def of_fewer_classes_than_there_are(folder):
    task = dry(folder, "num_classes=2", model="gan/acgan")
    return replace(task, data=str(classes(folder, 3))), "num_classes=2, .* has 3 classes"


def of_labels_missing(folder):
    return dry(folder, model="gan/ssgan_semi", conditional=True), "needs labels, .* has none"


def of_fewer_labels_than_classes(folder):
    task = dry(folder, model="gan/ssgan_semi", conditional=True, labelled=2)
    return replace(task, data=str(classes(folder, 3))), "--labelled 2 .* of 3 classes, each of which must be told once"


def of_more_labels_than_pictures(folder):
    task = dry(folder, model="gan/ssgan_semi", conditional=True, labelled=1000)
    return replace(task, data=str(classes(folder, 3))), r"--labelled 1000 .* Give 3 to \d+\."


def of_hidden_labels_without_classes(folder):
    task = dry(folder, model="vae/aae", labelled=3)
    return replace(task, data=str(classes(folder, 3))), "--labelled 3 .* Add --conditional"


def of_labels_hidden_from_a_model_that_needs_them(folder):
    task = dry(folder, model="gan/acgan", conditional=True, labelled=3)
    return replace(
        task, data=str(classes(folder, 3))
    ), "--labelled 3 hides classes, .* needs the class of every picture"


def of_a_colour_without_a_name(folder):
    return dry(folder, background="no-such-colour"), "no-such-colour"


def of_a_second_source(folder):
    return dry(folder, other=str(folder)), "learns pictures of one source"


def of_a_missing_second_source(folder):
    return dry(folder, "discriminator_halvings=2", model="translate/cyclegan"), "Name the second: --other SRC"


def of_one_source_given_twice(folder):
    return dry(
        folder, "discriminator_halvings=2", model="translate/cyclegan", other=str(folder)
    ), "holds the pictures of --data"


def of_sources_of_unlike_channels(folder):
    other = greys(folder.parent / "greys")
    asked = dry(folder, "discriminator_halvings=2", model="translate/cyclegan", other=str(other))
    return asked, rf"--data {folder} is taken as RGB, and --other {other} as grey\..*--set channels=3 --set other_ch"


def of_held_out_pictures_that_are_trained_on(folder):
    return dry(folder, model="vae/vae", held_out=str(folder)), "are trained on"


@pytest.mark.usefixtures("packs_nothing")
@pytest.mark.parametrize(
    "refused",
    [
        of_a_preset_for_points,
        of_a_preset_for_pictures,
        of_other_shape,
        of_a_broken_file,
        of_too_small_pictures,
        of_classes_without_labels,
        of_one_class,
        of_more_classes_than_there_are,
        of_fewer_classes_than_there_are,
        of_labels_missing,
        of_fewer_labels_than_classes,
        of_more_labels_than_pictures,
        of_hidden_labels_without_classes,
        of_labels_hidden_from_a_model_that_needs_them,
        of_a_colour_without_a_name,
        of_a_second_source,
        of_a_missing_second_source,
        of_one_source_given_twice,
        of_sources_of_unlike_channels,
        of_held_out_pictures_that_are_trained_on,
    ],
)
def test_a_dry_run_refuses_from_the_headers_alone(folder, refused):
    task, message = refused(folder)
    with pytest.raises(UserError, match=message):
        train(task)


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("model", ["gan/acgan", "gan/ssgan_semi"])
def test_a_model_about_classes_is_not_trained_without_them(folder, model, dry_run):
    task = replace(dry(folder, model=model), data=str(classes(folder, 3)), dry_run=dry_run, quiet=True)
    with pytest.raises(UserError, match=r"learns from classes, .* has 3\. Add --conditional"):
        train(task)
    assert not task.out.exists()


@pytest.mark.parametrize("refused", [of_other_shape, of_a_broken_file, of_too_small_pictures])
def test_training_refuses_the_same_in_the_same_words_or_with_the_files_name(folder, refused):
    task, message = refused(folder)
    with pytest.raises(UserError, match=message):
        train(replace(task, dry_run=False, quiet=True))


@pytest.mark.usefixtures("packs_nothing")
def test_a_dry_run_says_how_large_the_pictures_are(folder, capsys):
    picture(folder / "28.png", (28, 28))
    task = dry(folder, "base=7,7", "resolution=16", fit="stretch")
    assert train(task).picture_size == (28, 28)
    assert command_line.run(task) == 0
    assert "Pictures of 28x28 pixels (height x width)." in capsys.readouterr().err


@pytest.mark.usefixtures("packs_nothing")
def test_both_sides_of_a_translation_are_told_when_they_are_reduced(folder, capsys, tmp_path):
    other = pictures(tmp_path / "other", (64, 64))
    train(dry(folder, "discriminator_halvings=2", model="translate/cyclegan", other=str(other)))
    said = capsys.readouterr().err
    assert "Pictures of --other of 64x64 pixels are reduced to 16x16" in said
    assert "Pictures of 16x16" not in said


@pytest.mark.usefixtures("packs_nothing")
@pytest.mark.parametrize("settings", [(), ("channels=3", "other_channels=3")])
def test_two_grey_kinds_are_translated_in_grey_and_in_as_many_channels_as_are_given(tmp_path, settings):
    first, second = greys(tmp_path / "first"), greys(tmp_path / "second")
    asked = dry(first, "discriminator_halvings=2", *settings, model="translate/cyclegan", other=str(second))
    given = train(asked).settings["config"]
    assert (given["channels"], given["other_channels"]) == ((3, 3) if settings else (1, 1))


def test_a_file_of_weights_that_is_not_there_or_does_not_fit_is_named_before_anything_is_written(folder, tmp_path):
    asked = Train(model="style/gatys", data=str(folder), other=str(folder), out=tmp_path / "run", quiet=True)
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "wide.pth")
    for name, refused in (("gone.pth", "there is no such file"), ("wide.pth", "weights of vgg19 of features=4")):
        sizes = ("height=16", "width=16", "features=4", f"weights={tmp_path / name}")
        with pytest.raises(UserError, match=refused):
            train(replace(asked, set=sizes))
        assert not (tmp_path / "run").exists()


def test_a_run_that_was_begun_before_there_was_a_setting_goes_on_with_its_default(tmp_path):
    begun = {"config": {"lr": 0.1}, "plan": {}}
    now = {"config": {"lr": 0.1, "critic_moves": 1}, "plan": {}}
    _require_same_settings(begun, now, tmp_path, defaults={"lr": 0.2, "critic_moves": 1})
    now["config"]["critic_moves"] = 5
    with pytest.raises(UserError, match="was begun with critic_moves=1, and now critic_moves=5"):
        _require_same_settings(begun, now, tmp_path, defaults={"lr": 0.2, "critic_moves": 1})
