import json
import math
import os
import signal
from dataclasses import replace

import pytest
import torch
from PIL import Image

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.run_folder import RunFolder
from ganvas.train import loop
from ganvas.train.execution.executors import Eager
from ganvas.train.loop import train
from ganvas.train.sheets.sample_grids import NoSheets


def test_a_run_leaves_a_state_a_model_logs_and_sheets(tiny_setup):
    setup = tiny_setup(steps=12)
    outcome = train(setup)
    run = setup.run
    assert outcome.finished
    assert outcome.nimg == 96
    assert [folder.name for folder in run.states()] == ["000000.000", "000000.096"]
    assert [folder.name for folder in run.models()] == ["000000.000", "000000.096"]
    assert [entry["nimg"] for entry in run.lines("log.jsonl")] == [16, 32, 48, 64, 80, 96]
    assert (run.path / "samples" / "reals.png").exists()
    assert (run.path / "samples" / "growth.webp").exists()
    assert run.describe()["status"] == "finished"


def test_the_log_says_stage_and_terms_and_nothing_that_a_clock_says(tiny_setup):
    setup = tiny_setup(steps=4)
    train(setup)
    for entry in setup.run.lines("log.jsonl"):
        assert {"nimg", "kimg", "resolution", "fade", "lr", "D/gradient_penalty", "G/wasserstein"} <= entry.keys()
        assert not {"seconds", "when", "images_per_second"} & entry.keys()


def test_a_finished_run_is_left_as_it_is(tiny_setup):
    setup = tiny_setup(steps=3)
    train(setup)
    before = (setup.run.path / "log.jsonl").read_bytes()
    again = train(tiny_setup(steps=3))
    assert again.finished
    assert (setup.run.path / "log.jsonl").read_bytes() == before


def test_a_run_lasted_as_long_as_its_description_says(tiny_setup):
    setup = tiny_setup(steps=3)
    assert train(setup).seconds == setup.run.describe()["cost"]["seconds"]


def test_a_damaged_sheet_is_omitted_from_the_film(tmp_path):
    (tmp_path / "samples").mkdir()
    for kimg in range(3):
        Image.new("RGB", (8, 8), (kimg, 0, 0)).save(tmp_path / "samples" / f"{kimg:06d}.000.png")
    (tmp_path / "samples" / "000001.000.png").write_bytes(b"\x89PNG cut")
    NoSheets(tmp_path / "samples").film()
    with Image.open(tmp_path / "samples" / "growth.webp") as film:
        assert film.n_frames == 2


