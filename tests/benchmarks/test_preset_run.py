"""Runs of gates: one whose preset changed since it was begun is not measured as if it were the preset's."""

import dataclasses

import pytest
from benchmarks.gates import preset_run
from benchmarks.gates.preset_run import finished_run

from ganvas.core import catalogue
from ganvas.core.files.atomic_files import write_json
from ganvas.tasks.train import Train


def test_a_run_of_a_preset_that_changed_since_is_refused(tmp_path, monkeypatch):
    task, begun = Train(model="fill/gated", data="scenes:8,32x32", out=tmp_path / "run", preset="small"), []
    monkeypatch.setattr(preset_run, "train", lambda task: begun.append(task) or type("Done", (), {"finished": True}))
    finished_run(task)
    task.out.mkdir()
    write_json(task.out / "run.json", {})
    finished_run(task)
    recipe = catalogue.preset("fill/gated", "small")
    changed = dataclasses.replace(recipe, config=dataclasses.replace(recipe.config, lr=0.5))
    monkeypatch.setattr(catalogue, "preset", lambda model, name: changed)
    with pytest.raises(SystemExit, match="another preset small of fill/gated"):
        finished_run(task)
    assert len(begun) == 2
