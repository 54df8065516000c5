"""Screens that are read: what stands on them, and what is said where there is nothing to be read."""

import json

import pytest

from ganvas.app.access import Access
from ganvas.app.answers.gallery_questions import show_gallery, show_realism
from ganvas.app.answers.network_questions import show_field, show_network
from ganvas.app.answers.reading_questions import show_comparison, show_dissection, show_measures
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
    layer = {"place": place, "fitting": bars, "best": bars, "significant": bars, "units": [unit]}

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


def test_units_are_shown_for_the_eye_and_what_goes_without_them(trained_root):
    desk = studio_of(trained_root, Access(port=1))
    given = {"run": "tiny", "tab": "a"}
    shown = show_gallery(desk, given | {"order": "rare"})
    active = [one["active"] for one in shown["units"]]
    assert active == sorted(active)
    assert len(active) == shown["of"] == 8
    assert shown["command"].endswith("--edit units.json -o " + str(trained_root / "tiny-edited"))
    changes = [one["change"] for one in show_gallery(desk, given | {"order": "change"})["units"]]
    assert changes == sorted(changes, reverse=True)
    told = show_realism(desk, given | {"layer": shown["layer"], "units": [0, 3]})["html"]
    assert "without the 2 chosen" in told
    assert told.count("without 2 at random") >= 3
    for units, why in (
        ([], "0 of the 8 units of .* from 1 to 4"),
        ([0, 1, 2, 3, 4], "5 of the 8 units of .* from 1 to 4"),
        ([99], "no unit 99"),
    ):
        with pytest.raises(UserError, match=why):
            show_realism(desk, given | {"layer": shown["layer"], "units": units})


def test_a_network_is_drawn_and_runs_are_compared(trained_root):
    desk = studio_of(trained_root, Access(port=1))
    network = show_network(desk, {"run": "tiny", "tab": "a"})["html"]
    assert '<svg class="chart"' in network
    assert "ganvas diagram" in network
    field = show_field(desk, {"run": "tiny", "tab": "a"})
    assert (field["kind"], field["layer"]) == ("draws", field["layers"][len(field["layers"]) // 2]["name"])
    assert "of 64 pixels, within" in field["html"]
    last = {"run": "tiny", "tab": "a", "part": "discriminator", "layer": "#2", "row": "0", "column": "99"}
    looks = show_field(desk, last)
    assert (looks["kind"], looks["cell"]) == ("looks", [0, 7])
    assert "is moved by 1 of 64 pixels, within 1×1" in looks["html"]  # A convolution of one pixel.
    with pytest.raises(UserError, match="no operation #999"):
        show_field(desk, {"run": "tiny", "tab": "a", "layer": "#999"})
    compared = show_comparison(desk, {"runs": ["tiny", "twin"], "tab": "a"})["html"]
    assert "2 models compared" in compared
    assert f"ganvas compare {trained_root / 'tiny'}" in compared
    for few in ([], ["tiny"]):
        with pytest.raises(UserError, match="two runs or more"):
            show_comparison(desk, {"runs": few, "tab": "a"})
