"""A run on boxes, from the command to the boxes in pictures."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.models.detect import csp
from ganvas.tasks.pictures.detect import Detect, detect
from ganvas.tasks.report import Report, report
from ganvas.tasks.sample import Sample, sample
from ganvas.tasks.train import Train, train
from ganvas.train.kinds import box_kind
from ganvas.train.kinds.box_kind import BoxKind
from ganvas.train.kinds.kind import SourceRequest
from ganvas.train.kinds.kinds import kind_of
from ganvas.train.plan import Plan

TINY = ("backbone=small", "base_width=2", "features=3", "least_height=8", "batch_size=4", "average=0.5")
STREET = "street:8,32x48"


def begin(out, *changes, data=STREET, kimg=0.016, **options):
    how = {"kimg": kimg, "set": (*TINY, *changes), "quiet": True, "estimate": False} | options
    return train(Train(model="detect/csp", data=data, out=out, **how))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on streets."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert begin(
        out, "sample_kimg=0.008", "measure_kimg=0.016", "mirror=true", held_out="street:4,32x48,seed=1"
    ).finished
    return out


@pytest.fixture
def photos(tmp_path):
    """A picture that lies on its side by what its camera wrote, a grey one, and a large one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(3)
    turned = Image.fromarray(rng.integers(0, 255, (30, 50, 3), np.uint8))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif)
    Image.fromarray(rng.integers(0, 255, (20, 20), np.uint8)).save(folder / "grey.png")
    Image.new("RGB", (90, 70), (128, 128, 128)).save(folder / "empty.png")
    return folder


def test_a_model_of_boxes_takes_boxes():
    assert isinstance(kind_of((BoxedPictures,), "street"), BoxKind)


def test_the_run_says_what_its_boxes_are_and_shows_them_drawn(run):
    described = json.loads((run / "run.json").read_text())
    assert (described["config"]["height"], described["config"]["width"]) == (32, 48)
    assert described["data"]["boxes"]["category"] == "person"
    assert described["data"]["boxes"]["objects"] > 3
    sheets = sorted((run / "samples").glob("*.png"))
    assert len(sheets) >= 2
    with Image.open(sheets[0]) as image:
        assert (255, 64, 48) in {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}


def test_what_is_missed_is_measured_beside_the_boxes_that_are_likely_without_looking(run):
    (line,) = (run / "measures.jsonl").read_text().splitlines()[-1:]
    found = {one["metric"]: one for one in json.loads(line)["results"]}
    assert {"miss_rate", "ap", "ap50", "miss_rate.prior_boxes", "ap50.prior_boxes"} <= found.keys()
    assert 0 <= found["miss_rate"]["value"] <= 1
    assert "from8px" in found["miss_rate"]["protocol"]
    assert len({one["protocol"] for one in found.values()}) == 1  # So that a report draws both on one chart.


def test_boxes_are_written_as_a_coco_file_inside_upright_pictures_and_drawn(run, photos, tmp_path):
    done = detect(Detect(run=run, source=str(photos), out=tmp_path / "b.json", draw=tmp_path / "drawn", score=0.0))
    assert (done.pictures, done.category) == (3, "person")
    told = json.loads((tmp_path / "b.json").read_text())
    sizes = {one["file_name"]: (one["height"], one["width"]) for one in told["images"]}
    assert sizes == {"turned.jpg": (50, 30), "grey.png": (20, 20), "empty.png": (70, 90)}
    by_number = {one["id"]: (one["width"], one["height"]) for one in told["images"]}
    assert len(told["annotations"]) > 3
    for one in told["annotations"]:
        left, top, width, height = one["bbox"]
        assert left >= 0
        assert top >= 0
        assert width > 0
        assert left + width <= by_number[one["image_id"]][0] + 0.02
        assert top + height <= by_number[one["image_id"]][1] + 0.02
    with Image.open(tmp_path / "drawn/turned.png") as image:
        assert image.size == (30, 50)


def test_pictures_in_which_nothing_is_found_are_allowed(run, photos, tmp_path):
    done = detect(Detect(run=run, source=str(photos / "empty.png"), out=tmp_path / "b.json", score=0.999))
    assert (done.pictures, done.empty, done.boxes) == (1, 1, 0)
    assert json.loads((tmp_path / "b.json").read_text())["annotations"] == []


