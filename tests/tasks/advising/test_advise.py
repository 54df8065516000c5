"""``ganvas advise``: the steps that it tries are played, since the forecast has its own tests."""

import dataclasses
import shlex

import pytest

from ganvas.cli.parsing import parse
from ganvas.core.errors import UserError
from ganvas.tasks.advising import measured_families, tried_steps
from ganvas.tasks.advising.advise import Advise, advise
from ganvas.tasks.advising.chosen_model import chosen
from ganvas.tasks.advising.measured_families import Figures, MeasuredModel
from ganvas.tasks.advising.tried_steps import Tried


def measured(model, **figures):
    given = {"kimg": 9.0, "cpu_sec": 45.0, "swd": 50.0, "swd_error": 5.0, "precision": 0.5, "recall": 0.5, "draw_ms": 1}
    return MeasuredModel(model=model, **given | figures)


KNOWN = Figures(
    data="scenes:6000,16x16",
    side=16,
    pictures=6000,
    floor=19.0,
    models=[
        measured("gan/progan", swd=30.0, recall=0.2),
        measured("gan/sngan", swd=40.0, recall=0.9),  # However much it reaches, a GAN is not advised for its modes.
        measured("flow/glow", swd=99.0, recall=0.95, precision=0.05),  # What scatters reaches much and is like nothing.
        measured("vae/vae", swd=90.0, recall=0.6, bits_per_dimension=6.0, bits_kind="at most"),
        measured("autoregressive/pixelcnn_pp", swd=80.0, recall=0.7, bits_per_dimension=4.4, bits_kind="exact"),
    ],
)


@pytest.fixture
def played(monkeypatch):
    """What was asked for of each candidate; pictures that are no square must be cut."""
    asked = []

    def tried(task, *, minutes, device):
        asked.append(task)
        if task.data.endswith("16x24") and task.fit == "refuse":
            raise UserError("no square")
        return Tried(
            size=(16, 16),
            seconds_per_kimg=2.0,
            flop_per_kimg=1e9,
            kimg=30 * minutes * 0.9,
            augmentable=task.model.startswith("gan/"),
            takes_classes=False,
        )

    monkeypatch.setattr(tried_steps, "tried", tried)
    monkeypatch.setattr(measured_families, "figures", lambda: KNOWN)
    return asked


@pytest.mark.parametrize(
    ("goal", "model"),
    [("pictures", "gan/progan"), ("likelihood", "autoregressive/pixelcnn_pp"), ("modes", "autoregressive/pixelcnn_pp")],
)
def test_the_goal_chooses_by_what_was_measured(played, goal, model):
    result = advise(Advise(data="scenes:300,16x16", goal=goal))
    assert result.model == model
    assert any("GAN" in reason for reason in result.reasons)


def test_the_command_is_one_that_the_command_line_takes(played, tmp_path):
    result = advise(Advise(data="scenes:300,16x24", minutes=5, out=tmp_path / "my run", threads=1, device="cpu"))
    assert result.command is not None
    task = parse(shlex.split(result.command)[1:])
    wanted = {"model": "gan/progan", "preset": "small", "minutes": 5, "fit": "crop", "augment": "ada", "threads": 1}
    assert {name: getattr(task, name) for name in wanted} == wanted
    assert task.out == tmp_path / "my run"
    assert any("cut out" in warning for warning in result.warnings)


def test_too_few_pictures_are_told_and_nothing_is_advised(played):
    result = advise(Advise(data="scenes:20,16x16"))
    assert result.command is None
    assert played == []
    assert "Too few pictures" in result.warnings[0]


def test_a_short_time_is_told_with_what_would_be_enough(played):
    result = advise(Advise(data="scenes:300,16x16", minutes=0.01))
    assert any("only" in warning and "3× takes about" in warning for warning in result.warnings)


SMALL, LARGE = (32, 32), (64, 64)
BEST, GOOD, BAD = measured("a", swd=30.0, recall=0.5), measured("b", swd=59.0, recall=0.3), measured("c", swd=61.0)


@pytest.mark.parametrize(
    ("sizes", "goal", "place"),
    [
        ((SMALL, SMALL, SMALL), "pictures", 0),
        ((SMALL, LARGE, LARGE), "pictures", 1),  # 59 is less than twice 30.
        ((SMALL, SMALL, LARGE), "pictures", 0),  # 61 is more than twice 30.
        ((None, SMALL, LARGE), "pictures", 2),  # The best cannot learn from them.
        ((SMALL, LARGE, SMALL), "modes", 1),
        ((SMALL, LARGE, LARGE), "likelihood", 0),
        ((None, None, None), "pictures", None),
    ],
)
def test_pictures_of_twice_the_side_are_worth_a_figure_half_as_good(sizes, goal, place):
    assert chosen(list(zip((BEST, GOOD, BAD), sizes, strict=True)), goal) == place


def test_models_are_tried_until_one_draws_pictures_as_large_as_those_that_are_there(played, monkeypatch):
    sizes = {"gan/sngan": (32, 32), "vae/vae": (64, 64)}
    known = [measured(f"gan/gan{number}", swd=25.0 + number) for number in range(4)] + list(KNOWN.models)
    monkeypatch.setattr(measured_families, "figures", lambda: dataclasses.replace(KNOWN, models=known))
    play = tried_steps.tried
    monkeypatch.setattr(
        tried_steps,
        "tried",
        lambda task, **how: dataclasses.replace(play(task, **how), size=sizes.get(task.model, (16, 16))),
    )
    result = advise(Advise(data="scenes:300,32x32"))
    assert [one.model for one in result.candidates] == [one.model for one in known[:6]]
    assert result.model == "gan/sngan"
    assert "gan/gan0 reached SWD 25" in result.reasons[0]
    assert "only 16x16 pixels" in result.reasons[0]


def test_models_that_nobody_has_measured_are_named_and_not_passed_over_in_silence(played):
    (likelihood,) = (
        one for one in advise(Advise(data="scenes:300,16x16", goal="likelihood")).reasons if "Not m" in one
    )
    assert "diffusion/ edm, flow_matching" in likelihood
    assert "pixelcnn_pp" not in likelihood  # It has a row.
    assert "aae" not in likelihood  # It gives no likelihood.
    assert "gan/" not in likelihood
    (pictures,) = (one for one in advise(Advise(data="scenes:300,16x16")).reasons if "Not m" in one)
    assert "gan/ acgan, dcgan" in pictures


def test_neither_noise_nor_copies_of_one_picture_have_an_f1():
    assert measured("noise", precision=0.0, recall=1.0).f1 == 0
    assert measured("copies", precision=1.0, recall=0.0).f1 == 0
    assert measured("nothing", precision=0.0, recall=0.0).f1 == 0
    assert measured("both", precision=0.5, recall=0.25).f1 == pytest.approx(1 / 3)


@pytest.mark.parametrize(("change", "said"), [({"minutes": 0}, "--minutes 0"), ({"data": "nowhere/"}, "nowhere")])
def test_what_cannot_be_is_refused(played, change, said):
    with pytest.raises(UserError, match=said):
        advise(Advise(**{"data": "scenes:300,16x16"} | change))


def test_what_ships_names_models_that_there_are(played, monkeypatch):
    from ganvas.core import catalogue

    monkeypatch.undo()
    shipped = measured_families.figures()
    known = {entry.name for entry in catalogue.entries("models")}
    assert {one.model for one in shipped.models} <= known
    assert all("small" in catalogue.functions("recipes", one.model) for one in shipped.models)
    assert shipped.floor < min(one.swd for one in shipped.models)
