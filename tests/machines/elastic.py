"""A training under torchrun watched from outside, and harmed: everything has a time by which it must be over."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ganvas.core.run_folder import RunFolder
from ganvas.train import checkpoint

KIMG = 3.0
SECONDS = 150  # For anything to happen, on a machine that has other work too.
TRAINING = (
    f"gan/wgan --data mixtures:ring8,100 --kimg {KIMG} --set width=8 --set depth=1"
    " --set batch_size=8 --set burst_first=1 --set burst_moves=2 --set report_kimg=0.4 --set sample_kimg=100"
    " --set measure_kimg=-1 --set health_kimg=-1 --set checkpoint_minutes=0.004 --set keep_last=3"
)
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Job:
    """One torchrun on this machine, in a process group of its own; leaving the block kills what is left of it.

    Args:
        launch: Options of torchrun; two processes of one machine where left out.
        training: Options of ``ganvas train`` beside those of every run here.
        before: What the command line begins with, such as ``ip netns exec``.
    """

    def __init__(
        self,
        run: Path,
        *,
        launch: str = "--nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint localhost:0",
        training: str = "",
        before: str = "",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.run = RunFolder(run)
        self.command = [*before.split(), sys.executable, "-m", "torch.distributed.run", *launch.split()]
        self.command += ["-m", "ganvas", "train", *TRAINING.split(), *training.split(), "--out", str(run)]
        self.environment = ENVIRONMENT | (environment or {})
        self.words = run.with_name(f"{run.name}.{time.monotonic_ns()}.log")

    def __enter__(self) -> "Job":
        with self.words.open("wb") as words:
            self.agent = subprocess.Popen(
                self.command, stdout=words, stderr=subprocess.STDOUT, env=self.environment, start_new_session=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def said(self) -> str:
        """Everything that its processes printed."""
        return self.words.read_text(errors="replace")

    def workers(self) -> list[int]:
        """Processes of the training, in the order of their ranks."""
        found = {}
        for pid in _session_of(self.agent.pid):
            rank = _environment_of(pid).get("LOCAL_RANK")
            if rank is not None:
                found[int(rank)] = pid
        return [found[rank] for rank in sorted(found)]

    def kill(self) -> None:
        """SIGKILL for all at once, as when a machine loses its power."""
        for pid in _session_of(self.agent.pid):
            _signal(pid, signal.SIGKILL)
        self.agent.wait()

    def wait_for_states(self, count: int) -> None:
        """Until so many more states were saved than there are now, and the run is not at its end."""
        seen = {path.name for path in self.run.states()}
        at = len(seen)

        def saved() -> bool:
            assert self.agent.poll() is None, self.said()
            seen.update(path.name for path in self.run.states())
            return len(seen) >= at + count

        _until(saved, "no state was saved")
        assert float(max(seen)) < KIMG, "the run was over before it was harmed: give it more steps"

    def wait(self) -> int:
        """Its exit code."""
        _until(lambda: self.agent.poll() is not None, "it does not end")
        return self.agent.returncode

    def require_finished(self) -> None:
        """Waits for the end, which must be that of the training."""
        assert self.wait() == 0, self.said()
        assert self.run.describe()["status"] == "finished", self.said()


def _until(holds: Callable[[], bool], failure: str) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, f"{failure} within {SECONDS} s"
        time.sleep(0.05)


def _session_of(leader: int) -> Iterator[int]:
    """Living processes that come from this one, and itself: torchrun gives its workers sessions of their own."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            parent = _parent(int(entry.name))
            if parent is not None:
                parents[int(entry.name)] = parent
    inside = {leader} & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return iter(sorted(inside))


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _environment_of(pid: int) -> dict[str, str]:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def same_bits(one: Path, other: Path) -> None:
    """Weights, moments, averages, sums, counters and logs of two finished runs, to the last bit."""
    first, second = (checkpoint.load(RunFolder(run).states()[-1], "state") for run in (one, other))
    assert first[0].keys() == second[0].keys()
    for name, tensor in first[0].items():
        assert torch.equal(tensor, second[0][name]), name
    assert first[1]["numbers"] == second[1]["numbers"]
    assert (one / "log.jsonl").read_bytes() == (other / "log.jsonl").read_bytes()


@contextmanager
def told(name: str) -> Iterator[dict[str, float]]:
    """Figures of a recovery, which are printed: seconds of the block under ``recovery_sec``, and what it adds."""
    figures: dict[str, float] = {}
    began = time.monotonic()
    yield figures
    figures = {"recovery_sec": round(time.monotonic() - began, 1), **figures}
    sys.stdout.write(f"{name}: {figures}\n")
