"""Branches of one state with several batch sizes: what differs between them, when they end, and what is refused."""

import dataclasses
import json
from pathlib import Path

import pytest

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.files.json_lines import append_line
from ganvas.core.run_folder import MEASURES
from ganvas.tasks import train as train_file
from ganvas.tasks.searching import critical_batch as task_file
from ganvas.tasks.searching.batch_branches import BatchBranch, BranchStore
from ganvas.tasks.searching.critical_batch import FIGURE, JSON, CriticalBatchTask, critical_batch
from ganvas.tasks.train import Train, train

BASE = ("batch_size=16", "width=8", "depth=1", "lr=1e-3", "average_decay=0.9", "critic_moves=2", "measure_n=128")
SIZES = (4, 16, 64)


@pytest.fixture(scope="module")
def parent(tmp_path_factory) -> Path:
    """One step of sixteen points, and what a measurement might have found behind it."""
    out = tmp_path_factory.mktemp("parent") / "run"
    rarely = ("measure_kimg=-1", "sample_kimg=1", "health_kimg=-1")
    task = Train(model="gan/wgan_gp", data="mixtures:ring8,1000", out=out, set=(*BASE, *rarely), kimg=0.016)
    train(dataclasses.replace(task, quiet=True, estimate=False, device="cpu"))
    found = [{"metric": "modes", "value": 1.0}, {"metric": "js", "value": 0.8}]
    append_line(out / MEASURES, {"nimg": 16, "kimg": 0.016, "source": "training", "results": found})
    return out


def asked(parent: Path, out: Path, **options) -> CriticalBatchTask:
    return CriticalBatchTask(
        model="gan/wgan_gp",
        data="mixtures:ring8,1000",
        branch=parent,
        out=out,
        metric="js",
        quiet=True,
        device="cpu",
        **{"kimg": 0.512, "batches": SIZES, "factors": (1.0,), "seeds": 1} | options,
    )


@pytest.fixture
def falls(monkeypatch) -> list[Train]:
    """Values of branches fall on a line to half of .8 after ``2560 (1 + B / 16)`` samples; nothing is trained."""
    ran, asked = train_file.train, []

    def told(task: Train):
        asked.append(task)
        return ran(dataclasses.replace(task, dry_run=True))

    def measured(run: Path, metric: str) -> list[tuple[float, float]]:
        return [(0.016 + 2 * 2.56 * (1 + int(run.name.partition("-")[0]) / 16), 0.0)]

    monkeypatch.setattr(train_file, "train", told)
    monkeypatch.setattr(task_file, "_measured", measured)
    return asked


def test_branches_begin_at_the_state_with_rates_and_averages_for_their_size(parent, tmp_path, falls):
    critical_batch(asked(parent, tmp_path / "out", factors=(0.5, 1.0)))
    tasks = {task.out.name: task for task in falls if not task.dry_run}
    assert set(tasks) == {f"{size}-{factor:g}-1" for size in SIZES for factor in (0.5, 1.0)}
    assert {task.branch for task in tasks.values()} == {parent / "state" / "000000.016"}
    given = dict(change.split("=") for change in tasks["64-0.5-1"].set)
    assert (given["batch_size"], given["seed"]) == ("64", "1")
    assert float(given["lr"]) == pytest.approx(1e-3 * 2 * 0.5)
    assert float(given["average_decay"]) == pytest.approx(0.9**4)
    watched = [name for name, task in tasks.items() if "noise_scale=8" in task.set]
    assert watched == ["16-1-1"]
    done = len([task for task in falls if not task.dry_run])
    critical_batch(asked(parent, tmp_path / "out", factors=(0.5, 1.0)))
    assert len([task for task in falls if not task.dry_run]) == done, "what is done is not trained again"


def test_the_law_of_what_the_branches_took_is_found_and_drawn(parent, tmp_path, falls):
    result = critical_batch(asked(parent, tmp_path / "out", seeds=2))
    assert result.target == 0.4
    assert result.critical_batch == pytest.approx(16, rel=0.01)
    assert result.least_kimg == pytest.approx(2.56, rel=0.01)
    assert result.least_steps == pytest.approx(160, rel=0.01)
    assert result.interval == pytest.approx((16, 16), rel=0.01)
    assert result.among
    assert [row.kimg for row in result.rows] == pytest.approx([2.56 * (1 + size / 16) for size in SIZES])
    assert "<svg" in (tmp_path / "out" / FIGURE).read_text()
    written = json.loads((tmp_path / "out" / JSON).read_text())
    assert [row["batch_size"] for row in written["rows"]] == list(SIZES)
    assert [branch["seed"] for branch in written["branches"]] == [1, 1, 1, 2, 2, 2]
    more = critical_batch(asked(parent, tmp_path / "out", seeds=2, batches=(*SIZES, 256)))
    assert (more.done, more.planned, len(more.rows)) == (8, 8, 4)


def test_a_branch_that_fails_counts_as_one_that_never_comes(parent, tmp_path, falls, monkeypatch):
    told = train_file.train

    def fails(task: Train):
        if not task.dry_run and "batch_size=64" in task.set:
            raise TrainingFailed("the loss is no number")
        return told(task)

    monkeypatch.setattr(train_file, "train", fails)
    result = critical_batch(asked(parent, tmp_path / "out", target=0.4))
    assert result.critical_batch is None
    assert "these did: 16, 4" in result.note
    assert result.exit_code == 1
    assert (result.rows[2].steps, result.rows[2].reached) == (None, 0)
    failed = BranchStore(tmp_path / "out").outcomes()[BatchBranch(batch_size=64, factor=1.0, seed=1)]
    assert failed.cause == "the loss is no number"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"batches": (8, 16)}, "3 different sizes"),
        ({"factors": (0.0, 1.0)}, "are above 0"),
        ({"seeds": 0}, "must be above 0"),
        ({"target": 5.0}, "at the state already"),
        ({"metric": "sw"}, "training measures modes, .*js"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(parent, tmp_path, changed, told):
    with pytest.raises(UserError, match=told):
        critical_batch(dataclasses.replace(asked(parent, tmp_path / "out"), **changed))
    assert not (tmp_path / "out").exists()


def test_a_folder_of_branches_to_another_value_is_refused(parent, tmp_path, falls):
    critical_batch(asked(parent, tmp_path / "out", target=0.4))
    with pytest.raises(UserError, match=r"was begun with target=0.4"):
        critical_batch(asked(parent, tmp_path / "out", target=0.3))
