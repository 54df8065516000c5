"""Two processes with half a batch each do what one does with a whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from ganvas.cli.main import parse, run
from ganvas.core.files.file_locks import lock

PROGRAM = Path(__file__).with_name("one_of_several_ranks.py")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def torchrun(count, *arguments):
    rendezvous = ["--nproc-per-node", str(count), "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *rendezvous, *arguments],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Folders of what one process and two make of every kind: started once, whatever worker is the first to ask."""
    mine = tmp_path_factory.getbasetemp()
    root = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
    with (root / "ranks.lock").open("w") as file:
        lock(file.fileno())
        for count in (1, 2):
            folder = root / f"ranks-{count}"
            if not (folder / "done").exists():
                folder.mkdir(exist_ok=True)
                torchrun(count, str(PROGRAM), str(folder))
                (folder / "done").touch()
    return root / "ranks-1", root / "ranks-2"


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        *("groups", "whole", "classes", "domains", "stylegan2", "r3gan", "autoencoder", "vae_gan", "aae", "gan"),
        "wavegan",
        "csp",
        *("acgan", "ssgan_semi", "wgan_gp", "ot_gan", "closeness", "feature_matching", "realnvp", "glow", "edm"),
    ],
)
def test_weights_after_growing_through_every_stage_are_those_of_one_process(weights, kind):
    # float64: the sums of two ranks differ from one rank's in the order of additions, 1e-16 of the gradient, which
    # Adam (it divides by the gradient's size) and ten steps of a game amplify; 1e-9 leaves five digits of room, and
    # a penalty that is reduced wrongly shows in the first digit.
    one, two = (load_file(folder / f"{kind}.safetensors") for folder in weights)
    assert one.keys() == two.keys()
    for name in one:
        whole_number = name.endswith("step") or not one[name].is_floating_point()
        assert one[name].dtype == torch.float64 or whole_number, name
        assert_close(two[name], one[name], rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.slow
def test_weights_that_data_started_are_those_of_one_process_after_steps_with_dropout(weights):
    one, two = (load_file(folder / "calibrated.safetensors") for folder in weights)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        # Sums of two ranks differ in the order of additions alone, which four steps of Adam make larger.
        assert_close(two[name], tensor, rtol=1e-8, atol=1e-10, msg=name)


PICTURES = (
    "gan/progan --data scenes:50,16x16 --kimg 0.064 --set resolution=16 --set latent_size=8 --set fmap_base=64"
    " --set fmap_max=8 --set batch_size=8 --set train_kimg=0.016 --set fade_kimg=0.016 --set group_size=2"
    " --set measure_kimg=-1 --set report_kimg=0.016"
)

POINTS = (
    "gan/wgan --data mixtures:ring8,100 --kimg 0.08 --set width=8 --set depth=1 --set batch_size=8"
    " --set burst_first=1 --set burst_moves=2 --set report_kimg=0.016 --set sample_kimg=1"
)


@pytest.mark.slow
def test_torchrun_trains_the_command_line_and_logs_what_one_process_logs(tmp_path):
    one, two = trained(tmp_path, PICTURES)
    assert [entry["nimg"] for entry in logged(one)] == [16, 32, 48, 64]
    same_lines(logged(one), logged(two))


@pytest.mark.slow
def test_two_processes_of_points_log_and_measure_what_one_does(tmp_path):
    one, two = trained(tmp_path, POINTS)
    assert [entry["nimg"] for entry in logged(one)] == [16, 32, 48, 64, 80]
    same_lines(logged(one), logged(two))
    assert len(lines(one / "measures.jsonl")) == len(lines(two / "measures.jsonl"))


def trained(folder, command):
    """The runs of a command by one process, which is this one, and by two."""
    command = ["train", *command.split(), "--out"]
    runs = folder / "ranks-1", folder / "ranks-2"
    assert run(parse([*command, str(runs[0])])) == 0
    torchrun(2, "-m", "ganvas", *command, str(runs[1]))
    assert [json.loads((run / "run.json").read_text())["status"] for run in runs] == ["finished"] * 2
    return runs


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def logged(run):
    return lines(run / "log.jsonl")


def same_lines(one, two):
    """float32: seven digits a step, amplified by Adam over eight steps."""
    for first, second in zip(one, two, strict=True):
        assert first.keys() == second.keys()
        for name, value in first.items():
            assert second[name] == pytest.approx(value, rel=2e-3, abs=2e-4), name
