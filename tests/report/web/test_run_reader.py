import json

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.report.web.chart import Band
from ganvas.report.web.run_reader import bands, columns, milestones, read, stage_at


def test_a_whole_run_is_read(fake_run):
    run = read(fake_run)
    assert (run.model, run.preset, run.status, run.seed, run.kimg) == ("gan/progan", "small", "finished", 0, 60.0)
    assert len(run.log["D/real"]) == 600
    assert run.pace["memory_mib"][-1] == 432
    assert [len(one.results) for one in run.measures] == [4] * 9
    assert [(sample.resolution, sample.kimg) for sample in run.samples] == [(4, 8), (8, 20), (16, 32), (32, 60)]
    assert run.samples[0].image == (fake_run / "samples" / "000008.00.png").read_bytes()
    assert run.reals is not None
    assert run.growth is not None
    assert run.notes == []


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(UserError, match="is not a run"):
        read(tmp_path)
    with pytest.raises(UserError, match="There is no folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(UserError, match="does not describe a run"):
        read(tmp_path)
    (tmp_path / "run.json").write_text('{"format": 1,')
    with pytest.raises(UserError, match="not whole JSON"):
        read(tmp_path)


def test_a_broken_line_is_left_out_and_told(fake_run):
    with (fake_run / "log.jsonl").open("a") as file:
        file.write('{"nimg": 60100, "D/re\n{"kimg": 60.2}\n7\n')
    run = read(fake_run)
    assert len(run.log["kimg"]) == 601
    assert run.notes == ["log.jsonl: 2 of 603 lines could not be read and are left out."]


def test_a_last_line_that_is_being_written_is_left_out_in_silence(fake_run):
    with (fake_run / "log.jsonl").open("a") as file:
        file.write('{"nimg": 60100, "D/re')
    run = read(fake_run)
    assert len(run.log["kimg"]) == 600
    assert run.notes == []


def test_run_json_alone_is_enough_and_wrong_kinds_of_value_are_not_believed(tmp_path):
    strange = {"data": [], "config": None, "command": "x", "stages": {"a": 1}, "seed": "1", "preset": 3, "cost": None}
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
    assert bands(stages, end=9.5) == [
        Band(start=0, end=8, label="4"),
        Band(start=8, end=9.5, label="8", hatched=True),
    ]


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
