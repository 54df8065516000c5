"""Screens that are read: what stands on them, and what is said where there is nothing to be read."""

import json

import pytest

from ganvas.app.access import Access
from ganvas.app.reading_questions import show_comparison, show_dissection, show_measures, show_network
from ganvas.app.studio import studio_of
from ganvas.core.errors import UserError


@pytest.fixture
def desk(tmp_path, write_run):
    write_run(tmp_path / "demo")
    return studio_of(tmp_path, Access(port=1))


def test_measures_stand_beside_their_floors(desk):
    shown = show_measures(desk, {"run": "demo"})["html"]
    assert "44.3 ± 3.3" in shown
    assert "10.7 ± 2.0" in shown


def test_what_is_not_there_yet_is_a_command(desk, tmp_path):
    (tmp_path / "demo" / "measures.jsonl").unlink()
    assert f"ganvas measure {tmp_path / 'demo'}" in show_measures(desk, {"run": "demo"})["html"]
    assert f"ganvas dissect {tmp_path / 'demo'}" in show_dissection(desk, {"run": "demo"})["html"]


def dissection(name="sand"):
    bars = {"trained": 25, "rotated": 17, "untrained": 5.5, "permuted": None}
    place = {"name": "#31", "label": "leaky_relu", "units": 64, "size": [8, 8]}
    unit = {"unit": 3, "free_label": name, "corrected": 0.31, "free_iou": 0.4, "p_value": None}
    layer = {"place": place, "detectors": bars, "best": bars, "significant": bars, "units": [unit]}

    def of(chosen_by, label, relative):
        effect = {"label": name, "before": 0.147, "relative": relative, "relative_error": 0.02}
        return {"chosen_by": chosen_by, "label": label, "units": [3, 5], "effects": [effect]}

    sets = [of("random", "", 0.04), of("effect", name, -0.9), of("iou", name, -0.25)]
    return {"subject": "demo", "whose": "trained", "labeller": "colours", "layers": [layer], "sets": sets}


def written(folder, content):
    (folder / "demo" / "dissection").mkdir(exist_ok=True)
    (folder / "demo" / "dissection" / "dissection.json").write_text(content)


def test_a_dissection_shows_its_twins_and_what_goes_without_units(desk, tmp_path):
    written(tmp_path, json.dumps(dissection()))
    shown = show_dissection(desk, {"run": "demo"})["html"]
    for cell in ("25", "17", "5.5", "14.7%", "90 ± 2 %", "25 ± 2 %", "−4", "3, 5"):
        assert f">{cell}<" in shown


def test_what_somebody_wrote_into_a_run_is_text_and_no_markup(desk, tmp_path):
    written(tmp_path, json.dumps(dissection(name="<script>alert(1)</script>")))
    shown = show_dissection(desk, {"run": "demo"})["html"]
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"sets": 3}', json.dumps(dissection() | {"layers": [{}]})])
def test_a_dissection_that_was_harmed_says_so(desk, tmp_path, content):
    written(tmp_path, content)
    assert "cannot be read" in show_dissection(desk, {"run": "demo"})["html"]


def test_a_network_is_drawn_and_runs_are_compared(trained_root):
    desk = studio_of(trained_root, Access(port=1))
    network = show_network(desk, {"run": "tiny", "tab": "a"})["html"]
    assert '<svg class="chart"' in network
    assert "ganvas diagram" in network
    compared = show_comparison(desk, {"runs": ["tiny", "twin"], "tab": "a"})["html"]
    assert "2 models compared" in compared
    assert f"ganvas compare {trained_root / 'tiny'}" in compared
    for few in ([], ["tiny"]):
        with pytest.raises(UserError, match="two runs or more"):
            show_comparison(desk, {"runs": few, "tab": "a"})
