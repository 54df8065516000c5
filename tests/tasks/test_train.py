import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.cli import main as command_line
from ganvas.core import catalogue
from ganvas.core.errors import TrainingFailed, UserError
from ganvas.tasks.train import Train, pick_device, request_of, resolve, train
from ganvas.train.kinds.kinds import kind_of

TINY = (
    "latent_size=8",
    "fmap_base=64",
    "fmap_max=8",
    "batch_size=8",
    "train_kimg=0.016",
    "fade_kimg=0.016",
    "measure_kimg=-1",
    "sample_kimg=1",
    "report_kimg=0.008",
)


def draw(folder: Path, count: int = 24, *, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    shape = {"L": size, "RGB": (*size, 3), "RGBA": (*size, 4)}[mode]
    for index in range(count):
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(folder / f"{index:03d}.png")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return draw(tmp_path_factory.mktemp("given") / "pictures")


@pytest.fixture
def task(pictures, tmp_path) -> Train:
    """Three steps of eight pictures of 16x16."""
    return Train(
        model="gan/progan",
        data=str(pictures),
        out=tmp_path / "run",
        set=TINY,
        kimg=0.024,
        quiet=True,
        estimate=False,
        device="cpu",
    )


def chosen(data: Path | str, *changes: str, model: str = "gan/progan", **options):
    """What a new run on ``data`` would be."""
    asked = Train(model=model, data=str(data), out=Path("unused"), set=changes, **options)
    module = catalogue.load("models", model)
    return resolve(asked, module, kind_of(module.Model.takes, asked.data), request_of(asked, None, quiet=True), None)


@pytest.mark.parametrize(
    ("size", "mode", "base", "resolution", "channels"),
    [
        ((32, 32), "RGB", (4, 4), 32, 3),
        ((28, 28), "L", (7, 7), 16, 1),
        ((64, 96), "RGB", (4, 6), 64, 3),
        ((96, 64), "RGBA", (6, 4), 64, 3),
    ],
)
def test_size_and_channels_are_those_of_the_pictures(tmp_path, size, mode, base, resolution, channels):
    config = chosen(draw(tmp_path / "in", 2, size=size, mode=mode)).config
    assert (config.base, config.resolution, config.channels) == (base, resolution, channels)
    assert config.picture.size == size


def test_the_most_frequent_size_decides(tmp_path):
    folder = draw(tmp_path / "in", 3, size=(32, 32))
    draw(folder / "large", 1, size=(64, 64))
    assert chosen(folder).config.resolution == 32


def test_defaults_yield_to_the_preset_the_preset_to_the_data_and_the_data_to_what_is_set(tmp_path):
    grey = draw(tmp_path / "in", 2, size=(64, 64), mode="L")
    default = catalogue.load("models", "gan/progan").Config()
    recipe = catalogue.load("recipes", "gan/progan").cifar10()
    assert (default.latent_size, default.channels) == (512, 3)

    plain = chosen(grey)
    assert (plain.config.latent_size, plain.config.resolution, plain.config.channels) == (512, 64, 1)
    preset = chosen(grey, preset="cifar10")
    assert (preset.config.latent_size, preset.config.resolution, preset.config.channels) == (128, 32, 1)
    assert preset.plan.total_kimg == recipe.plan.total_kimg == 20000
    changed = chosen(grey, "latent-size=16", "channels=3", "resolution=16", "mirror=yes", preset="cifar10")
    assert (changed.config.latent_size, changed.config.resolution, changed.config.channels) == (16, 16, 3)
    assert changed.config.penalty_target == 750
    assert changed.plan.mirror is True


def test_a_smaller_resolution_keeps_the_shape_of_the_pictures(tmp_path):
    config = chosen(draw(tmp_path / "in", 2, size=(64, 96)), "resolution=32").config
    assert (config.base, config.picture.size) == ((4, 6), (32, 48))


def test_alpha_is_kept_where_four_channels_are_set(tmp_path):
    assert chosen(draw(tmp_path / "in", 2, mode="RGBA"), "channels=4").config.channels == 4


def test_short_options_are_fields_of_the_plan(pictures):
    plan = chosen(pictures, kimg=7.5, seed=3, keep_best="swd", augment="ada").plan
    assert (plan.total_kimg, plan.seed, plan.keep_best, plan.augment) == (7.5, 3, "swd", "ada")


def test_conditional_counts_the_classes_and_wants_some(pictures, tmp_path):
    for name in ("ant", "bee", "cow"):
        draw(tmp_path / "in" / name, 2)
    assert chosen(tmp_path / "in").config.num_classes == 0
    assert chosen(tmp_path / "in", conditional=True).config.num_classes == 3
    with pytest.raises(UserError, match="sub-folder per class"):
        chosen(pictures, conditional=True)


def test_other_models_take_what_they_have_of_it(tmp_path):
    folder = draw(tmp_path / "in", 2, mode="L")
    for model in ("gan/dcgan", "vae/vae"):
        config = chosen(folder, model=model).config
        assert (config.resolution, config.channels) == (16, 1)


def test_a_dry_run_writes_nothing_and_gives_the_settings(task):
    result = train(replace(task, dry_run=True))
    assert not task.out.exists()
    assert (result.finished, result.kimg) == (False, 0)
    assert result.settings["config"]["resolution"] == 16
    assert result.settings["plan"]["total_kimg"] == 0.024


def test_a_dry_run_shows_the_settings_on_the_screen(task, capsys):
    assert command_line.run(replace(task, dry_run=True)) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["settings"]["config"]["latent_size"] == 8
    assert "fade_kimg" in shown.err
    assert "checkpoint_minutes" in shown.err


def test_a_dry_run_on_points_shows_no_settings_of_pictures(tmp_path, capsys):
    asked = Train(model="gan/wgan", data="mixtures:ring8", out=tmp_path / "run", dry_run=True)
    assert command_line.run(asked) == 0
    shown = capsys.readouterr()
    assert "features_max" in json.loads(shown.out)["settings"]["config"]  # All that a program reads.
    assert "width" in shown.err
    assert "features" not in shown.err
    assert "resolution" not in shown.err


def test_the_same_task_resumes_and_a_finished_run_is_left_as_it_is(task):
    assert train(task).finished
    before = {path: path.read_bytes() for path in task.out.rglob("*") if path.is_file() and path.name != "run.json"}
    described = json.loads((task.out / "run.json").read_text())
    again = train(task)
    assert (again.finished, again.kimg) == (True, 0.024)
    assert {path: path.read_bytes() for path in before} == before
    assert json.loads((task.out / "run.json").read_text()) == described


@pytest.mark.slow
def test_more_kimg_go_on_as_if_they_had_been_asked_for_at_once(task, tmp_path):
    train(task)
    assert train(replace(task, kimg=0.048)).kimg == 0.048
    train(replace(task, kimg=0.048, out=tmp_path / "at once"))
    assert (task.out / "log.jsonl").read_bytes() == (tmp_path / "at once" / "log.jsonl").read_bytes()
    assert json.loads((task.out / "run.json").read_text())["plan"]["total_kimg"] == 0.048


@pytest.mark.slow
def test_settings_that_alter_the_past_are_refused_by_name_and_both_values(task):
    train(task)
    before = (task.out / "run.json").read_bytes()
    for change in (replace(task, set=(*TINY, "lr=0.5")), replace(task, set=(*TINY, "lr=0.5"), dry_run=True)):
        with pytest.raises(UserError, match=r"begun with lr=0\.001, and now lr=0\.5"):
            train(change)
    with pytest.raises(UserError, match=r"begun with seed=0, and now seed=4"):
        train(replace(task, seed=4))
    with pytest.raises(UserError, match=r"is a run of gan/progan, not of vae/vae"):
        train(replace(task, model="vae/vae", set=()))
    assert (task.out / "run.json").read_bytes() == before
    assert train(replace(task, set=(*TINY, "keep_last=5", "checkpoint_minutes=1"))).finished


@pytest.mark.slow
def test_a_run_remembers_size_and_classes_so_that_the_data_need_not_be_looked_at_again(task, tmp_path):
    folder = tmp_path / "classes"
    for name in ("ant", "bee"):
        draw(folder / name, 9)
    first = train(replace(task, data=str(folder), conditional=True))
    assert first.settings["config"]["num_classes"] == 2
    assert train(replace(task, data=str(folder), kimg=0.032)).kimg == 0.032


@pytest.mark.slow
def test_a_relative_path_of_pictures_still_leads_there_from_elsewhere(task, tmp_path, monkeypatch):
    from ganvas.train.trained import load

    draw(tmp_path / "here" / "pictures", 9)
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    train(replace(task, data="pictures", out=Path("../run")))
    monkeypatch.chdir(tmp_path / "there")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data"]["spec"] == str(
        tmp_path / "here" / "pictures"
    )
    assert len(load(tmp_path / "run").reals(quiet=True)) == 9
    assert train(replace(task, data="../here/pictures", out=Path("../run"))).finished


