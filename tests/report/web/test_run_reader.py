import json
import shutil

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.core.run_folder import FORMAT
from ganvas.report.drawing.plot_frame import Band
from ganvas.report.web.run_page import html
from ganvas.report.web.run_reader import bands, columns, milestones, picture_size, read, stage_at


def test_a_whole_run_is_read(fake_run):
    run = read(fake_run)
    assert (run.model, run.preset, run.status, run.seed, run.kimg) == ("gan/progan", "small", "finished", 0, 60.0)
    assert len(run.log["D/real"]) == 600
    assert run.pace["memory_mib"][-1] == 432
    assert [len(one.results) for one in run.measures] == [4] * 9
    assert [(sheet.size, sheet.kimg) for sheet in run.sheets] == [("4", 8), ("8", 20), ("16", 32), ("32", 60)]
    assert run.sheets[0].image == (fake_run / "samples" / "000008.00.png").read_bytes()
    assert [sheet.name for sheet in run.others] == ["reals"]
    assert run.film is not None
    assert run.notes == []


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(UserError, match="is not a run"):
        read(tmp_path)
    with pytest.raises(UserError, match="There is no folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(UserError, match="of another version"):
        read(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 1,')
    with pytest.raises(UserError, match="not whole JSON"):
        read(tmp_path)


@pytest.mark.parametrize("version", [1, FORMAT])
def test_runs_of_this_version_and_of_earlier_ones_are_shown(fake_run, version):
    run = json.loads((fake_run / "run.json").read_text())
    (fake_run / "run.json").write_text(json.dumps(run | {"format": version}))
    assert read(fake_run).model == "gan/progan"


@pytest.mark.parametrize("version", [0, FORMAT + 1, None, "1", [1], 1.5])
def test_runs_of_a_version_to_come_are_refused(fake_run, version):
    run = json.loads((fake_run / "run.json").read_text())
    (fake_run / "run.json").write_text(json.dumps(run | {"format": version}))
    with pytest.raises(UserError, match="of another version"):
        read(fake_run)


def test_a_broken_line_is_omitted_and_told(fake_run):
    with (fake_run / "log.jsonl").open("a") as file:
        file.write('{"nimg": 60100, "D/re\n{"kimg": 60.2}\n7\n')
    run = read(fake_run)
    assert len(run.log["kimg"]) == 601
    assert run.notes == ["log.jsonl: 2 of 603 lines could not be read and are omitted."]


def test_a_last_line_that_is_being_written_is_omitted_in_silence(fake_run):
    with (fake_run / "log.jsonl").open("a") as file:
        file.write('{"nimg": 60100, "D/re')
    run = read(fake_run)
    assert len(run.log["kimg"]) == 600
    assert run.notes == []


def test_run_json_alone_is_enough_and_wrong_kinds_of_value_are_not_believed(tmp_path):
    strange = {
        "format": 1,
        "data": [],
        "config": None,
        "command": "x",
        "stages": {"a": 1},
        "seed": "1",
        "preset": 3,
        "cost": None,
    }
    (tmp_path / "run.json").write_text(json.dumps(strange))
    run = read(tmp_path)
    assert (run.data, run.config, run.command, run.stages, run.seed, run.preset) == ({}, {}, [], [], None, None)
    assert run.kimg == 0


def test_columns_have_nan_where_a_row_lacks_a_number():
    table = columns([{"nimg": 1000, "a": 1}, {"kimg": 2.0, "a": None, "b": "x"}, {"a": 5}, {"kimg": 3, "a": True}])
    np.testing.assert_array_equal(table["kimg"], [1, 2, 3])  # The third row has no place in time.
    np.testing.assert_array_equal(table["a"], [1, np.nan, np.nan])
    assert "b" not in table


def test_stages_reach_to_the_next_and_the_last_to_the_end():
    stages = [{"kimg": 0, "resolution": 4, "fading": False}, {"kimg": 8, "resolution": 8, "fading": True}]
    assert bands(stages, end=9.5, data={}, config={}) == [
        Band(start=0, end=8, label="4"),
        Band(start=8, end=9.5, label="8", hatched=True),
    ]


def test_stages_are_named_by_the_size_that_their_pictures_have():
    # 28x28 is 7 doubled twice, and 48x24 is 6x3 doubled three times; models count 4, 8, 16, 32 all the same.
    digits, wide = {"height": 28, "width": 28}, {"height": 24, "width": 48}
    assert [picture_size(nominal, digits, {"resolution": 16}) for nominal in (4, 8, 16)] == ["7", "14", "28"]
    assert [picture_size(nominal, wide, {"resolution": 32}) for nominal in (4, 8, 32)] == ["6×3", "12×6", "48×24"]
    assert picture_size(8, {"height": "28", "width": 28}, {"resolution": 16}) == "8"


def test_the_first_image_of_a_stage_is_drawn_by_the_stage_before():
    stages = [Band(start=0, end=8, label="4"), Band(start=8, end=12, label="8", hatched=True)]
    assert [stage_at(kimg, stages) for kimg in (0, 8, 8.1, 20)] == ["4", "4", "8", "8"]


def test_a_run_that_does_not_grow_shows_grids_over_its_length():
    assert milestones([float(kimg) for kimg in range(101)], []) == [0, 20, 40, 60, 80, 100]
    assert milestones([1.0, 2.0], []) == [0, 1]
    assert milestones([], []) == []


def test_a_value_that_was_not_finite_is_unknown(fake_run):
    line = {"kimg": 64, "results": [{"metric": "swd", "value": None, "standard_error": None}], "floor": None}
    with (fake_run / "measures.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    (result,) = read(fake_run).measures[-1].results
    assert np.isnan(result.value)
    assert (result.standard_error, result.better, result.protocol) == (None, "neither", "")


def line(source, **told):
    result = {"metric": "swd", "value": 5.0, "standard_error": 0.1, "n": 64, "better": "lower", "protocol": "p"}
    return json.dumps({"nimg": 64_000, "source": source, "results": [result], **told}) + "\n"


def test_whose_reals_were_measured_is_as_the_line_says_and_in_older_lines_by_their_name(fake_run):
    told = [
        line("training"),
        line("measure", b="flags"),
        line("measure", b="scenes"),
        line("likelihood"),
        line("measure", b="flags", own=True),
        line("measure", b="scenes", own=False),
    ]
    (fake_run / "measures.jsonl").write_text("".join(told))
    assert [one.own for one in read(fake_run).measures] == [True, False, True, True, True, False]
    assert [one.kimg for one in read(fake_run).measures] == [64.0] * 6
    assert read(fake_run).measures[1].against == "flags"


STRANGE = [None, True, -1, 0, 10**400, 1e308, 1e-308, "\ud800", "x" * 300, [], [[]], {}, {"a": [1]}, [{"kimg": "a"}]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run.json", "log.jsonl", "cost.jsonl", "measures.jsonl"])
def test_no_kind_of_value_anywhere_stops_the_page(one_run, tmp_path, name):
    """In each turn every seventh value of a file becomes one of another kind, so that two turns reach them all."""
    for file in ("run.json", "log.jsonl", "cost.jsonl", "measures.jsonl"):
        lines = (one_run / file).read_text().splitlines()
        (tmp_path / file).write_text("\n".join(lines[-2:]) + "\n")
    first = (tmp_path / name).read_text().splitlines()[-1]
    places = [place for place in _places(json.loads(first)) if place != ("format",)]
    for turn in range(len(STRANGE)):
        changed = json.loads(first)
        for index in range(turn % 7, len(places), 7)[::-1]:  # What is inside another value comes first.
            *before, last = places[index]
            inner = changed
            for key in before:
                inner = inner[key]
            inner[last] = STRANGE[(index + turn) % len(STRANGE)]
        (tmp_path / name).write_text(json.dumps(changed) + "\n")
        html(read(tmp_path)).encode()


def _places(value, before=()):
    """Where a value can be exchanged: every key, and of lists the first place."""
    found = [before] if before else []
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    return found + [place for key, one in inner for place in _places(one, (*before, key))]


@pytest.mark.parametrize(
    "text", ['{"a": ' + "[" * 100_000, '{"a": ' + "9" * 10_000 + "}", "\x00", '{"a": NaN, "kimg": 1}']
)
def test_endless_brackets_and_numbers_are_lines_that_cannot_be_read(fake_run, text):
    for name in ("log.jsonl", "measures.jsonl"):
        (fake_run / name).write_text(text + "\n")
    html(read(fake_run))
    (fake_run / "run.json").write_text(text)
    with pytest.raises(UserError, match=r"not whole JSON|of another version"):
        read(fake_run)


@pytest.mark.slow
def test_whatever_picture_lies_in_samples_is_shown_under_its_name(fake_run):
    shutil.copy(fake_run / "samples" / "reals.png", fake_run / "samples" / "before_and_after.png")
    run = read(fake_run)
    assert [sheet.name for sheet in run.others] == ["reals", "before_and_after"]
    assert "<figcaption>Before and after</figcaption>" in html(run)
