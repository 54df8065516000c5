import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_bytes, to_float
from ganvas.tasks.pictures.translate import Translate, translate
from ganvas.tasks.report import Report, report
from ganvas.tasks.sample import Sample, sample
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

SETTINGS = ("blocks=1", "features=4", "discriminator_features=4", "discriminator_halvings=1", "batch_size=4")
MUNIT = (
    *("features=4", "halvings=1", "style_halvings=2", "blocks=1", "style_size=2", "hidden=8", "batch_size=4"),
    *("discriminator_features=4", "discriminator_layers=2", "discriminator_sizes=2", "height=16", "width=16"),
)
COUNT = 130  # Of each kind; 128 are the least that are measured.


def drawn(folder: Path, count: int, *, seed: int, side: int = 16) -> Path:
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    for index, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / f"place {index:03d}.png")
    return folder


def trained_on(folder: Path, *settings: str) -> Path:
    train(
        Train(
            model="translate/cyclegan",
            data=str(drawn(folder / "a", COUNT, seed=1)),
            other=str(drawn(folder / "b", COUNT, seed=2)),
            out=folder / "run",
            set=(*SETTINGS, "sample_kimg=0.016", *settings),
            kimg=0.032,
            quiet=True,
            estimate=False,
            device="cpu",
        )
    )
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A few steps at 16x16, measured once at the end. Read only."""
    return trained_on(tmp_path_factory.mktemp("translated"), "measure_kimg=0.032")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Five pictures that the run has not seen."""
    return drawn(tmp_path_factory.mktemp("source") / "in", 5, seed=3)


def expected(run, source, direction):
    """By the model itself, from the files as Pillow reads them."""
    files = sorted(source.glob("*.png"))
    pictures = torch.stack([torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) for file in files])
    with torch.no_grad():
        made = to_bytes(load(run).model.translate(to_float(pictures), direction))
    return [file.name for file in files], made.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize(("given", "direction"), [(None, "a-to-b"), ("a-to-b", "a-to-b"), ("b-to-a", "b-to-a")])
def test_every_picture_becomes_its_translation_under_its_own_name(run, source, tmp_path, given, direction):
    done = translate(Translate(run=run, source=str(source), out=tmp_path / "out", direction=given, batch=2))
    names, made = expected(run, source, direction)
    assert (done.pictures, done.direction) == (5, direction)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [*names, "translate.json", "translate.jsonl"]
    for name, picture in zip(names, made, strict=True):
        found = np.array(Image.open(tmp_path / "out" / name)).astype(int)
        assert abs(found - picture).max() <= 1, "kernels for other batch sizes round otherwise"


def test_a_zip_holds_what_a_folder_holds(run, source, tmp_path):
    translate(Translate(run=run, source=str(source), out=tmp_path / "out"))
    translate(Translate(run=run, source=str(source), out=tmp_path / "out.zip", to="zip"))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == sorted(file.name for file in (tmp_path / "out").glob("*.png"))
        for name in archive.namelist():
            zipped, alone = (
                np.array(Image.open(file)).astype(int) for file in (archive.open(name), tmp_path / "out" / name)
            )
            assert abs(zipped - alone).max() <= 1, "kernels for other batch sizes round otherwise"


def test_a_sheet_has_every_translation_below_its_picture(run, source, tmp_path):
    translate(Translate(run=run, source=str(source), out=tmp_path / "sheet.png", to="grid"))
    sheet = np.array(Image.open(tmp_path / "sheet.png"))
    names, made = expected(run, source, "a-to-b")
    scale = (sheet.shape[1] - 2 * 2) // (3 * 16)  # Five pictures twice as high as wide: three in a row.
    first = np.array(Image.open(source / names[0]))
    assert np.array_equal(sheet[: 16 * scale : scale, : 16 * scale : scale], first)
    below = sheet[16 * scale + 2 :][: 16 * scale : scale, : 16 * scale : scale].astype(int)
    assert abs(below - made[0]).max() <= 1


