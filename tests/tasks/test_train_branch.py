"""A branch goes on from a saved state of another run, bit for bit where nothing is changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ganvas.core.errors import UserError
from ganvas.tasks.train import Train, train

POINTS = (
    "batch_size=16",
    "width=8",
    "hold_kimg=1",
    "decay_kimg=1",
    "critic_moves=2",
    "burst_moves=2",
    "measure_kimg=-1",
    "sample_kimg=1",
    "report_kimg=0.016",
    "health_kimg=-1",
)


def on_points(out: Path, **options) -> Train:
    return Train(model="gan/wgan", data="mixtures:ring8", out=out, quiet=True, estimate=False, device="cpu", **options)


@pytest.fixture(scope="module")
def parent(tmp_path_factory) -> Path:
    """Two steps of sixteen points."""
    out = tmp_path_factory.mktemp("parent") / "run"
    train(on_points(out, set=POINTS, kimg=0.032))
    return out


def test_a_branch_with_nothing_changed_is_the_run_itself_to_the_last_bit(parent, tmp_path):
    whole, branch = tmp_path / "whole", tmp_path / "branch"
    train(on_points(whole, set=POINTS, kimg=0.064))
    train(on_points(branch, branch=parent / "state" / "000000.032", kimg=0.064))
    names = [run / "state" / "000000.064" / "state.safetensors" for run in (whole, branch)]
    assert names[0].read_bytes() == names[1].read_bytes()
    logs = [(run / "log.jsonl").read_text().splitlines() for run in (whole, branch)]
    assert logs[0][2:] == logs[1]
    noted = json.loads((branch / "run.json").read_text())["branch"]
    assert noted == {
        "state": str(parent / "state" / "000000.032"),
        "id": json.loads((parent / "run.json").read_text())["id"],
        "kimg": 0.032,
    }


def test_a_branch_may_have_other_settings_and_is_resumed_by_its_own_command(parent, tmp_path):
    task = on_points(tmp_path / "branch", branch=parent, kimg=0.096, set=("batch_size=32",))
    assert train(task).kimg == 0.096
    assert [json.loads(line)["batch_size"] for line in (task.out / "log.jsonl").read_text().splitlines()] == [32, 32]
    assert train(replace(task, kimg=0.128)).kimg == 0.128
    assert train(replace(task, branch=None, kimg=0.128)).finished


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"branch": Path("nowhere")}, "is no run and no state of one"),
        ({"branch": "state/000000.016"}, r"there is no state\. States of .*000000\.032"),
        ({"branch": ".", "kimg": 0.032}, "has seen 0.032 kimg already"),
        ({"branch": ".", "preset": "paper"}, "brings the settings of its run, and --preset others"),
        ({"branch": ".", "model": "gan/gan"}, "is a state of gan/wgan, not of gan/gan"),
        ({"branch": ".", "set": ("width=16",)}, r"does not fit this model.* Changed here: width=16 \(8 there\)"),
    ],
)
def test_what_is_no_state_to_go_on_from_is_refused(parent, tmp_path, changes, told):
    if isinstance(changes["branch"], str):
        changes = changes | {"branch": parent / changes["branch"]}
    with pytest.raises(UserError, match=told):
        train(replace(on_points(tmp_path / "branch", branch=parent, kimg=0.064), **changes))
    assert not (tmp_path / "branch").exists()


def test_a_run_that_was_begun_otherwise_is_not_resumed_as_a_branch(parent, tmp_path):
    alone = on_points(tmp_path / "alone", set=POINTS, kimg=0.016)
    train(alone)
    with pytest.raises(UserError, match="was begun without --from"):
        train(replace(alone, branch=parent, kimg=0.064))