@pytest.mark.slow
def test_a_part_of_a_source_keeps_its_part_in_a_lasting_path(task, tmp_path, monkeypatch):
    draw(tmp_path / "in" / "ant", 9)
    draw(tmp_path / "in" / "bee", 4)
    monkeypatch.chdir(tmp_path)
    train(replace(task, data="in::ant"))
    data = json.loads((task.out / "run.json").read_text())["data"]
    assert (data["spec"], data["count"]) == (f"{tmp_path / 'in'}::ant", 9)


def stepping(monkeypatch, act) -> None:
    """Calls ``act(state)`` after every step."""
    from ganvas.train.execution.executors import Eager

    stepped = Eager.step

    def step(self, batch, stage):
        turns = stepped(self, batch, stage)
        act(self.state)
        return turns

    monkeypatch.setattr(Eager, "step", step)


@pytest.mark.slow
def test_ctrl_c_saves_exits_with_130_and_the_same_command_goes_on(task, monkeypatch, capsys):
    task = replace(task, kimg=0.048)
    handler = signal.getsignal(signal.SIGINT)  # A shell that starts the suite in the background ignores the signal.
    with monkeypatch.context() as patch:
        stepping(patch, lambda state: os.kill(os.getpid(), signal.SIGINT) if state.step == 2 else None)
        assert command_line.run(task) == 130
    shown = capsys.readouterr()
    assert json.loads(shown.out)["stopped"] is True
    assert "stopped; the same command resumes" in shown.err
    assert command_line.run(task) == 0
    assert json.loads(capsys.readouterr().out)["kimg"] == 0.048
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.slow
def test_a_training_that_failed_exits_with_1_names_the_cause_and_keeps_the_state(task, monkeypatch, capsys):
    import torch

    def poison(state):
        with torch.no_grad():
            next(state.model.parameters()).fill_(math.nan)

    with monkeypatch.context() as patch:
        stepping(patch, poison)
        assert command_line.run(task) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Training stopped" in shown.err
    assert "is kept" in shown.err
    assert json.loads((task.out / "run.json").read_text())["status"] == "failed"
    with monkeypatch.context() as patch:
        stepping(patch, poison)
        with pytest.raises(TrainingFailed):
            train(task)
    assert train(task).finished  # From the last good state, once the cause is gone.


