"""``ganvas search``: most of it with trainings that are played, since what a run does is tested elsewhere."""

import dataclasses
import json

import pytest

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.run_folder import RunFolder
from ganvas.tasks import train as training
from ganvas.tasks.searching.search import Search, search
from ganvas.tasks.searching.search_folder import SearchFolder
from ganvas.tasks.train import TrainResult
from ganvas.train.search import created_equal_searches


@pytest.fixture
def played(monkeypatch):
    """Trainings that take no time: SWD is 1,000 times the learning rate and the seed that is asked for; a rate above
    0.004 and seed 3 diverge. Counts them."""
    begun, real = [], training.train

    def train(task):
        if task.dry_run:
            return real(task)
        begun.append(task.out.name)
        lr = next((float(text.partition("=")[2]) for text in task.set if text.startswith("lr=")), 0.001)
        lines = [(0, 90.0), (8, 1000 * lr + (task.seed or 0))]
        task.out.mkdir(parents=True)
        for nimg, value in lines:
            results = [{"metric": "swd", "value": value, "standard_error": 0.1}]
            RunFolder(task.out).append("measures.jsonl", {"nimg": nimg, "source": "training", "results": results})
        if lr > 0.004 or task.seed == 3:
            raise TrainingFailed("a loss is no number")
        return TrainResult(run=task.out, kimg=0.008, finished=True, stopped=False, seconds=1.0, settings={})

    monkeypatch.setattr(training, "train", train)
    return begun


def task(out, **changes):
    given = {
        "model": "vae/vae",
        "data": "scenes:16,16x16",
        "settings": 4,
        "kimg": 0.008,
        "set": ("resolution=16", "features=4", "batch_size=8"),
        "range": ("lr=1e-4..1e-2:log", "beta1=0..0.9"),
        "quiet": True,
    }
    return Search(out=out, **given | changes)


def test_the_default_comes_first_and_the_best_is_found(played, tmp_path):
    result = search(task(tmp_path / "s"))
    trials = SearchFolder(tmp_path / "s").trials()
    assert [trial.changes for trial in trials[:1]] == [{}]
    finished = [trial.value for trial in trials if trial.value is not None]
    assert result.best["value"] == min(finished)
    assert f"lr={result.best['changes']['lr']}" in result.command if result.best["changes"] else True
    assert result.expected_best[-1] == min(finished)
    assert (tmp_path / "s" / "search.html").exists()
    assert (tmp_path / "s" / "search.csv").read_text().count("\n") == 5


def test_a_search_goes_on_where_it_was_and_longer_as_if_it_had_been_so_from_the_start(played, tmp_path):
    search(task(tmp_path / "whole", settings=3))
    search(task(tmp_path / "parts", settings=1))
    search(task(tmp_path / "parts", settings=3))
    assert played == [f"{index:03d}" for index in (*range(3), *range(3))]
    whole, parts = ((tmp_path / name / "trials.jsonl").read_text() for name in ("whole", "parts"))
    assert whole == parts
    assert json.loads((tmp_path / "parts" / "search.json").read_text())["tried"] == 3


def test_a_search_keeps_its_number_where_none_is_given_and_forgets_no_setting(played, tmp_path):
    assert search(task(tmp_path / "s", settings=2)).settings == 2
    assert search(task(tmp_path / "s", settings=None, seeds=2)).settings == 2
    assert played[2:]
    assert not [name for name in played[2:] if "seed" not in name]  # No third setting is begun.
    with pytest.raises(UserError, match=r"--settings 1: .* has tried 2 already"):
        search(task(tmp_path / "s", settings=1))


def test_a_setting_that_diverges_counts_as_an_untrained_net(played, tmp_path):
    result = search(task(tmp_path / "s", range=("lr=0.005..0.006:log",), settings=3))
    trials = SearchFolder(tmp_path / "s").trials()
    assert [trial.status for trial in trials] == ["finished", "diverged", "diverged"]
    assert result.expected_best == pytest.approx([(1.0 + 90.0 + 90.0) / 3, (1.0 + 1.0 + 90.0) / 3, 1.0])


def test_ranges_are_around_the_model_s_own_settings_where_none_are_given(tmp_path):
    result = search(task(tmp_path / "s", range=(), dry_run=True))
    assert result.ranges == {"lr": "0.0001..0.01:log", "beta1": "0..0.9", "beta": "0.1..10:log"}
    assert not (tmp_path / "s").exists()