@pytest.mark.slow
def test_a_finished_run_goes_on_when_more_is_asked_for_as_if_it_had_been_asked_at_once(tiny_setup, tmp_path):
    train(tiny_setup(steps=4))
    train(tiny_setup(steps=10))
    longer = (tmp_path / "run" / "log.jsonl").read_bytes()
    for file in sorted((tmp_path / "run").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    train(tiny_setup(steps=10))
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == longer


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_state_and_the_same_call_goes_on(tiny_setup, monkeypatch, number):
    straight = tiny_setup(steps=14)
    train(straight)
    expected = (straight.run.path / "log.jsonl").read_bytes()
    for file in sorted(straight.run.path.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()

    stepped = Eager.step

    def step(self, batch, stage):
        turns = stepped(self, batch, stage)
        if self.state.step == 6:
            os.kill(os.getpid(), number)
        return turns

    monkeypatch.setattr(Eager, "step", step)
    stopped = train(tiny_setup(steps=14))
    assert not stopped.finished
    assert stopped.nimg == 7 * 8
    assert RunFolder(stopped.run).describe()["status"] == "stopped"
    monkeypatch.undo()
    assert train(tiny_setup(steps=14)).finished
    assert (stopped.run / "log.jsonl").read_bytes() == expected


def test_a_loss_that_is_no_number_stops_the_run_names_the_cause_and_keeps_the_last_good_state(tiny_setup, monkeypatch):
    stepped = Eager.step

    def step(self, batch, stage):
        weight = math.nan if self.state.nimg >= 80 else 1.0
        return stepped(self, replace(batch, images=batch.images * weight), stage)

    monkeypatch.setattr(Eager, "step", step)
    setup = tiny_setup(steps=20)
    with pytest.raises(TrainingFailed, match=r"D/.* became nan by 0\.096 kimg .*last good state, at 0 kimg, is kept"):
        train(setup)
    assert setup.run.describe()["status"] == "failed"
    tensors, _ = loop.checkpoint.load(setup.run.states()[-1], "state")
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    json.loads((setup.run.path / "log.jsonl").read_text().splitlines()[-1])


def test_weights_that_are_no_numbers_are_never_saved(tiny_setup, monkeypatch):
    stepped = Eager.step

    def step(self, batch, stage):
        turns = stepped(self, batch, stage)
        with torch.no_grad():
            next(self.state.model.parameters()).fill_(math.inf)
        return turns

    monkeypatch.setattr(Eager, "step", step)
    setup = tiny_setup(steps=1, report_kimg=10.0)
    with pytest.raises(TrainingFailed, match=r"the weights of generator\.\S+ are not finite at 0\.008 kimg"):
        train(setup)
    assert [folder.name for folder in setup.run.states()] == ["000000.000"]


@pytest.mark.slow
def test_the_optimisers_start_anew_whenever_the_network_changes(tiny_setup, monkeypatch):
    restarts = []
    stepped = Eager.step

    def step(self, batch, stage):
        moments = [moments for player in self.state.players for moments in player.optimizer.state.values()]
        restarts.append((stage.phase, {moment["step"].item() for moment in moments}))
        return stepped(self, batch, stage)

    monkeypatch.setattr(Eager, "step", step)
    train(tiny_setup(steps=16))
    first_of_phase = {}
    for phase, counts in restarts:
        first_of_phase.setdefault(phase, counts)
    assert len(first_of_phase) == 5
    assert all(counts <= {0.0} for counts in first_of_phase.values())


@pytest.mark.slow
def test_the_best_state_is_kept_beside_the_last(tiny_setup):
    setup = tiny_setup(steps=12, keep_best="swd", measure_kimg=0.024, measure_n=25, keep_last=1)
    train(setup)
    values = {
        entry["kimg"]: next(r["value"] for r in entry["results"] if r["metric"] == "swd")
        for entry in setup.run.lines("measures.jsonl")
    }
    best = min(values, key=lambda kimg: values[kimg])
    kept = {float(folder.name) for folder in setup.run.states()}
    assert kept == {best, 0.096}
    _, numbers = loop.checkpoint.load(setup.run.states()[-1], "state")
    assert numbers["numbers"]["best"] == [{"kimg": best, "value": values[best]}]


def test_a_batch_that_the_processes_cannot_share_is_refused_before_anything_is_written(tiny_setup):
    from ganvas.core.ranks import Ranks

    setup = replace(tiny_setup(), ranks=Ranks(rank=0, count=3))
    with pytest.raises(UserError, match="cannot be shared by 3 processes"):
        train(setup)
    assert not setup.run.states()


def test_bfloat16_activations_leave_float32_weights_and_finite_losses(tiny_setup):
    setup = tiny_setup(steps=6, precision="bfloat16")
    train(setup)
    tensors, _ = loop.checkpoint.load(setup.run.states()[-1], "state")
    assert {tensor.dtype for name, tensor in tensors.items() if name.startswith("model/")} == {torch.float32}
    assert all(math.isfinite(v) for e in setup.run.lines("log.jsonl") for v in e.values())


@pytest.mark.slow
def test_tensorboard_gets_what_the_log_gets(tiny_setup):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    setup = replace(tiny_setup(steps=4), tensorboard=True)
    train(setup)
    found = EventAccumulator(str(setup.run.path / "tensorboard"))
    found.Reload()
    entries = setup.run.lines("log.jsonl")
    for name in ("D/wasserstein", "G/wasserstein", "lr"):
        written = [(event.step, event.value) for event in found.Scalars(name)]
        assert written == [(entry["nimg"], pytest.approx(entry[name], rel=1e-6)) for entry in entries]  # float32


@pytest.mark.slow
def test_a_run_says_when_its_network_changes(tiny_setup):
    setup = tiny_setup(steps=10)  # TINY: 16 images at 4x4, then 32 of fade and 16 of training per doubling.
    train(setup)
    stages = [(s["kimg"], s["resolution"], s["fading"]) for s in setup.run.describe()["stages"]]
    assert stages == [(0.0, 4, False), (0.016, 8, True), (0.048, 8, False), (0.064, 16, True)]


@pytest.mark.slow
def test_the_finished_model_is_measured_whatever_the_interval(tiny_setup):
    setup = tiny_setup(steps=6, measure_kimg=10.0, measure_n=25)
    train(setup)
    assert [entry["nimg"] for entry in setup.run.lines("measures.jsonl")] == [0, 48]
