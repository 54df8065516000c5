"""Every diagnosis with its disease provoked on a tiny game, and none of a healthy one."""

import json

import pytest
import torch
from torch import nn

from ganvas.core.errors import TrainingFailed
from ganvas.core.ranks import Ranks
from ganvas.core.run_folder import RunFolder
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan import dcgan
from ganvas.nn.layers.initialise import initialise
from ganvas.tasks.train import Train, train
from ganvas.train.augmented import augmented
from ganvas.train.execution.executors import Eager
from ganvas.train.health.broken_layer import first_broken_layer
from ganvas.train.health.diagnoses import DIAGNOSES, findings
from ganvas.train.health.monitor import Monitor
from ganvas.train.health.specimens import LOOKED_AT, specimens
from ganvas.train.plan import Plan
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

STAGE = Stage(resolution=16, batch_size=16, lr=2e-3)


def pictures(n, seed=1):
    return torch.rand(n, 3, 16, 16, generator=stream(seed, "pictures")) * 2 - 1


class Patient:
    """A tiny game, looked after by a monitor."""

    def __init__(self, folder, *, count=64, augment="none"):
        model = dcgan.Model(dcgan.TINY)
        initialise(model, stream(0, "weights"))
        self.state = new_state(augmented(model, Plan(augment=augment)))
        self.data, run = pictures(count), RunFolder(folder / "run")
        run.create({})
        known = specimens(lambda rows: self.data[rows], count, seed=0, held_out=pictures(LOOKED_AT, seed=9))
        self.monitor = Monitor(run, Plan(total_kimg=1000), known, quiet=True)
        self.known = known

    def check(self, kimg):
        """The names of what is found at a moment."""
        self.state.nimg = round(1000 * kimg)
        return [found.name for found in self.monitor.check(self.state, STAGE)]

    def train(self, steps):
        execute = Eager(self.state, seed=0, ranks=Ranks(), precision=torch.float32)
        set_learning_rate(self.state, STAGE.lr)
        for _ in range(steps):
            rows = torch.arange(self.state.nimg, self.state.nimg + 16) % len(self.data)
            execute.step(Pictures(images=self.data[rows]), STAGE)
            self.state.nimg += 16


@pytest.fixture
def patient(tmp_path):
    return Patient(tmp_path)


class Silent(nn.Module):
    """A generator that has forgotten its latent."""

    def forward(self, z):
        return torch.full((len(z), 3, 16, 16), 0.2)


class Copier(nn.Module):
    """A generator that knows some pictures by heart."""

    def __init__(self, known):
        super().__init__()
        self.known = known

    def forward(self, z):
        return self.known[: len(z)]


def test_a_generator_that_forgets_its_latent_has_collapsed_since_it_did(patient):
    patient.state.model.generator = Copier(pictures(LOOKED_AT, seed=2))  # Varied, and nobody's copy.
    assert patient.check(10) == []
    patient.state.model.generator = Silent()
    assert patient.check(20) == [], "once may be chance"
    assert patient.check(30) == ["mode collapse"]
    assert patient.monitor.note == "mode collapse since 20 kimg: variety 0 % of the data's"
    patient.state.model.generator = Copier(pictures(LOOKED_AT, seed=2))
    assert patient.check(40) == []
    assert patient.monitor.note == ""


def test_a_generator_that_never_began_is_told_of_late(patient):
    patient.state.model.generator = Silent()
    assert [patient.check(kimg) for kimg in (10, 30, 49)] == [[], [], []]
    assert patient.check(60) == []
    assert patient.check(70) == ["mode collapse"]


def test_a_generator_that_draws_training_pictures_copies(patient):
    patient.state.model.generator = Copier(patient.known.train + 0.01)
    patient.check(1)
    assert patient.check(2) == ["generator copies"]
    assert "100 % of what is drawn lies on a training sample" in patient.monitor.note


