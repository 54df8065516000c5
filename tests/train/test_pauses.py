import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.schedule import Steady
from ganvas.train.forecast import Forecast
from ganvas.train.monitors import Examination
from ganvas.train.pauses import Pause, plan_within, tried_pauses
from ganvas.train.plan import Plan

SHEET = Pause(kind="sample", interval=500, seconds=3.0)


def test_the_first_pause_comes_before_the_first_step():
    # At 0, 500, 1000, 1500 and 2000 samples; from 600 on at 1000, 1500 and 2000.
    assert SHEET.between(0, 2000) == 5 * 3
    assert SHEET.between(600, 2000) == 3 * 3
    assert Pause(kind="measure", interval=0, seconds=9.0).between(0, 2000) == 0


def test_a_forecast_counts_what_training_stands_still_for():
    schedule = Steady(batch_size=4, lr=1e-3)
    coming = Forecast(schedule=schedule, total_nimg=2000, seconds={0: 0.01}, flop={0: 1}, pauses=[SHEET])
    assert coming.seconds_between(0, 2000) == 20 + 15
    assert coming.pause_seconds_between(0, 2000) == 15
    coming.correction = 2.0  # The steps are slower than was tried; sheets are not.
    assert coming.seconds_between(0, 2000) == 40 + 15


def test_minutes_hold_steps_and_pauses():
    # 100 kimg take 1000 s. 41 sheets of 1 s and 11 measurements of 2 s are 63 s; 837 s of 900 are left: 83.7 kimg.
    pauses = [Pause(kind="sample", interval=2500, seconds=1.0), Pause(kind="measure", interval=10_000, seconds=2.0)]
    plan = plan_within(900, Plan(total_kimg=100), step_seconds=1000, pauses=pauses)
    assert (plan.total_kimg, plan.sample_kimg, plan.measure_kimg) == (84, 0, 0)


def test_where_sheets_would_take_most_of_the_minutes_there_are_fewer():
    # 41 sheets of 10 s are 410 s of 400. A quarter, 100 s, holds 9 after the first; 300 s are left for steps.
    pauses = [Pause(kind="sample", interval=2500, seconds=10.0)]
    plan = plan_within(400, Plan(total_kimg=100), step_seconds=1000, pauses=pauses)
    assert plan.total_kimg == 30
    assert plan.sample_kimg == pytest.approx(30 / 9)


def test_an_interval_that_was_given_stays():
    # A sheet of 1 s every kimg beside steps of 10 s per kimg: 11 s per kimg, after the first sheet.
    pauses = [Pause(kind="sample", interval=1000, seconds=1.0, free=False)]
    plan = plan_within(111, Plan(total_kimg=100, sample_kimg=1.0), step_seconds=1000, pauses=pauses)
    assert (plan.total_kimg, plan.sample_kimg) == (10, 1.0)


def test_minutes_that_the_first_and_the_last_sheet_fill_are_refused():
    pauses = [Pause(kind="sample", interval=2500, seconds=40.0)]
    with pytest.raises(UserError, match="take 1 min 20 s"):
        plan_within(60, Plan(total_kimg=100), step_seconds=1000, pauses=pauses)


class SteadyExamination(Examination):
    """Takes 2 s, and a hundredth of a second for every sample."""

    refusal, metrics = "", ()
    clock = 0.0

    def __init__(self, n):
        self.n = n

    def measure(self, state, stage):
        SteadyExamination.clock += 2 + self.n / 100
        return [], []


def test_a_measurement_is_as_long_as_two_smaller_ones_say(tiny_setup, monkeypatch):
    setup = tiny_setup(model="vae/vae", measure_kimg=0.0, measure_n=2048)
    monkeypatch.setattr("ganvas.train.pauses.time.perf_counter", lambda: SteadyExamination.clock)
    monkeypatch.setattr(type(setup.data), "__len__", lambda self: 1000)
    monkeypatch.setattr(type(setup.data), "examinations", lambda self, model, plan: [SteadyExamination(plan.measure_n)])
    stage = setup.model.schedule().at(0)
    _, measurement = tried_pauses(setup.model, setup.data, setup.plan, stage=stage, device=torch.device("cpu"))
    assert measurement.seconds == pytest.approx(2 + 1000 / 100)


def test_trying_a_sheet_and_a_measurement_leaves_nothing_behind(tiny_setup):
    setup = tiny_setup(model="vae/vae", measure_kimg=0.0, measure_n=32)
    before = {name: tensor.clone() for name, tensor in setup.model.state_dict().items()}
    stage = setup.model.schedule().at(0)
    sheet, measurement = tried_pauses(setup.model, setup.data, setup.plan, stage=stage, device=torch.device("cpu"))
    assert (sheet.kind, sheet.interval, sheet.free) == ("sample", 64, False)
    assert (measurement.kind, measurement.free) == ("measure", True)
    assert min(sheet.seconds, measurement.seconds) > 0
    assert all(torch.equal(before[name], tensor) for name, tensor in setup.model.state_dict().items())
    assert not list(setup.run.path.rglob("*.png"))
    assert not (setup.run.path / "measures.jsonl").exists()