def test_pictures_with_equal_names_stay_in_their_folders_and_those_that_are_fitted_are_numbered(run, tmp_path):
    for name, seed in (("x", 4), ("y", 5)):
        drawn(tmp_path / "in" / name, 2, seed=seed)
    translate(Translate(run=run, source=str(tmp_path / "in"), out=tmp_path / "out"))
    made = sorted(file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*.png"))
    assert made == [f"{folder}/place {index:03d}.png" for folder in "xy" for index in range(2)]
    translate(Translate(run=run, source=str(tmp_path / "in"), out=tmp_path / "fitted", fit="stretch"))
    assert sorted(file.name for file in (tmp_path / "fitted").iterdir()) == [f"{index:06d}.png" for index in range(4)]


def test_a_picture_of_any_size_is_translated_in_its_own_format_and_a_stopped_folder_goes_on(run, tmp_path):
    (tmp_path / "in").mkdir()
    rng = np.random.default_rng(0)
    for name, size, how in (("a.jpg", (21, 34), {"quality": 90}), ("b.webp", (9, 50), {}), ("c.png", (16, 16), {})):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(tmp_path / "in" / name, **how)
    task = Translate(run=run, source=str(tmp_path / "in"), out=tmp_path / "out")
    assert translate(task).found == 0
    for name, size, form in (("a.jpg", (34, 21), "JPEG"), ("b.webp", (50, 9), "WEBP"), ("c.png", (16, 16), "PNG")):
        with Image.open(tmp_path / "out" / name) as image:
            assert (image.size, image.format) == (size, form)
    before = (tmp_path / "out" / "c.png").read_bytes()
    (tmp_path / "out" / "c.png").unlink()
    again = translate(task)
    assert (again.pictures, again.found, again.renewed) == (3, 2, 0)
    assert (tmp_path / "out" / "c.png").read_bytes() == before
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "in" / "c.png")
    other = translate(task)
    assert (other.pictures, other.found, other.renewed) == (3, 2, 1)
    with Image.open(tmp_path / "out" / "c.png") as image:
        assert image.size == (8, 8), "of the picture that is there now"
    with pytest.raises(UserError, match="made with direction a-to-b"):
        translate(Translate(run=run, source=str(tmp_path / "in"), out=tmp_path / "out", direction="b-to-a"))


def test_files_that_cannot_be_read_stop_a_translation_or_are_left_out(run, tmp_path):
    folder = drawn(tmp_path / "in", 2, seed=6)
    (folder / "broken.png").write_bytes(b"no picture")
    task = Translate(run=run, source=str(folder), out=tmp_path / "out")
    with pytest.raises(UserError, match=r"broken\.png.*--broken skip"):
        translate(task)
    assert translate(replace(task, broken="skip")).pictures == 2
    assert sorted(file.name for file in (tmp_path / "out").glob("*.png")) == ["place 000.png", "place 001.png"]


def test_transparent_pictures_are_translated_on_the_background_that_is_named(run, tmp_path):
    clear = np.zeros((16, 16, 4), np.uint8)
    for folder, picture in (("clear", clear), ("red", np.full((16, 16, 3), (255, 0, 0), np.uint8))):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / "a.png")
        translate(Translate(run=run, source=str(tmp_path / folder), out=tmp_path / f"{folder} out", background="red"))
    made, expected = (np.array(Image.open(tmp_path / f"{folder} out" / "a.png")) for folder in ("clear", "red"))
    assert np.array_equal(made[..., :3], expected)
    assert not made[..., 3].any(), "its transparency stays"
    with pytest.raises(UserError, match="made with background"):
        translate(Translate(run=run, source=str(tmp_path / "clear"), out=tmp_path / "clear out"))


def test_a_picture_is_translated_into_the_style_of_another_where_the_model_takes_one(run, source, tmp_path):
    folder = drawn(tmp_path / "styles", 2, seed=8)
    train(
        Train(
            model="translate/munit",
            data=str(source),
            other=str(folder),
            out=tmp_path / "run",
            set=(*MUNIT, "measure_kimg=-1", "health_kimg=-1"),
            kimg=0.004,
            quiet=True,
            estimate=False,
            device="cpu",
        )
    )
    one = str(folder / "place 001.png")
    task = Translate(run=tmp_path / "run", source=str(source), out=tmp_path / "out", style=one)
    translate(task)
    files = [str(path) for path in sorted(source.glob("*.png"))]
    given, style = (
        torch.stack([torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) for file in paths])
        for paths in (files, [one])
    )
    model = load(tmp_path / "run").model
    with torch.no_grad():
        found = model.style_of(to_float(style), "a-to-b").expand(len(files), -1)
        wanted = to_bytes(model.styled(to_float(given), found, "a-to-b")).permute(0, 2, 3, 1).numpy()
    made = [np.array(Image.open(path)) for path in sorted((tmp_path / "out").glob("*.png"))]
    assert np.abs(np.stack(made).astype(int) - wanted).max() <= 1, (
        "a batch of one adds in another order than one of five"
    )
    with pytest.raises(UserError, match="made with style"):
        translate(replace(task, style=str(folder)))
    with pytest.raises(UserError, match="takes no style"):
        translate(replace(task, run=run, out=tmp_path / "none"))


