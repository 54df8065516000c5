"""Training 2N equals training N, being stopped in any way, going on, and N more: bit for bit."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from ganvas.core.run_folder import RunFolder
from ganvas.train import checkpoint

PROGRAM = Path(__file__).with_name("killed_run.py")
# In the suite one death of every kind, of the model with the most stages and averages. That the state of every model
# is whole, the contract test asks, and the kinds of sample each resume a run of theirs.
ONCE, OF_GROWTH, OF_OTHERS = 5, 15, 4


@pytest.mark.parametrize(
    ("model", "kills"),
    [
        pytest.param("gan/progan", ONCE, marks=pytest.mark.slow),
        pytest.param("gan/progan", OF_GROWTH, marks=pytest.mark.machines),
        *(
            pytest.param(model, OF_OTHERS, marks=pytest.mark.machines)
            for model in (
                *("gan/dcgan:ada", "vae/vae", "gan/wgan:points"),
                *("translate/cyclegan", "style/adaptive", "fill/gated", "autoregressive/pixelcnn_pp"),
            )
        ),
    ],
)
def test_a_run_killed_again_and_again_ends_with_the_same_bits_as_one_left_alone(model, kills, tmp_path):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), model, str(tmp_path), "7", str(kills)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    died = Counter(json.loads(done.stdout))
    assert sum(died.values()) == kills
    assert died["half a file"] >= 1, "a death while a checkpoint is written"
    assert died["between files"] >= 1
    assert model != "gan/progan" or died["a fade"] >= 1

    alone = RunFolder(tmp_path / "undisturbed")
    assert len(alone.lines("log.jsonl")) > 5
    for folder in sorted(tmp_path.glob("killed-*")):
        killed = RunFolder(folder)
        assert_same_bits(alone.states()[-1], killed.states()[-1], "state")
        assert_same_bits(alone.models()[-1], killed.models()[-1], "model")
        assert (alone.path / "log.jsonl").read_bytes() == (killed.path / "log.jsonl").read_bytes()
        assert not list(killed.path.rglob(".partial-*")), "what dead processes left behind is swept away"


def assert_same_bits(expected: Path, actual: Path, name: str) -> None:
    """Every tensor and every number of two saved folders."""
    tensors, numbers = checkpoint.load(expected, name)
    others, other_numbers = checkpoint.load(actual, name)
    assert list(tensors) == list(others)
    for key in tensors:
        assert torch.equal(tensors[key], others[key]), key
    assert numbers == other_numbers