def test_what_is_found_is_held_against_boxes_that_are_known(run, photos, tmp_path):
    detect(Detect(run=run, source=str(photos), out=tmp_path / "all.json", score=0.0))
    told = json.loads((tmp_path / "all.json").read_text())
    told["annotations"] = sorted(told["annotations"], key=lambda one: -one["score"])[:5]
    told["images"] = [one for one in told["images"] if one["file_name"] != "empty.png" or one["id"] in _ids(told)]
    (tmp_path / "truth.json").write_text(json.dumps(told))
    how = {"run": run, "source": str(photos), "truth": tmp_path / "truth.json", "score": 0.9}
    done = detect(Detect(out=tmp_path / "b.json", curve=tmp_path / "missed.svg", **how))
    found = {one.metric: one.value for one in done.results}
    assert (found["ap"], found["ap50"]) == (1, 1)  # The five surest boxes are the truth, to the hundredth of a pixel.
    assert "as-they-are" in done.results[0].protocol
    assert "false boxes per picture" in (tmp_path / "missed.svg").read_text()
    assert done.untold == 3 - len(told["images"])
    told["images"][0]["width"] += 1
    (tmp_path / "truth.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match=r"upright\. Give the boxes of the pictures as they are"):
        detect(Detect(out=tmp_path / "c.json", **how))
    told |= {"images": [{"id": 1, "file_name": "z.png"}], "annotations": []}
    (tmp_path / "truth.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match="lists none of the pictures"):
        detect(Detect(out=tmp_path / "c.json", **how))
    assert not (tmp_path / "c.json").exists()


def _ids(told):
    return {one["image_id"] for one in told["annotations"]}


def test_what_is_detected_can_be_learnt_from(run, photos, tmp_path):
    detect(Detect(run=run, source=str(photos), out=tmp_path / "b.json", score=0.0))
    config, request = csp.TINY, SourceRequest(data=str(photos), target=str(tmp_path / "b.json"), fit="pad", quiet=True)
    data = BoxKind().prepare(request, config, Plan())
    assert len(data) == 3
    assert "boxes of person" in data.sentence()


def test_a_detector_says_that_it_draws_nothing_and_what_it_does(run, tmp_path):
    with pytest.raises(UserError, match=r"draws no samples of its own. `ganvas detect RUN SRC"):
        sample(Sample(run=run, n=4, out=tmp_path / "g.png"))


def test_detecting_refuses_what_cannot_be(run, photos, tmp_path):
    (tmp_path / "there.json").write_text("{}")
    known = {"out": tmp_path / "b.json", "truth": tmp_path / "there.json"}
    for options, reason in (
        ({"out": tmp_path / "there.json"}, "is there already"),
        ({"out": tmp_path / "no/b.json"}, "there is no folder"),
        ({"out": tmp_path / "b.json", "score": 1.5}, "must lie between 0 and 1"),
        ({"out": tmp_path / "b.json", "curve": tmp_path / "c.svg"}, "Name their file: --truth"),
        (known | {"curve": tmp_path / "nowhere" / "c.svg"}, "--curve .*there is no folder"),
        (known | {"curve": tmp_path / "c.txt"}, "the suffix '.txt'"),
        ({"out": tmp_path / "b.json", "draw": photos / "drawn"}, "lies inside"),
    ):
        with pytest.raises(UserError, match=reason):
            detect(Detect(run=run, source=str(photos), **options))
    (photos / "no.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"no\.jpg is not a picture.*Remove it, or mend it"):
        detect(Detect(run=run, source=str(photos), out=tmp_path / "b.json"))
    assert not (tmp_path / "b.json").exists()


def test_a_run_that_is_interrupted_and_resumed_is_the_run_that_never_was(run, tmp_path):
    how = {"held_out": "street:4,32x48,seed=1"}
    for kimg in (0.008, 0.016):
        begin(tmp_path / "run", "sample_kimg=0.008", "measure_kimg=0.016", "mirror=true", kimg=kimg, **how)
    ours, theirs = (max((one / "model").iterdir()) / "model.safetensors" for one in (tmp_path / "run", run))
    assert ours.read_bytes() == theirs.read_bytes()


def test_pictures_and_boxes_are_mirrored_by_the_same_coins(tmp_path):
    request = SourceRequest(data="street:8,32x48", quiet=True)
    data = BoxKind().prepare(request, replace(csp.TINY, width=48), Plan())
    how = {"device": torch.device("cpu"), "ranks": Ranks()}
    plain, turned = (
        data.feed(csp.Model(csp.TINY), Plan(mirror=mirror), **how).batch(0, Stage(batch_size=8, lr=0))
        for mirror in (False, True)
    )
    flipped = (turned.images != plain.images).flatten(1).any(1)
    assert 0 < flipped.sum() < 8
    back = turned.corners.clone()
    back[..., 0], back[..., 2] = 48 - turned.corners[..., 2], 48 - turned.corners[..., 0]
    there = (plain.kinds >= 0)[..., None]
    torch.testing.assert_close(torch.where(flipped[:, None, None], back, turned.corners) * there, plain.corners)
    torch.testing.assert_close(turned.images[flipped], plain.images[flipped].flip(-1))


def test_the_report_shows_the_boxes(run, tmp_path):
    page = report(Report(run=run, out=tmp_path / "page.html")).path.read_text()
    assert "data:image" in page
    assert "Log-average miss rate" in page


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"other": "street:5"}, "--other street:5"),
        ({"conditional": True}, "--conditional: this model learns boxes"),
        ({"held_out": STREET}, "holds the .* that are trained on"),
        ({"data": "scenes:8"}, "scenes:8 does not hold them"),
        ({"held_out_target": "x.json"}, "belongs to pictures that are kept apart"),
    ],
)
def test_what_a_run_of_boxes_cannot_take_is_refused(tmp_path, options, reason):
    with pytest.raises(UserError, match=reason):
        begin(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_settings_are_shown_only_of_a_file_of_boxes_that_can_be_learnt_from(photos, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UserError, match="is no COCO file"):
        begin(tmp_path / "run", data=str(photos), target=str(tmp_path / "x.json"), fit="pad", dry_run=True)


def test_pictures_are_not_looked_through_where_their_boxes_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(box_kind, "survey", lambda *_, **__: pytest.fail("20,000 scenes are drawn for nothing"))
    with pytest.raises(UserError, match="scenes does not hold them"):
        begin(tmp_path / "run", data="scenes", dry_run=True)