def test_a_device_that_is_not_there_is_refused():
    import torch

    assert pick_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="is not a device"):
        pick_device("gpu")
    with pytest.raises(UserError, match="trains on cpu and cuda"):
        pick_device("meta")
    if not torch.cuda.is_available():
        assert pick_device("auto") == torch.device("cpu")
        with pytest.raises(UserError, match="no CUDA device"):
            pick_device("cuda:1")


def test_held_out_pictures_are_refused_where_nothing_is_measured_on_them(tmp_path):
    folder, apart = draw(tmp_path / "in", 2), draw(tmp_path / "apart", 2)
    asked = Train(model="vae/autoencoder", data=str(folder), held_out=str(apart), out=tmp_path / "run", dry_run=True)
    with pytest.raises(UserError, match="vae/autoencoder gives no likelihood, judges nothing"):
        train(asked)
    train(replace(asked, model="gan/dcgan"))


def test_augmentation_is_refused_where_no_discriminator_sees_pictures(tmp_path):
    folder = draw(tmp_path / "in", 2)
    asked = Train(model="vae/vae", data=str(folder), augment="ada", out=tmp_path / "run", dry_run=True)
    with pytest.raises(UserError, match="--augment ada: vae/vae does not show pictures to a discriminator"):
        train(asked)


def test_a_run_begun_before_the_plan_had_all_its_fields_goes_on(task):
    train(task)
    described = json.loads((task.out / "run.json").read_text())
    described["plan"] = {name: value for name, value in described["plan"].items() if "augment" not in name}
    (task.out / "run.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="begun with augment=none, and now augment=ada"):
        train(replace(task, augment="ada"))
    assert train(task).finished


def test_a_run_too_short_to_grow_says_how_long_it_would_have_to_be(tmp_path):
    with pytest.raises(UserError, match=r"total_kimg=0\.001 is too short to grow to 64: give at least 0\.013"):
        chosen(draw(tmp_path / "in", 2, size=(64, 64)), kimg=0.001)


def test_a_run_that_is_resumed_keeps_the_threads_that_it_was_begun_with(tmp_path, monkeypatch):
    import torch

    from ganvas.tasks.train import threads_of

    chosen = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    begun = {"model": "vae/vae", "data": "scenes:16,16x16", "out": tmp_path / "run", "quiet": True, "estimate": False}
    settings = {"set": ("resolution=16", "features=4", "batch_size=8", "measure_kimg=-1"), "device": "cpu"}
    train(Train(**begun, **settings, kimg=0.008))
    run = tmp_path / "run" / "run.json"
    run.write_text(run.read_text().replace(f'"threads": {torch.get_num_threads()}', '"threads": 7'))
    assert threads_of(tmp_path / "run") == 7
    train(Train(**begun, device="cpu", kimg=0.016))
    train(Train(**begun, device="cpu", kimg=0.024, threads=2))
    assert chosen == [7, 2]
    assert threads_of(tmp_path / "none") is None