def test_a_large_picture_goes_through_in_tiles_with_the_statistics_of_the_whole(run, tmp_path, capsys):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 120, 3), dtype=np.uint8)).save(tmp_path / "in.png")
    made = []
    for name, memory in (("whole", 2.0), ("tiles", 0.0005)):
        translate(Translate(run=run, source=str(tmp_path / "in.png"), out=tmp_path / name, memory=memory))
        made.append(np.array(Image.open(tmp_path / name / "in.png")).astype(int))
        assert ("96x120 (height x width) goes through in" in capsys.readouterr().err) == (name == "tiles")
    assert abs(made[0] - made[1]).max() <= 1, "a value on the border of two bytes"
    with pytest.raises(UserError, match="too little"):
        translate(Translate(run=run, source=str(tmp_path / "in.png"), out=tmp_path / "not", memory=1e-5))


def test_pictures_of_another_size_are_refused_or_fitted(run, tmp_path):
    large = drawn(tmp_path / "large", 2, seed=6, side=24)
    task = Translate(run=run, source=str(large), out=tmp_path / "out", fit="stretch")
    assert translate(task).pictures == 2
    oblong = tmp_path / "oblong"
    oblong.mkdir()
    Image.new("RGB", (20, 16)).save(oblong / "x.png")
    with pytest.raises(UserError, match=r"--fit|crop"):
        translate(Translate(run=run, source=str(oblong), out=tmp_path / "not", fit="refuse"))
    assert not (tmp_path / "not").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "a-to-c"}, r"--direction a-to-c.*Did you mean.*Directions: a-to-b, b-to-a"),
        ({"to": "zip"}, r"--to zip writes a \.zip file"),
        ({"to": "grid"}, r"--to grid writes a \.png file"),
        ({"batch": 0}, r"--batch 0 must be at least 1"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_and_nothing_is_written(run, source, tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        translate(Translate(run=run, source=str(source), out=tmp_path / "out", **options))
    assert not list(tmp_path.iterdir())


def test_something_that_is_there_already_is_not_written_over(run, source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match=r"something is there already"):
        translate(Translate(run=run, source=str(source), out=tmp_path / "out"))
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_a_model_that_draws_does_not_translate_and_one_that_translates_does_not_draw(run, source, tmp_path):
    with pytest.raises(UserError, match=r"draws no samples of its own. `ganvas translate RUN SRC -o OUT`"):
        sample(Sample(run=run, n=4, out=tmp_path / "grid.png"))
    settings = ("resolution=16", "features=4", "features_max=8", "latent_size=4", "batch_size=4", "measure_kimg=-1")
    task = Train(model="gan/dcgan", data=str(source), out=tmp_path / "dcgan", set=settings, kimg=0.008, quiet=True)
    train(task)
    with pytest.raises(UserError, match=r"gan/dcgan cannot do this.*a model that turns pictures .*translate/cyclegan"):
        translate(Translate(run=tmp_path / "dcgan", source=str(source), out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_translations_are_measured_each_way_while_training_beside_their_floors(run):
    lines = [json.loads(line) for line in (run / "measures.jsonl").read_text().splitlines()]
    named = {result["metric"]: result for result in lines[-1]["results"]}
    ways = {"swd.a-to-b", "swd.b-to-a"}
    assert set(named) == ways | {f"{way}.linear_colours" for way in ways}
    # Noise of one law on both sides: barely trained generators blur it, which a distance between patches must see.
    assert all(result["value"] > 0 and result["n"] == COUNT for result in named.values())
    assert named["swd.a-to-b"]["protocol"] != named["swd.b-to-a"]["protocol"], "against other pictures"


@pytest.mark.slow
def test_the_best_state_may_be_chosen_by_the_distance_of_one_direction(tmp_path):
    run = trained_on(tmp_path, "measure_kimg=0.016", "keep_best=swd.b-to-a")
    described = json.loads((run / "run.json").read_text())
    assert described["status"] == "finished"
    with pytest.raises(UserError, match=r"keep_best=swd.*swd\.a-to-b, swd\.b-to-a"):
        trained_on(tmp_path / "other", "measure_kimg=0.016", "keep_best=swd")


def test_its_report_shows_sheets_losses_and_the_distances_of_both_directions(run, tmp_path):
    page = report(Report(run=run, out=tmp_path / "page.html")).path.read_text()
    for part in ("adversarial ab", "cycle a", "SWD, a-to-b", "SWD, b-to-a", "data:image/"):
        assert part in page, part
