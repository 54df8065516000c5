"""Simulations of coverage: of few experiments in the suite, and in full in ``make simulate``."""

import importlib.util
import math
import os
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # For `looker`.

FULL = bool(os.environ.get("GANVAS_SIMULATE"))
FEWEST = 20
PART = 10  # Of the experiments of a full simulation, one in so many is made in the suite.
LOWEST, HIGHEST = 0.90, 0.99  # What a good interval of 95 % holds.
CHANCE = 1e-4  # With which an interval that holds in 90 % of cases fails in the suite.


class Experiments:
    """How many experiments a simulation makes, and the share of intervals of 95 % that must hold the truth."""

    def __init__(self, name: str) -> None:
        self.name = name

    def count(self, full: int) -> int:
        """Of the ``full`` number, so many are made here."""
        self.made = full if FULL else min(full, max(FEWEST, full // PART))
        return self.made

    def only_in_full(self) -> None:
        """Skips a simulation that is dear and has a cheaper sibling in the suite."""
        if not FULL:
            pytest.skip("a dear simulation: `make simulate` makes it in full")

    def require(self, held) -> None:
        """Shares lie within the bounds; of few experiments, no lower than chance lets an interval of 90 % fall."""
        shares = torch.as_tensor(held, dtype=torch.float64).flatten()
        if FULL:
            record(self.name, experiments=self.made, held=[round(share, 4) for share in shares.tolist()])
            assert ((shares >= LOWEST) & (shares <= HIGHEST)).all(), shares
        assert (shares >= lowest(self.made)).all(), (shares, lowest(self.made))


def lowest(n: int) -> float:
    """The share below which ``n`` experiments fall with a chance of ``CHANCE`` where each holds with ``LOWEST``."""
    below = 0.0
    for k in range(n + 1):
        below += math.comb(n, k) * LOWEST**k * (1 - LOWEST) ** (n - k)
        if below > CHANCE:
            return k / n
    return 1.0


def record(name: str, **values) -> None:
    """A line of benchmarks/history.jsonl, with commit, date and machine."""
    path = Path(__file__).parents[2] / "benchmarks" / "history.py"
    spec = importlib.util.spec_from_file_location("benchmark_history", path)
    history = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(history)
    history.record(f"coverage.{name}", {"command": "make simulate", **values})


@pytest.fixture
def experiments(request) -> Experiments:
    """See :class:`Experiments`."""
    return Experiments(f"{request.path.stem.removeprefix('test_')}.{request.node.name}")
