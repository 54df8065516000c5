"""``ganvas launch slurm``: a job file that trains on several machines and goes on by itself after a machine is lost."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from ganvas.core.errors import UserError

PORT = 29500  # Where processes meet; torchrun's own default.
RESTARTS = 3  # Of the processes of a machine, before the job is given up.
GRACE_SECONDS = 120  # Between the signal and the end of the time: for the step, the state and the way out.


@dataclass(frozen=True, kw_only=True)
class LaunchSlurm:
    """Print a job file for Slurm: one torchrun on every machine, restarted after a loss, stopped in time to save.

    Examples:
      ganvas launch slurm "train gan/progan --data photos/ --out runs/photos" --nodes 2 --gpus 4 -o job.sbatch
      sbatch job.sbatch
    """

    command: Positional[str]
    """The training, in quotes, as it would be typed after `ganvas`."""
    nodes: int = 1
    """Machines."""
    gpus: int = 1
    """GPUs of each, with one process to a GPU."""
    hours: float = 24.0
    """After which the job ends; the same file submitted again goes on."""
    partition: str | None = None
    """Of the cluster, where it has several."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """File to write; printed where left out."""


@dataclass(frozen=True, kw_only=True)
class JobFile:
    """A job file."""

    text: str
    path: Path | None


def launch_slurm(task: LaunchSlurm) -> JobFile:
    """Writes the file, or returns its text alone.

    Raises:
        UserError: the command trains nothing, or a number is not above 0.
    """
    from ganvas.core.files.atomic_files import write_text

    words = _words(task.command)
    for name, value in (("nodes", task.nodes), ("gpus", task.gpus), ("hours", task.hours)):
        if value <= 0:
            raise UserError(f"--{name} {value:g} must be above 0.")
    if task.out is not None and task.out.exists():
        raise UserError(f"{task.out} is there already. Choose another name, or remove it.")
    text = _job(task, words)
    if task.out is not None:
        write_text(task.out, text)
    return JobFile(text=text, path=task.out)


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f"{command!r} is not understood: {error}. Close every quotation mark.") from None
    words = words[1:] if words[:1] == ["ganvas"] else words
    if words[:1] != ["train"] or not {"--out", "-o"} & {word.partition("=")[0] for word in words}:
        raise UserError(
            f"{command!r} is no training. Give what is typed after `ganvas`, in quotes: "
            '"train gan/progan --data photos/ --out runs/photos".'
        )
    return words


def _job(task: LaunchSlurm, words: list[str]) -> str:
    minutes = max(round(60 * task.hours), 1)
    options = {
        "job-name": "ganvas",
        "nodes": task.nodes,
        "ntasks-per-node": 1,
        "gpus-per-node": task.gpus,
        "time": f"{minutes // 60:02d}:{minutes % 60:02d}:00",
        **({"partition": task.partition} if task.partition else {}),
        "signal": f"TERM@{GRACE_SECONDS}",
        "open-mode": "append",
    }
    head = ["#!/bin/bash", *(f"#SBATCH --{name}={value}" for name, value in options.items()), "#SBATCH --requeue"]
    torchrun = [
        "srun torchrun",
        '--nnodes="$SLURM_NNODES"',
        f"--nproc-per-node={task.gpus}",
        f"--max-restarts={RESTARTS}",
        "--rdzv-backend=c10d",
        '--rdzv-id="$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}"',
        f'--rdzv-endpoint="$first:{PORT}"',
        f"-m ganvas {shlex.join(words)}",
    ]
    body = [
        "# Restarted processes meet in a store of their own; in a shared one they find keys of the last round.",
        "export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1",
        'first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
        " \\\n  ".join(torchrun),
    ]
    return "\n".join([*head, "", *body]) + "\n"