def test_a_discriminator_that_knows_its_few_pictures_by_heart_overfits(tmp_path):
    patient = Patient(tmp_path, count=8)
    patient.train(100)
    patient.check(3)
    found = patient.monitor.check(patient.state, STAGE)
    assert "discriminator overfits" in [one.name for one in found]
    assert "--augment ada" in next(one.advice for one in found if one.name == "discriminator overfits")


def test_a_discriminator_that_says_the_same_of_everything_is_blind(patient):
    patient.state.model.discriminator.score.weight.data.zero_()
    patient.state.model.generator = Copier(pictures(LOOKED_AT, seed=2))
    assert [patient.check(kimg) for kimg in (1, 2, 3)] == [[], [], ["discriminator is blind"]]


def test_a_gradient_that_vanishes_is_told_with_its_player(patient):
    patient.train(1)
    patient.check(1)
    for p in patient.state.model.generator.parameters():
        p.grad *= 1e-6
    assert [patient.check(kimg) for kimg in (2, 3, 4)][-1] == ["gradient vanished"]
    assert "that of generator is 0.0001 % of what it was" in patient.monitor.note


def test_weights_that_double_again_and_again_escalate(patient):
    found = []
    for kimg in range(1, 9):
        found = patient.check(kimg)
        for p in patient.state.model.discriminator.parameters():
            p.data *= 1.6
    assert found[:1] == ["weights escalate"]
    assert set(found) <= {"weights escalate", "activations escalate"}
    assert "those of discriminator are 27 times as large as at first" in patient.monitor.note


class Louder(nn.Module):
    """A layer that says what it is told, so many times as loud: no weight tells of it."""

    def __init__(self):
        super().__init__()
        self.gain = 1.0

    def forward(self, x):
        return self.gain * x


def test_activations_that_double_again_and_again_escalate_where_weights_do_not(patient):
    patient.state.model.generator = Copier(pictures(LOOKED_AT, seed=2))
    louder = Louder()
    patient.state.model.discriminator.convolutions.insert(1, louder)
    patient.state.model.discriminator.norms.insert(0, nn.Identity())
    found = []
    for kimg in range(1, 10):
        found = patient.check(kimg)
        louder.gain *= 1.6
    assert found == ["activations escalate"]
    assert "those of discriminator are" in patient.monitor.note


@pytest.mark.parametrize("of", ["weights", "activations"])
def test_what_steps_up_once_as_a_network_grows_does_not_escalate(of):
    sizes = [1.0, 1.9, 2.4, 2.7, 3.6, 4.2, 8.5, 7.7, 9.4, 9.3, 8.4, 8.6]  # Of a demo that grew to 32x32 at the seventh.
    history = [{"kimg": float(kimg), f"{of}/discriminator": size} for kimg, size in enumerate(sizes, start=1)]
    assert not any(findings(history[:end]) for end in range(1, len(history) + 1))
    louder = [entry | {f"{of}/discriminator": 1.6 ** entry["kimg"]} for entry in history]
    assert [found.name for found in findings(louder)] == [f"{of} escalate"]


def test_samples_that_never_varied_are_told_of_before_it_is_late(patient):
    patient.state.model.generator = Silent()
    assert [patient.check(kimg) for kimg in range(1, 12)] == [[]] * 11
    assert patient.check(12) == ["samples never varied"]
    assert patient.monitor.note == "samples never varied since 1 kimg: variety 0 % of the data's, 0 % at best"
    patient.state.model.generator = Copier(pictures(LOOKED_AT, seed=2))
    assert patient.check(13) == []


def test_an_augmentation_near_its_cap_may_leak(tmp_path):
    patient = Patient(tmp_path, augment="ada")
    assert patient.check(1) == []
    patient.state.model.augmentation.p.fill_(0.84)
    assert patient.check(2) == ["augmentation may leak"]
    assert patient.monitor.note == "augmentation may leak since 2 kimg: p is 0.84"


