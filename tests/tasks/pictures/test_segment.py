"""Training on pairs of files and naming classes of pictures of any size, as a person would do it."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder
from ganvas.report.pictures.class_colours import class_colours
from ganvas.tasks.data import Export, export
from ganvas.tasks.pictures.segment import Segment, segment
from ganvas.tasks.train import Train, train

SETTINGS = ("features=4", "levels=1", "convolutions=same", "optimizer=adam", "lr=0.02", "batch_size=8", "dropout=0")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes") / "set"
    export(Export(source="scenes:40,16x24", out=folder), quiet=True)
    return folder


@pytest.fixture(scope="module")
def run(shapes, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    task = Train(
        model="segment/unet",
        data=str(shapes / "pictures"),
        target=str(shapes / "masks"),
        held_out="scenes:32,16x24,seed=4",
        out=out,
        set=SETTINGS,
        kimg=0.64,
        quiet=True,
        estimate=False,
        device="cpu",
    )
    train(task)
    return out


def test_an_export_holds_the_pictures_and_the_classes_of_their_pixels(shapes):
    from ganvas.data.scenes.scenes import Scenes

    images, masks, _ = Scenes(16, 24, count=40).pictures(0, 40)
    read = [np.asarray(Image.open(shapes / "pictures" / f"{k:06d}.png")) for k in range(40)]
    assert np.array_equal(np.stack(read), images)
    read = [np.asarray(Image.open(shapes / "masks" / f"{k:06d}.png")) for k in range(40)]
    assert np.array_equal(np.stack(read), masks)


def test_training_on_pairs_is_scored_on_held_out_ones_beside_a_table_of_colours(run):
    folder = RunFolder(run)
    assert folder.describe()["config"]["pixel_classes"] == 15
    assert folder.describe()["data"]["target"]["count"] == 40
    results = {one["metric"]: one["value"] for one in folder.lines("measures.jsonl")[-1]["results"]}
    assert 0 < results["mean_iu"] < 1
    assert results["pixel_accuracy"] > 0.4, "more than calling everything sky"
    assert results["mean_iu.colour_table"] > 0


def test_pictures_of_any_size_are_labelled_under_their_names_and_scored(run, shapes, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, size in (("a.jpg", (19, 33)), ("sub/b.png", (50, 8)), ("c.webp", (5, 5))):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(tmp_path / "in" / name)
    done = segment(Segment(run=run, source=str(tmp_path / "in"), out=tmp_path / "out", overlay=True))
    assert (done.pictures, done.found, done.classes) == (3, 0, 15)
    for name, size in (("a", (19, 33)), ("sub/b", (50, 8)), ("c", (5, 5))):
        with Image.open(tmp_path / "out" / f"{name}.png") as image:
            assert (image.mode, image.size[::-1]) == ("P", size)
            assert image.getpalette()[:45] == class_colours(15).flatten().tolist()
            assert np.asarray(image).max() < 15
        assert (tmp_path / "out" / "overlays" / f"{name}.png").exists()
    again = segment(Segment(run=run, source=str(tmp_path / "in"), out=tmp_path / "out", overlay=True))
    assert (again.pictures, again.found) == (3, 3)

    scored = segment(
        Segment(run=run, source=str(shapes / "pictures"), out=tmp_path / "own", truth=str(shapes / "masks"))
    )
    read = [np.asarray(Image.open(tmp_path / "own" / f"{k:06d}.png")) for k in range(40)]
    truth = [np.asarray(Image.open(shapes / "masks" / f"{k:06d}.png")) for k in range(40)]
    assert scored.scores["pixel_accuracy"] == pytest.approx((np.stack(read) == np.stack(truth)).mean())
    named, known = np.stack(truth), [np.asarray(Image.open(shapes / "pictures" / f"{k:06d}.png")) for k in range(40)]
    cells = np.stack(known) // 16 @ np.array([256, 16, 1])
    table = {cell: np.bincount(named[cells == cell]).argmax() for cell in np.unique(cells)}
    by_colour = np.vectorize(table.get)(cells)
    assert scored.floor["pixel_accuracy"] == pytest.approx((by_colour == named).mean())


def test_a_folder_that_was_made_otherwise_is_refused(run, shapes, tmp_path):
    out = tmp_path / "out"
    segment(Segment(run=run, source=str(shapes / "pictures"), out=out))
    with pytest.raises(UserError, match="made with overlay False"):
        segment(Segment(run=run, source=str(shapes / "pictures"), out=out, overlay=True))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(UserError, match="something is there already"):
        segment(Segment(run=run, source=str(shapes / "pictures"), out=tmp_path / "mine"))
    assert json.loads((out / "segment.json").read_text())["model"] == "segment/unet"


def test_what_cannot_be_is_said_by_name(run, shapes, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"a\.png is not a picture"):
        segment(Segment(run=run, source=str(tmp_path / "in"), out=tmp_path / "out"))
    Image.new("RGB", (9, 9)).save(tmp_path / "in" / "a.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "in" / "a.bmp")
    with pytest.raises(UserError, match=r"a\.bmp and a\.png would both be written to a\.png"):
        segment(Segment(run=run, source=str(tmp_path / "in"), out=tmp_path / "out2"))
    with pytest.raises(UserError, match="no label map named a"):
        segment(
            Segment(run=run, source=str(tmp_path / "in" / "a.png"), out=tmp_path / "out3", truth=str(shapes / "masks"))
        )
    with pytest.raises(UserError, match="must be above 0"):
        segment(Segment(run=run, source=str(tmp_path / "in"), out=tmp_path / "out4", memory=0))


def test_a_label_map_as_a_file_is_as_small_as_its_numbers_allow():
    from ganvas.tasks.pictures.segment import paletted

    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with Image.open(io.BytesIO(paletted(numbers))) as image:
        assert np.array_equal(np.asarray(image), numbers)
