"""``ganvas skill`` on real, tiny runs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.tasks import skill as tasks
from ganvas.tasks.skill import Skill, skill
from ganvas.tasks.train import Train, train

TINY = ("resolution=16", "latent_size=8", "batch_size=8", "measure_kimg=-1", "sample_kimg=1")
PROGAN = ("fmap_base=64", "fmap_max=8", "train_kimg=0.008", "fade_kimg=0.016")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[str, str]:
    """A growing model that stopped in the middle of a fade, and a DCGAN; neither keeps its start. Read only."""
    folder = tmp_path_factory.mktemp("players")
    (folder / "in").mkdir()
    for index, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / "in" / f"{index:02d}.png")
    made = []
    for name, model, extra, kimg in (
        ("grown", "gan/progan", PROGAN, 0.024),
        ("plain", "gan/dcgan", ("features=4",), 0.016),
    ):
        out = folder / name
        task = Train(
            model=model,
            data=str(folder / "in"),
            out=out,
            set=TINY + extra,
            kimg=kimg,
            quiet=True,
            estimate=False,
            device="cpu",
        )
        train(task)
        (out / "model" / "000000.000").rename(folder / f"start of {name}")
        made.append(str(out))
    return made[0], made[1]


@pytest.mark.slow
def test_snapshots_of_two_runs_play_each_other(runs):
    found = skill(Skill(runs=runs, n=24, batch=8, quiet=True))
    assert not found.notes
    names = {f"{Path(run).name}@{kimg}" for run, kimg in ((runs[0], "0.024"), (runs[1], "0.016"))}
    assert names <= set(found.generators)
    assert set(found.discriminators) == set(found.generators)
    assert len(found.scores) == len(found.discriminators)
    assert all(0 <= score <= 1 for row in found.scores for score in row)
    assert [one.role for one in found.standings] == sorted((one.role for one in found.standings), reverse=True)
    again = skill(Skill(runs=runs[::-1], n=24, batch=8, quiet=True))
    ratings = [{one.name + one.role: one.rating.value for one in each.standings} for each in (found, again)]
    assert ratings[0] == pytest.approx(ratings[1], abs=1e-6)


@pytest.mark.slow
def test_left_out_the_number_of_pictures_is_that_of_the_reals(runs):
    assert skill(Skill(runs=runs, most=1, batch=8, quiet=True)).n == 24
    with pytest.raises(UserError, match=r"There are 24 real pictures, and 32 are needed. Ask for fewer: -n 24"):
        skill(Skill(runs=runs, n=32, batch=8, quiet=True))


@pytest.mark.slow
def test_most_chooses_the_last_snapshots_of_each_run(runs):
    found = skill(Skill(runs=runs, most=1, n=24, batch=8, quiet=True))
    assert set(found.generators) == {"grown@0.024", "plain@0.016"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 1000}, "24 real pictures"),
        ({"batch": 6}, "divides by 4"),
        ({"most": 0}, "at least one snapshot"),
        ({"runs": ("nowhere",)}, "There is no run nowhere"),
    ],
)
def test_what_cannot_be_played_is_refused(runs, change, said):
    with pytest.raises(UserError, match=said):
        skill(Skill(**({"runs": runs, "n": 24, "batch": 8, "quiet": True} | change)))


@pytest.fixture
def begun(runs, tmp_path) -> tuple[str, ...]:
    """Copies of the runs that keep their starts."""
    for run in map(Path, runs):
        shutil.copytree(run, tmp_path / run.name)
        shutil.copytree(run.parent / f"start of {run.name}", tmp_path / run.name / "model" / "000000.000")
    return tuple(str(tmp_path / Path(run).name) for run in runs)


@pytest.mark.slow
def test_a_judge_that_prefers_an_untrained_generator_to_reals_does_not_judge_and_a_note_says_so(begun, monkeypatch):
    def by_variance(trained, pictures, task):
        return (-1 if trained.name == "gan/dcgan" else 1) * pictures.double().var((1, 2, 3)).numpy()

    monkeypatch.setattr(tasks, "_judged", by_variance)  # Reals are noise of every level.
    monkeypatch.setattr(tasks, "_untrained", lambda task, n: [torch.zeros(n, 3, 16, 16, dtype=torch.uint8)])
    found = skill(Skill(runs=begun, n=24, batch=8, quiet=True))
    assert found.dismissed == {"plain@0.016": 0.0}  # Nothing has less variance than grey: it prefers it every time.
    assert set(found.discriminators) == {name for name in found.generators if name.startswith("grown")}
    assert "plain@0.016" in found.generators
    assert "plain@0.016 is no judge" in found.notes[0]
    monkeypatch.setattr(tasks, "_judged", lambda trained, pictures, task: -pictures.double().var((1, 2, 3)).numpy())
    with pytest.raises(UserError, match="nobody can judge"):
        skill(Skill(runs=begun, n=24, batch=8, quiet=True))


def test_the_start_of_a_run_is_no_player(begun):
    names = [name for name, _ in tasks._snapshots(Skill(runs=begun, quiet=True))]
    assert names
    assert not any(name.endswith("@0") for name in names)
    assert len(tasks._untrained(Skill(runs=begun, batch=8, quiet=True), 8)) == 2


def test_one_snapshot_alone_is_no_tournament(runs):
    with pytest.raises(UserError, match="needs two"):
        skill(Skill(runs=runs[:1], most=1, n=24, batch=8, quiet=True))


def test_without_a_run_it_says_what_to_give():
    with pytest.raises(UserError, match=r"No run is given.*ganvas skill RUN"):
        skill(Skill(runs=(), quiet=True))
