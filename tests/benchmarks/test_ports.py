"""What of the ports' driver is ours: when a resolution grows, and whose time counts."""

import importlib
import itertools
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ports(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.ports")


def test_levels_grow_one_after_the_other_within_a_fifth_and_fade_in_as_they_begin(ports):
    seen = [ports.growth(share / 1000, 4) for share in range(1001)]
    assert seen[0] == (0, 1.0)
    assert seen[200:] == [(3, 1.0)] * 801
    for (level, fade), (later, more) in itertools.pairwise(seen):
        assert (later, more) >= (level, fade) or (later == level + 1 and more < 0.05)
    faded = [sum(level == one and 0 < fade < 1 for level, fade in seen) for one in (1, 2, 3)]
    assert faded == [pytest.approx(200 / 7, abs=1)] * 3


def test_a_script_of_batches_hears_its_step_over_before_it_gets_the_next(ports):
    told = []
    for batch, _ in ports.Batches(torch.zeros(6, 3, 2, 2), 4, told.append):
        told.append(f"step of {len(batch)}")
    assert told == ["step of 4", 4, "step of 2", 2]


def test_a_stopwatch_stands_still_while_a_port_draws_and_ends_after_the_last_moment(ports, tmp_path, monkeypatch):
    clock = itertools.count(0, 1)
    monkeypatch.setattr(time, "process_time", lambda: 10.0 * next(clock))

    class Slow:
        def draw(self, n):
            for _ in range(5):
                time.process_time()  # Fifty seconds of drawing.
            return torch.zeros(2, 3, 4, 4)

    watch = ports.Stopwatch(tmp_path / "slow", [25.0, 45.0])
    watch.after_step(Slow(), 8)
    with pytest.raises(ports.TimeIsUp):
        [watch.after_step(Slow(), 8) for _ in range(100)]
    assert watch.spent < 80
    assert {path.name: len([*path.iterdir()]) for path in (tmp_path / "slow").iterdir()} == {"25": 2, "45": 2}
