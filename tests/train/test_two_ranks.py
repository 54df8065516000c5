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
CALIBRATED = "calibrated"
APART = ("apart domains", "apart scratchgan")  # Pools, and moving means, of processes that go apart for some steps.
TOLD_APART = (  # By what two processes may get wrong.
    "groups",  # Gradients, penalties and stages; groups of pictures that lie within one rank.
    "whole",  # A statistic of all pictures of all ranks.
    "domains",  # Pools of what was made before.
    "domains_batch",  # Batch norm of several passes in one step.
    "stylegan2",  # Averages of styles, and the lengths of paths.
    "r3gan",  # A count of what was shown.
    "wavegan",  # One number drawn for a whole batch.
    "csp",  # Sums over cells, of which ranks have unlike counts.
    "ot_gan",  # Distances between pictures of several ranks.
    "scratchgan",  # A moving mean of what was said on all ranks, and tokens that are drawn in a step.
    "molgan",  # A weight of a term that is a quotient of two means.
)
OTHERS = (
    *("classes", "autoencoder", "vae_gan", "aae", "gan", "acgan", "ssgan_semi", "wgan_gp"),
    *("closeness", "feature_matching", "realnvp", "glow", "edm"),
    *("seqgan", "maligan", "netgan", "graph_autoregressive"),
    "adaptive",  # Whose move it is, by a moving mean of what the discriminator got right on all ranks.
    "gated",  # Holes, of which ranks have unlike areas.
)


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
    return [0] * count


def made(tmp_path_factory, name, kinds, in_ranks):
    """Folders of what one process and two make of some kinds: started once, whatever worker is the first to ask."""
    mine = tmp_path_factory.getbasetemp()
    root = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
    folders = root / f"{name}-1", root / f"{name}-2"
    with (root / f"{name}.lock").open("w") as file:
        lock(file.fileno())
        for count, folder in enumerate(folders, start=1):
            if not (folder / "done").exists():
                folder.mkdir(exist_ok=True)
                assert in_ranks(count, PROGRAM, folder, *kinds) == [0] * count
                (folder / "done").touch()
    return folders


@pytest.fixture(scope="session")
def weights(tmp_path_factory, in_ranks):
    """Of the kinds that the suite asks about."""
    return made(tmp_path_factory, "ranks", [*TOLD_APART, CALIBRATED, *APART], in_ranks)


@pytest.fixture(scope="session")
def others(tmp_path_factory, in_ranks):
    """Of all others."""
    return made(tmp_path_factory, "other-ranks", OTHERS, in_ranks)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TOLD_APART)
def test_weights_after_growing_through_every_stage_are_those_of_one_process(weights, kind):
    same_weights(weights, kind)


@pytest.mark.machines
@pytest.mark.parametrize("kind", OTHERS)
def test_weights_of_every_other_kind_are_those_of_one_process(others, kind):
    same_weights(others, kind)


def same_weights(folders, kind):
    # float64: the sums of two ranks differ from one rank's in the order of additions, 1e-16 of the gradient, which
    # Adam (it divides by the gradient's size) and ten steps of a game amplify; 1e-9 leaves five digits of room, and
    # a penalty that is reduced wrongly shows in the first digit.
    one, two = (load_file(folder / f"{kind}.safetensors") for folder in folders)
    assert one.keys() == two.keys()
    for name in one:
        whole_number = name.endswith("step") or not one[name].is_floating_point()
        assert one[name].dtype == torch.float64 or whole_number, name
        assert_close(two[name], one[name], rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.slow
def test_weights_that_data_started_are_those_of_one_process_after_steps_with_dropout(weights):
    one, two = (load_file(folder / f"{CALIBRATED}.safetensors") for folder in weights)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        # Sums of two ranks differ in the order of additions alone, which four steps of Adam make larger.
        assert_close(two[name], tensor, rtol=1e-8, atol=1e-10, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", APART)
def test_processes_that_go_apart_have_memory_and_past_in_common_and_resume_with_the_same_bits(weights, kind):
    one, other = (load_file(weights[1] / f"{kind}-{rank}.safetensors") for rank in (0, 1))
    assert {name.split("/")[1] for name in one} >= {"model", "optimizer", "views"}
    assert one.keys() == other.keys()
    alone = load_file(weights[0] / f"{kind}-0.safetensors")
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), f"the two processes differ in {name}"
        assert torch.equal(tensor, one[name.replace("resumed/", "alone/")]), f"{name} is another when resumed"
    assert any(not torch.equal(tensor, alone[name]) for name, tensor in one.items()), "steps were taken apart"


PICTURES = (
    "gan/progan --data scenes:50,16x16 --kimg 0.064 --set resolution=16 --set latent_size=8 --set fmap_base=64"
    " --set fmap_max=8 --set batch_size=8 --set train_kimg=0.016 --set fade_kimg=0.016 --set group_size=2"
    " --set measure_kimg=-1 --set report_kimg=0.016"
)

POINTS = (
    "gan/wgan --data mixtures:ring8,100 --kimg 0.08 --set width=8 --set depth=1 --set batch_size=8"
    " --set burst_first=1 --set burst_moves=2 --set report_kimg=0.016 --set sample_kimg=1 --set measure_n=64"
)


@pytest.mark.machines
def test_torchrun_trains_the_command_line_and_logs_what_one_process_logs(tmp_path):
    one, two = trained(tmp_path, PICTURES, by=torchrun)
    assert [entry["nimg"] for entry in logged(one)] == [16, 32, 48, 64]
    same_lines(logged(one), logged(two))


@pytest.mark.slow
def test_two_processes_of_points_log_and_measure_what_one_does(tmp_path, in_ranks):
    one, two = trained(tmp_path, POINTS, by=in_ranks)
    assert [entry["nimg"] for entry in logged(one)] == [16, 32, 48, 64, 80]
    same_lines(logged(one), logged(two))
    assert len(lines(one / "measures.jsonl")) == len(lines(two / "measures.jsonl"))


def trained(folder, command, *, by):
    """The runs of a command by one process, which is this one, and by two that are started in a given way."""
    command = ["train", *command.split(), "--out"]
    runs = folder / "ranks-1", folder / "ranks-2"
    assert run(parse([*command, str(runs[0])])) == 0
    assert by(2, "-m", "ganvas", *command, str(runs[1])) == [0, 0]
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