def test_a_published_search_has_its_own_ranges_and_number(tmp_path):
    wide = search(
        task(
            tmp_path / "s",
            model="gan/wgan",
            range=(),
            set=("resolution=16",),
            settings=None,
            recipe="created-equal-wide",
            dry_run=True,
        )
    )
    assert (wide.settings, wide.seeds) == (100, 0)
    assert wide.ranges == {"lr": "1e-05..0.01:log", "critic_moves": "1,5", "clip": "0.001..1:log"}


def test_the_best_setting_is_trained_again_with_other_seeds_and_goes_on_where_it_was(played, tmp_path):
    out = tmp_path / "s"
    best = search(task(out, settings=3, range=("lr=0.002..0.003:log",))).best  # The default, with 1.
    assert best["index"] == 0
    for seeds in (2, 4):
        result = search(task(out, settings=3, range=("lr=0.002..0.003:log",), seeds=seeds))
    assert played == ["000", "001", "002", *(f"000-seed-{seed}" for seed in (1, 2, 3, 4))]
    found = result.with_seeds
    # 1 + 1, 1 + 2 and 1 + 4; the one that diverged counts as the net before its first step, 90.
    assert (found.seeds, found.diverged, found.mean) == (4, 1, pytest.approx(25.0))
    assert found.deviation == pytest.approx(((23**2 + 22**2 + 20**2 + 65**2) / 3) ** 0.5)
    assert 2 <= found.low < found.mean < found.high <= 90
    assert "4 other seeds: mean 25" in result.printed
    assert "1 diverged" in (out / "search.html").read_text()
    assert result.best["value"] == 1.0  # What was chosen by is not changed.


def test_the_third_phase_of_a_published_search_goes_on_with_the_first(tmp_path):
    first, third = (created_equal_searches.recipe(f"created-equal-{name}", "gan/dcgan") for name in ("wide", "seeds"))
    assert dataclasses.replace(third, seeds=0) == first
    assert third.seeds == 50
    assert str(first.ranges["critic_moves"]) == "1,5"
    how = {"model": "gan/dcgan", "range": (), "set": ("resolution=16", "game=minimax"), "settings": None}
    shown = search(task(tmp_path / "s", recipe="created-equal-seeds", dry_run=True, **how))
    assert (shown.settings, shown.seeds) == (100, 50)


@pytest.mark.parametrize("model", ["gan/dcgan", "gan/lsgan", "gan/wgan"])
def test_a_published_search_as_coded_draws_the_norm_and_plays_the_codes_game(tmp_path, model):
    name = "created-equal-narrow-as-coded"
    how = {"model": model, "range": (), "set": ("resolution=16",), "settings": None, "dry_run": True}
    coded = search(task(tmp_path / "s", recipe=name, **how))
    norm = "critic_norm" if model == "gan/wgan" else "discriminator_norm"
    published = created_equal_searches.recipe("created-equal-narrow", model)
    assert coded.settings == published.settings == 50
    assert coded.ranges == {field: str(one) for field, one in published.ranges.items()} | {norm: "batch,none"}
    changed = dict(created_equal_searches.recipe(name, model).fixed.items() - published.fixed.items())
    of_wgan = {"optimizer": "adam", "beta1": "0.5", "beta2": "0.999", "burst_first": "0", "burst_every": "0"}
    assert changed == {"gan/dcgan": {}, "gan/lsgan": {"squashed": "true"}, "gan/wgan": of_wgan}[model]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": 0}, "--settings 0"),
        ({"seeds": 1}, "--seeds 1: one run"),
        ({"range": ("width=1,2",)}, "has no such field"),
        ({"recipe": "created-equal"}, "no such search"),
        ({"recipe": "created-equal-wide", "model": "gan/progan", "range": (), "set": ()}, "not among the games"),
        ({"model": "vae/va"}, "Did you mean"),
        ({"range": ("lr=0..1:log",)}, "above 0"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        search(task(tmp_path / "s", **change))
    assert list(tmp_path.iterdir()) == []


def test_an_optimiser_that_is_not_installed_is_told_before_anything_is_done(tmp_path, monkeypatch):
    import importlib

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"ganvas\[search\]"):
        search(task(tmp_path / "s", method="tpe"))


def test_another_search_in_the_same_folder_is_refused(played, tmp_path):
    search(task(tmp_path / "s", settings=1))
    with pytest.raises(UserError, match="was begun with metric=swd"):
        search(task(tmp_path / "s", settings=1, metric="ms_ssim"))
