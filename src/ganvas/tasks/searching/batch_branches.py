"""Branches of one state that differ in batch size, learning rate and seed, and the folder that they lie in.

::

    batches/
      search.json       model, data, state, value to reach
      branches.jsonl    one line per branch that is done: how many samples it took
      runs/64-1-1/      the run of each, by size, factor and seed, as any other
      critical-batch.json, critical-batch.svg
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.files.json_lines import append_line, read_lines
from ganvas.tasks.searching.search_folder import SearchFolder

DONE = "branches.jsonl"


@dataclass(frozen=True, kw_only=True)
class BatchBranch:
    """One branch. ``factor`` is of the learning rates, beyond the root of the batch's size."""

    batch_size: int
    factor: float
    seed: int

    @property
    def told(self) -> str:
        """For a person who waits."""
        return f"batches of {self.batch_size}, rate x{self.factor:g}, seed {self.seed}"


@dataclass(frozen=True, kw_only=True)
class BranchOutcome:
    """How a branch ended. ``kimg``: of samples until it came to the value; None where it did not."""

    branch: BatchBranch
    kimg: float | None
    seconds: float
    cause: str = ""  # Of a training that failed.
    noise_scale: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As a line of JSON."""
        own = asdict(self)
        return own.pop("branch") | own


def branches(sizes: Sequence[int], factors: Sequence[float], seeds: int) -> list[BatchBranch]:
    """Every size with every factor and seed: one seed of all first, so that a law is there before the interval is."""
    return [
        BatchBranch(batch_size=size, factor=factor, seed=seed)
        for seed in range(1, seeds + 1)
        for size in sorted(set(sizes), reverse=True)
        for factor in sorted(set(factors))
    ]


def scaled(config: Mapping[str, Any], branch: BatchBranch) -> dict[str, Any]:
    """What a branch changes of the settings of its run.

    Rates grow with the root of the size, since Adam divides by the size of the gradient, whose noise falls with that
    root; factors search around it. An average that forgets per step keeps its horizon in samples.

    >>> config = {"batch_size": 64, "lr": 1e-3, "average_decay": 0.99, "depth": 3}
    >>> scaled(config, BatchBranch(batch_size=256, factor=0.5, seed=1))
    {'batch_size': 256, 'lr': 0.001, 'average_decay': 0.96059601}

    Raises:
        UserError: the model's batch size is no single number.
    """
    size = config.get("batch_size")
    if not isinstance(size, int) or size < 1:
        raise UserError(f"batch_size={size} of this model is no single number, so there is none to try others of.")
    times = branch.batch_size / size
    rates = {
        name: float(f"{value * math.sqrt(times) * branch.factor:.9g}")
        for name, value in config.items()
        if (name == "lr" or name.endswith("_lr")) and isinstance(value, float) and value > 0
    }
    decay = config.get("average_decay")
    kept = {"average_decay": float(f"{decay**times:.12g}")} if isinstance(decay, float) and 0 < decay < 1 else {}
    return {"batch_size": branch.batch_size} | rates | kept


class BranchStore:
    """Runs and outcomes of branches."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, described: Mapping[str, Any]) -> None:
        """Notes what the branches have in common; a folder that is there must have the same.

        Raises:
            UserError: the folder holds something else, or branches of another kind.
        """
        SearchFolder(self.path).begin(described)

    def run_at(self, branch: BatchBranch) -> Path:
        """The folder of a branch's run."""
        return self.path / "runs" / f"{branch.batch_size}-{branch.factor:g}-{branch.seed}"

    def outcomes(self) -> dict[BatchBranch, BranchOutcome]:
        """What is done; a line that is damaged is trained again."""
        found = {}
        for line in read_lines(self.path / DONE):
            if line.entry is not None:
                own = dict(line.entry)
                branch = BatchBranch(**{name: own.pop(name) for name in ("batch_size", "factor", "seed")})
                found[branch] = BranchOutcome(branch=branch, **own)
        return found

    def add(self, outcome: BranchOutcome) -> None:
        """Notes a branch that is done."""
        append_line(self.path / DONE, outcome.plain())
