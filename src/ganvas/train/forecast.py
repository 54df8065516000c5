"""The forecast of a run: how long it will take, told before it starts and while it goes.

A growing network's last resolution costs a hundred times its first, so the pace so far says little about the time
left. A few steps of each stage are tried on a copy of the networks; stages too slow to try are extrapolated from the
arithmetic that they take.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from torch.utils.flop_counter import FlopCounterMode

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Schedule, Stage
from ganvas.losses.game import Batch, Game, Phase
from ganvas.train.execution.executors import Eager
from ganvas.train.feeds.feed import Feed
from ganvas.train.pauses import Pause
from ganvas.train.state import movable, new_state
from ganvas.train.step import let_move

BUDGET_SECONDS = 4.0  # For trying steps, over all stages.
TRIED_STEPS, TRIED_SECONDS = 16, 0.25  # Of a stage, whichever is less.
TURNS_LOOKED_AT = 1000  # Steps over which the share of a phase's turns is counted.


@dataclass
class Forecast:
    """Seconds and FLOP per sample of every stage phase, the pauses, and a correction of steps learnt while training."""

    schedule: Schedule
    total_nimg: int
    seconds: dict[int, float]  # By Stage.phase.
    flop: dict[int, float]
    pauses: Sequence[Pause] = ()
    correction: float = 1.0
    _spans: list[tuple[int, int, int]] = field(default_factory=list)  # (first sample, last sample, phase)

    def __post_init__(self) -> None:
        borders = [0]
        borders += [border for border in self.schedule.borders() if 0 < border < self.total_nimg]
        borders.append(self.total_nimg)
        self._spans = [(a, b, self.schedule.at(a + 1).phase) for a, b in pairwise(borders)]

    def seconds_between(self, start: int, end: int) -> float:
        """Predicted seconds from ``start`` to ``end`` samples, pauses included."""
        return self.step_seconds_between(start, end) + self.pause_seconds_between(start, end)

    def step_seconds_between(self, start: int, end: int) -> float:
        """Predicted seconds of the steps alone."""
        return self.correction * self._sum(self.seconds, start, end)

    def pause_seconds_between(self, start: int, end: int) -> float:
        """Predicted seconds of sheets and measurements alone."""
        return sum(pause.between(start, end) for pause in self.pauses)

    def flop_between(self, start: int, end: int) -> float:
        """Floating-point operations from ``start`` to ``end`` samples, both passes and the penalty included."""
        return self._sum(self.flop, start, end)

    def observe(self, start: int, end: int, seconds: float) -> None:
        """Learns from what the steps of an interval really took: a fifth of the way to what it should have been."""
        predicted = self._sum(self.seconds, start, end)
        if predicted > 0 and seconds > 0:
            self.correction = 0.8 * self.correction + 0.2 * seconds / predicted

    def _sum(self, rates: dict[int, float], start: int, end: int) -> float:
        return sum(max(min(b, end) - max(a, start), 0) * rates.get(phase, 0.0) for a, b, phase in self._spans)


def forecast(model: Game, feed: Feed, total_nimg: int, *, ranks: Ranks, pauses: Sequence[Pause] = ()) -> Forecast:
    """Tries each stage on a copy of the model and zeros in the place of the data, within a few seconds."""
    schedule = model.schedule()
    last_phase = schedule.at(max(total_nimg - 1, 0)).phase
    stages = [stage for stage in schedule.stages() if stage.phase <= last_phase]
    few = 4 * ranks.count  # On each rank a group of minibatch standard deviation.
    flop = {
        stage.phase: count_flop(model, feed.batch(0, replace(stage, batch_size=min(stage.batch_size, few))))
        for stage in stages
    }
    seconds: dict[int, float] = {}
    spent, last = 0.0, 0.0  # Seconds, and seconds per FLOP of the last stage tried.
    for stage in stages:
        share = max(stage.batch_size // ranks.count, 1)
        expected = flop[stage.phase] * share * last  # Too much, as long as launching costs more than computing.
        if spent + expected < BUDGET_SECONDS:
            started = time.perf_counter()
            took = try_steps(model, stage, feed)
            spent += time.perf_counter() - started
            seconds[stage.phase] = took / (share * ranks.count)
            last = took / max(flop[stage.phase] * share, 1.0)
        else:
            seconds[stage.phase] = flop[stage.phase] * last / ranks.count
    return Forecast(schedule=schedule, total_nimg=total_nimg, seconds=seconds, flop=flop, pauses=pauses)


def count_flop(model: Game, given: Batch) -> float:
    """Floating-point operations per real sample of one step, counted without computing anything (meta device)."""
    shadow = copy.deepcopy(model).to("meta")
    batch = given.map(lambda tensor: torch.zeros_like(tensor, device="meta"))
    phases = shadow.phases()
    moving = [movable(phase.player).values() for phase in phases]
    total = 0.0
    for phase, parameters in zip(phases, moving, strict=True):
        let_move(shadow, parameters)
        with FlopCounterMode(display=False) as counter:
            torch.stack([term.float().mean() for term in phase.loss(batch).values()]).sum().backward()
        total += counter.get_total_flops() / given.size * turn_share(phase)
    return total


def turn_share(phase: Phase) -> float:
    """On what share of the first steps a phase plays."""
    return sum(phase.turn(step, 0) for step in range(TURNS_LOOKED_AT)) / TURNS_LOOKED_AT


def try_steps(model: Game, stage: Stage, feed: Feed) -> float:
    """Seconds of one step of a copy: the mean of some after the first, which sets things up.

    A step of a small model takes milliseconds, of which a single one says little, and not every phase plays on each.
    """
    device = next(model.parameters()).device
    state = new_state(copy.deepcopy(model))
    executor = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    batch = feed.batch(0, stage).map(torch.zeros_like)
    executor.step(batch, stage)
    started, steps = _now(device), 0
    while steps == 0 or (steps < TRIED_STEPS and _now(device) - started < TRIED_SECONDS):
        state.step, steps = state.step + 1, steps + 1
        executor.step(batch, stage)
    return (_now(device) - started) / steps


def _now(device: torch.device) -> float:
    """Seconds on a clock, once the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
