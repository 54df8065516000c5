"""A job file is text that a shell reads: it is read back here, and what is not a training is refused."""

import shlex
import subprocess
from pathlib import Path

import pytest

from ganvas.core.errors import UserError
from ganvas.tasks.launch import LaunchSlurm, launch_slurm

TRAINING = "train gan/progan --data 'my photos/' --out runs/a"


def test_a_shell_understands_the_job_and_the_command_is_the_one_that_was_given(tmp_path):
    # srun and scontrol are stood in for by functions of the shell; srun says every word that it was given.
    job = launch_slurm(LaunchSlurm(command=TRAINING, nodes=2, gpus=4, hours=1.5))
    stand_ins = 'srun() { printf "%s\\n" "$@"; }; scontrol() { echo first-node; echo second-node; }\n'
    environment = {"SLURM_NNODES": "2", "SLURM_JOB_ID": "17", "SLURM_JOB_NODELIST": "n[1-2]", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-euc", stand_ins + job.text], capture_output=True, text=True, env=environment, check=True
    )
    words = done.stdout.splitlines()
    assert words[0] == "torchrun"
    assert {"--nnodes=2", "--nproc-per-node=4", "--rdzv-endpoint=first-node:29500", "--rdzv-id=17.0"} <= set(words)
    assert words[words.index("-m") :] == ["-m", "ganvas", *shlex.split(TRAINING)]
    assert {"#SBATCH --time=01:30:00", "#SBATCH --signal=TERM@120", "#SBATCH --requeue"} <= set(job.text.splitlines())
    assert job.path is None


def test_a_file_is_written_once(tmp_path):
    out = tmp_path / "job.sbatch"
    job = launch_slurm(LaunchSlurm(command=f"ganvas {TRAINING}", partition="gpu", out=out))
    assert out.read_text() == job.text
    assert "#SBATCH --partition=gpu" in job.text
    with pytest.raises(UserError, match="is there already"):
        launch_slurm(LaunchSlurm(command=TRAINING, out=out))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"command": "measure runs/a"}, "is no training"),
        ({"command": "train gan/progan --data photos"}, "is no training"),
        ({"command": "train 'gan"}, "Close every quotation mark"),
        ({"nodes": 0}, "--nodes 0 must be above 0"),
        ({"hours": -1.0}, "--hours -1 must be above 0"),
    ],
)
def test_what_cannot_be_a_job_is_refused_and_nothing_is_written(tmp_path, changes, told):
    out = tmp_path / "job.sbatch"
    with pytest.raises(UserError, match=told):
        launch_slurm(LaunchSlurm(**{"command": TRAINING, "out": out, **changes}))
    assert not Path(out).exists()
