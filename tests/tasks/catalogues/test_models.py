import pytest

from ganvas.cli.rendering.show import show
from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.tasks.catalogues.metrics import Metrics, metrics
from ganvas.tasks.catalogues.models import Models, models


def test_every_model_is_listed_with_what_it_is_and_its_paper():
    listed = models(Models()).models
    assert {"gan/progan", "gan/dcgan", "vae/vae"} <= {model["name"] for model in listed}
    for model in listed:
        assert model["summary"].endswith(".")
        assert model["paper"].startswith("https://")


def test_one_model_is_shown_with_every_setting_and_preset():
    shown = models(Models(name="gan/progan"))
    assert shown.settings["penalty_weight"] == 10.0  # lambda of section 6.1's WGAN-GP.
    assert shown.settings["base"] == [4, 4]
    assert {"cifar10", "celeba-hq-v1", "table1-a", "small"} <= shown.presets.keys()
    assert all(shown.presets.values())
    recipes = catalogue.load("recipes", "gan/progan")
    assert all(callable(getattr(recipes, name.replace("-", "_"))) for name in shown.presets)


def test_an_unknown_model_says_which_one_was_meant():
    with pytest.raises(UserError, match="Did you mean 'gan/dcgan'"):
        models(Models(name="dcgan"))


def test_metrics_are_listed_by_name_and_one_has_its_whole_text():
    names = [metric.name for metric in metrics(Metrics()).metrics]
    assert names == sorted(names)
    assert {"swd", "ms_ssim", "fid", "kid", "inception_score", "precision_recall", "skill"} <= set(names)
    assert metrics(Metrics()).description == ""
    shown = metrics(Metrics(name="swd"))
    assert (shown.metrics[0].better, shown.metrics[0].title) == ("lower", "Sliced Wasserstein distance")
    assert "7 x 7" in shown.description
    with pytest.raises(UserError, match="Did you mean 'inception_score'"):
        metrics(Metrics(name="inceptionscore"))


def test_on_a_narrow_terminal_every_name_and_address_stands_whole(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    listed = models(Models())
    show(listed)
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert {model["name"] for model in listed.models} <= {line[0] for line in lines if line}
    assert {model["paper"] for model in listed.models} <= {line[-1] for line in lines if line}