def test_every_diagnosis_advises_something_in_a_sentence():
    for one in DIAGNOSES:
        for signs in ({}, {"augment_p": 0.5}):
            assert one.advice(signs).endswith(".")
    assert findings([]) == []


def test_a_resumed_monitor_says_what_an_undisturbed_one_says(patient):
    patient.state.model.generator = Silent()
    patient.check(60)
    other = Monitor(patient.monitor.run, patient.monitor.plan, patient.known, quiet=True)
    patient.state.nimg = 70_000
    assert [found.text for found in other.check(patient.state, STAGE)] == [
        "mode collapse since 60 kimg: variety 0 % of the data's"
    ]
    lines = [json.loads(line) for line in (patient.monitor.run.path / "health.jsonl").read_text().splitlines()]
    assert [line["kimg"] for line in lines] == [60, 70]
    assert lines[-1]["findings"][0]["since_kimg"] == 60


def test_a_new_finding_is_said_once_with_its_advice(patient, capsys):
    patient.monitor.quiet = False
    patient.state.model.generator = Silent()
    for kimg in (60, 70, 80):
        patient.check(kimg)
    said = capsys.readouterr().err
    assert said.count("Mode collapse since 60 kimg: variety 0 % of the data's.") == 1
    assert "Salimans et al. 2016" in said


def broken(patient):
    batch = Pictures(images=pictures(8), rng=stream(0, "noise"))
    return first_broken_layer(patient.state.model, batch, seed=0)


def test_the_layer_whose_weights_broke_is_named(patient):
    assert broken(patient) == ""
    patient.state.model.discriminator.convolutions[1].weight.data[0] = torch.nan
    assert broken(patient) == "discriminator.convolutions.1 (Conv2d), whose weights are not finite"


def test_the_layer_that_overflowed_is_named(patient):
    for layer in patient.state.model.discriminator.convolutions[:1]:
        layer.weight.data.fill_(3e38)
    assert broken(patient) == "discriminator.convolutions.0 (Conv2d)"


def task(tmp_path, *changes, **options):
    settings = ("features=8", "batch_size=16", "measure_kimg=-1", "sample_kimg=1000", *changes)
    given = {"kimg": 0.064, "quiet": True, "estimate": False, "device": "cpu"} | options
    return Train(model="gan/dcgan", data="scenes:128,16x16", out=tmp_path / "run", set=settings, **given)


def test_a_loss_that_is_not_finite_names_the_first_layer(tmp_path):
    with pytest.raises(TrainingFailed, match=r"the first layer whose output is not finite is \w+\.convolutions\.0"):
        train(task(tmp_path, "lr=1e38", "report_kimg=0.016"))


@pytest.mark.slow
def test_a_healthy_run_is_told_nothing_of_and_keeps_every_bit(tmp_path):
    looked = task(
        tmp_path / "looked", "health_kimg=0.4", "report_kimg=0.032", kimg=2.0, held_out="scenes:128,16x16,seed=9"
    )
    train(looked)
    lines = RunFolder(looked.out).lines("health.jsonl")
    assert len(lines) == 5
    assert [line["findings"] for line in lines] == [[]] * 5
    assert all({"reals_over_held_out", "variety", "gradient/generator"} < line["signs"].keys() for line in lines)
    alone = task(tmp_path / "alone", "health_kimg=-1", "report_kimg=0.032", kimg=0.8)
    train(alone)
    assert not (alone.out / "health.jsonl").exists()
    log = (alone.out / "log.jsonl").read_bytes()
    assert log.count(b"\n") > 20
    assert (looked.out / "log.jsonl").read_bytes().startswith(log)


def test_an_inverse_that_is_lost_is_told_at_once_and_one_that_holds_is_not():
    told = [found.name for found in findings([{"kimg": 1.0, "inverse_error": 0.01}])]
    assert told == ["inverse is lost"]
    assert findings([{"kimg": 1.0, "inverse_error": 1e-5}]) == []
