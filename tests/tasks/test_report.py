import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.tasks.report import Report, report

STAGES = [{"kimg": 0, "resolution": 4, "fading": False}, {"kimg": 8, "resolution": 8, "fading": False}]


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "run.json").write_text(
        json.dumps({"format": 1, "model": "gan/unknown", "status": "running", "stages": STAGES})
    )
    return folder


def draw(folder, *kimgs):
    (folder / "samples").mkdir(exist_ok=True)
    for kimg in kimgs:
        picture = np.random.default_rng(kimg).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / "samples" / f"{kimg:06d}.00.png")


def test_the_page_is_written_into_the_run_and_nothing_else_is(run):
    before = set(run.rglob("*"))
    result = report(Report(run=run))
    assert result.path == run / "report.html"
    assert result.bytes == result.path.stat().st_size > 5000
    assert set(run.rglob("*")) - before == {run / "report.html"}


def test_the_page_can_go_elsewhere_and_a_folder_takes_its_usual_name(run, tmp_path):
    assert report(Report(run=run, out=tmp_path / "a" / "page.html")).path.is_file()
    assert report(Report(run=run, out=tmp_path / "a")).path == tmp_path / "a" / "report.html"


def test_a_name_that_is_no_page_is_refused(run):
    with pytest.raises(UserError, match=r"ends in \.html"):
        report(Report(run=run, out=run / "run.json"))
    assert json.loads((run / "run.json").read_text())["model"] == "gan/unknown"


def test_a_folder_that_is_no_run_is_refused_and_left_alone(tmp_path):
    with pytest.raises(UserError, match="is not a run"):
        report(Report(run=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_an_animation_gets_one_on_its_page_from_its_grids(run):
    draw(run, 4, 8, 12)
    text = report(Report(run=run)).path.read_text()
    (data,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', text)
    with Image.open(io.BytesIO(base64.b64decode(data))) as animation:
        assert (animation.n_frames, animation.size) == (3, (16, 16))


def test_a_damaged_sheet_is_omitted_from_the_animation_and_costs_nothing_else(run):
    draw(run, 4, 8, 12)
    (run / "samples" / "000008.00.png").write_bytes(b"\x89PNG cut")
    text = report(Report(run=run)).path.read_text()
    assert "data:image/png" in text
    (data,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', text)
    with Image.open(io.BytesIO(base64.b64decode(data))) as animation:
        assert animation.n_frames == 2


def test_a_second_report_replaces_the_first(run):
    small = report(Report(run=run)).bytes
    draw(run, 4)
    assert report(Report(run=run)).bytes > small
