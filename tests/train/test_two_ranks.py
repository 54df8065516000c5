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


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        *("groups", "whole", "classes", "domains", "stylegan2", "r3gan", "autoencoder", "vae_gan", "aae"),
        *("wavegan", "wgan_gp", "ot_gan", "closeness", "feature_matching"),
    ],
)
def test_weights_after_growing_through_every_stage_are_those_of_one_process(tmp_path, kind):
    # float64: the sums of two ranks differ from one rank's in the order of additions, 1e-16 of the gradient, which
    # Adam (it divides by the gradient's size) and ten steps of a game amplify; 1e-9 leaves five digits of room, and
    # a penalty that is reduced wrongly shows in the first digit.
    for count in (1, 2):
        torchrun(count, str(PROGRAM), kind, str(tmp_path / f"{count}.safetensors"))
    one, two = load_file(tmp_path / "1.safetensors"), load_file(tmp_path / "2.safetensors")
    assert one.keys() == two.keys()
    for name in one:
        if name.startswith("sums/"):
            continue  # Each rank's own until a report averages them: the test below compares what is logged.
        whole_number = name.endswith("step") or not one[name].is_floating_point()
        assert one[name].dtype == torch.float64 or whole_number, name
        assert_close(two[name], one[name], rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.slow
def test_torchrun_trains_the_command_line_and_logs_what_one_process_logs(tmp_path, tiny_npz):
    settings = ["resolution=16", "latent_size=8", "fmap_base=64", "fmap_max=8", "batch_size=8", "train_kimg=0.016"]
    settings += ["fade_kimg=0.016", "measure_kimg=-1", "report_kimg=0.016", "group_size=2"]
    command = ["train", "gan/progan", "--data", str(tiny_npz), "--kimg", "0.064"]
    command += [word for setting in settings for word in ("--set", setting)]
    lines = {}
    for count in (1, 2):
        out = tmp_path / f"ranks-{count}"
        torchrun(count, "-m", "ganvas", *command, "--out", str(out))
        lines[count] = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        assert json.loads((out / "run.json").read_text())["status"] == "finished"
    assert [entry["nimg"] for entry in lines[1]] == [entry["nimg"] for entry in lines[2]] == [16, 32, 48, 64]
    # float32 here: seven digits a step, amplified by Adam over eight steps.
    for one, two in zip(lines[1], lines[2], strict=True):
        assert one.keys() == two.keys()
        for name, value in one.items():
            assert two[name] == pytest.approx(value, rel=2e-3, abs=2e-4), name


@pytest.mark.slow
def test_two_processes_of_points_log_and_measure_what_one_does(tmp_path):
    settings = ["width=8", "depth=1", "batch_size=8", "burst_first=1", "burst_moves=2", "report_kimg=0.016"]
    command = ["train", "gan/wgan", "--data", "mixtures:ring8,100", "--kimg", "0.08"]
    command += [word for setting in settings for word in ("--set", setting)]
    lines, measured = {}, {}
    for count in (1, 2):
        out = tmp_path / f"ranks-{count}"
        torchrun(count, "-m", "ganvas", *command, "--out", str(out))
        lines[count] = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        measured[count] = [json.loads(line)["results"] for line in (out / "measures.jsonl").read_text().splitlines()]
    assert [entry["nimg"] for entry in lines[1]] == [16, 32, 48, 64, 80]
    for one, two in zip(lines[1], lines[2], strict=True):
        for name, value in one.items():
            assert two[name] == pytest.approx(value, rel=2e-3, abs=2e-4), name
    assert len(measured[1]) == len(measured[2])
