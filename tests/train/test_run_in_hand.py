"""What becomes of a run whose training is stopped, killed at its ends, doubled, or robbed of its folder."""

import json
import os
import shutil
import signal
from contextlib import contextmanager

import pytest
import torch

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.process.listener import Listener
from ganvas.core.progress import listening
from ganvas.core.run_folder import RunFolder
from ganvas.train import checkpoint, loop
from ganvas.train.execution.executors import Eager
from ganvas.train.loop import train


@pytest.fixture
def at_step(monkeypatch):
    """``at_step(number, act)``: acts once, behind a step of the training."""

    def arrange(number, act):
        stepped = Eager.step

        def step(self, batch, stage):
            turns = stepped(self, batch, stage)
            if self.state.step + 1 == number:
                act()
            return turns

        monkeypatch.setattr(Eager, "step", step)

    return arrange


class Page(Listener):
    """A shell that is no terminal, with a button."""

    pressed = False

    def message(self, text):
        pass

    @contextmanager
    def bar(self, title, total, unit):
        yield lambda done, note="", left=None: None

    @contextmanager
    def stoppable(self):
        yield self.stopping

    def stopping(self):
        return self.pressed


@pytest.mark.slow
def test_a_second_shell_stops_a_training_which_saves_first(tiny_setup, at_step):
    page = Page()
    at_step(5, lambda: setattr(page, "pressed", True))
    with listening(page):
        stopped = train(tiny_setup(steps=12))
    assert (stopped.finished, stopped.nimg) == (False, 40)
    assert RunFolder(stopped.run).states()[-1].name == "000000.040"
    assert train(tiny_setup(steps=12)).finished


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none")
def test_a_terminal_that_is_closed_saves_the_state(tiny_setup, at_step):
    at_step(5, lambda: os.kill(os.getpid(), signal.SIGHUP))
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        stopped = train(tiny_setup(steps=12))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (stopped.finished, stopped.nimg) == (False, 40)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "plan"),
    [
        (3, {}),  # Found at the next line of the log,
        (3, {"report_kimg": 1.0, "sample_kimg": 1.0, "checkpoint_minutes": 0.0}),  # at the next save,
        (3, {"report_kimg": 1.0, "sample_kimg": 0.008}),  # at the next sheet,
        (12, {"report_kimg": 1.0, "sample_kimg": 1.0}),  # at the end.
    ],
)
def test_a_training_whose_folder_was_begun_anew_leaves_the_new_run_alone(tiny_setup, at_step, step, plan):
    setup = tiny_setup(steps=12, **plan)

    def begin_anew():
        shutil.rmtree(setup.run.path)
        RunFolder(setup.run.path).create({"model": "other", "cost": None})

    at_step(step, begin_anew)
    with pytest.raises(TrainingFailed, match="removed or begun anew"):
        train(setup)
    assert {path.name for path in setup.run.path.iterdir()} == {"run.json", ".training"}
    assert json.loads((setup.run.path / "run.json").read_text())["model"] == "other"


def test_a_state_of_another_run_is_refused(tiny_setup):
    setup = tiny_setup(steps=3)
    train(setup)
    described = json.loads((setup.run.path / "run.json").read_text())
    (setup.run.path / "run.json").write_text(json.dumps(described | {"id": "of another"}))
    with pytest.raises(UserError, match="is a state of another run"):
        train(tiny_setup(steps=6))


def test_a_run_whose_last_state_is_damaged_goes_on_from_the_one_before_and_ends_with_the_same_bits(tiny_setup, capsys):
    setup = tiny_setup(steps=6, checkpoint_minutes=0, keep_last=3)
    train(setup)
    run = setup.run
    last = run.states()[-1]
    undisturbed = checkpoint.load(last, "state")
    file = last / "state.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    train(tiny_setup(steps=6, checkpoint_minutes=0, keep_last=3))
    again = checkpoint.load(run.states()[-1], "state")
    assert run.states()[-1] == last
    assert all(torch.equal(again[0][key], tensor) for key, tensor in undisturbed[0].items())
    assert again[1] == undisturbed[1]
    assert (last.parent / f"damaged-{last.name}").is_dir()
    assert f"{last} is not as it was written" in capsys.readouterr().err


def test_a_run_whose_states_are_all_damaged_is_refused(tiny_setup):
    setup = tiny_setup(steps=2)
    train(setup)
    for state in setup.run.states():
        (state / "state.json").unlink()
    with pytest.raises(UserError, match=r"holds no state\.json"):
        train(tiny_setup(steps=6))


def test_a_run_that_was_killed_before_it_was_said_to_be_finished_is_finished_by_the_same_call(tiny_setup, monkeypatch):
    class Killed(BaseException):
        pass

    def dies(*_, **__):
        raise Killed

    setup = tiny_setup(steps=3)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "_finish", dies)
        with pytest.raises(Killed):
            train(setup)
    assert setup.run.describe()["status"] == "running"
    assert train(tiny_setup(steps=3)).finished
    assert setup.run.describe()["status"] == "finished"
    assert setup.run.film.exists()


def test_what_is_done_once_at_the_start_is_not_done_again_from_the_first_state(tiny_setup, at_step, monkeypatch):
    class Killed(BaseException):
        pass

    def dies():
        raise Killed

    once = []
    monkeypatch.setattr(loop, "_calibrate", lambda *_: once.append("calibrated"))
    with monkeypatch.context() as patch:
        patch.setattr(loop.Examiner, "measure", lambda self, state, stage: once.append("measured") and False)
        at_step(2, dies)
        with pytest.raises(Killed):
            train(tiny_setup(steps=4))
        assert once == ["calibrated", "measured"]
        with pytest.raises(Killed):
            train(tiny_setup(steps=4))
    assert once == ["calibrated", "measured"]
