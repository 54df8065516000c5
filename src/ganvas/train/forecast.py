"""How long a run will take, said before it starts and while it goes.

A growing network's last resolution costs a hundred times its first, so the pace so far says little about the time
left. A few steps of each stage are tried on a copy of the networks; stages too slow to try are extrapolated from the
arithmetic that they take.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Growth, Stage
from ganvas.losses.game import Batch, Phase
from ganvas.train.executors import Eager
from ganvas.train.state import new_state

BUDGET_SECONDS = 4.0  # For trying steps, over all stages.


@dataclass
class Forecast:
    """Seconds and FLOP per image of every stage phase, and a correction learnt while training."""

    growth: Growth
    total_nimg: int
    seconds: dict[int, float]  # By Stage.phase.
    flop: dict[int, float]
    correction: float = 1.0
    _spans: list[tuple[int, int, int]] = field(default_factory=list)  # (first image, last image, phase)

    def __post_init__(self) -> None:
        borders = [0]
        borders += [border for border in self.growth.borders() if 0 < border < self.total_nimg]
        borders.append(self.total_nimg)
        self._spans = [(a, b, self.growth.at(a + 1).phase) for a, b in pairwise(borders)]

    def seconds_between(self, start: int, end: int) -> float:
        """Predicted seconds from ``start`` to ``end`` images."""
        return self.correction * self._sum(self.seconds, start, end)

    def flop_between(self, start: int, end: int) -> float:
        """Floating-point operations from ``start`` to ``end`` images, both passes and the penalty included."""
        return self._sum(self.flop, start, end)

    def observe(self, start: int, end: int, seconds: float) -> None:
        """Learns from what an interval really took: a fifth of the way to what it should have been."""
        predicted = self._sum(self.seconds, start, end)
        if predicted > 0 and seconds > 0:
            self.correction = 0.8 * self.correction + 0.2 * seconds / predicted

    def _sum(self, rates: dict[int, float], start: int, end: int) -> float:
        return sum(max(min(b, end) - max(a, start), 0) * rates.get(phase, 0.0) for a, b, phase in self._spans)


def forecast(model: nn.Module, total_nimg: int, *, channels: int, size: tuple[int, int], ranks: Ranks) -> Forecast:
    """Tries each stage on a copy of the model, within a few seconds."""
    growth: Growth = model.schedule()  # type: ignore[operator]
    stages = [stage for stage in growth.stages() if _reached(growth, stage, total_nimg)]
    flop = {stage.phase: count_flop(model, stage, growth, channels=channels, size=size) for stage in stages}
    seconds: dict[int, float] = {}
    spent, last = 0.0, 0.0  # Seconds, and seconds per FLOP of the last stage tried.
    for stage in stages:
        share = max(stage.batch_size // ranks.count, 1)
        expected = flop[stage.phase] * share * last  # Too much, as long as launching costs more than computing.
        if spent + expected < BUDGET_SECONDS:
            started = time.perf_counter()
            took = _try(model, stage, growth, channels=channels, size=size, share=share)
            spent += time.perf_counter() - started
            seconds[stage.phase] = took / (share * ranks.count)
            last = took / (flop[stage.phase] * share)
        else:
            seconds[stage.phase] = flop[stage.phase] * last / ranks.count
    return Forecast(growth=growth, total_nimg=total_nimg, seconds=seconds, flop=flop)


def count_flop(model: nn.Module, stage: Stage, growth: Growth, *, channels: int, size: tuple[int, int]) -> float:
    """Floating-point operations per real image of one step, counted without computing anything (meta device)."""
    shadow = copy.deepcopy(model).to("meta")
    n = min(stage.batch_size, 4)  # A group of minibatch standard deviation.
    batch = _dummy(stage, growth, n, channels=channels, size=size, device=torch.device("meta"), model=model)
    phases: Sequence[Phase] = shadow.phases()  # type: ignore[operator]
    total = 0.0
    for phase in phases:
        shadow.requires_grad_(False)
        phase.player.requires_grad_(True)
        with FlopCounterMode(display=False) as counter:
            torch.stack([term.float().mean() for term in phase.loss(batch).values()]).sum().backward()
        total += counter.get_total_flops() / n / phase.every
    return total


def _try(model: nn.Module, stage: Stage, growth: Growth, *, channels: int, size: tuple[int, int], share: int) -> float:
    """Seconds of one step of a copy, the second one: the first sets things up."""
    device = next(model.parameters()).device
    executor = Eager(new_state(copy.deepcopy(model)), seed=0, ranks=Ranks(), precision=torch.float32)
    batch = _dummy(stage, growth, share, channels=channels, size=size, device=device, model=model)
    took = 0.0
    for _ in range(2):
        started = time.perf_counter()
        executor.step(batch.images, batch.labels, stage)
        if device.type == "cuda":
            torch.cuda.synchronize()
        took = time.perf_counter() - started
    return took


def _dummy(
    stage: Stage,
    growth: Growth,
    n: int,
    *,
    channels: int,
    size: tuple[int, int],
    device: torch.device,
    model: nn.Module,
) -> Batch:
    factor = growth.last // stage.resolution
    images = torch.zeros(n, channels, size[0] // factor, size[1] // factor, device=device)
    classes = getattr(model.config, "num_classes", 0)
    return Batch(
        images=images,
        labels=torch.zeros(n, dtype=torch.int64, device=device) if classes else None,
        rng=None if device.type == "meta" else torch.Generator(device),  # type: ignore[arg-type]
        fade=torch.tensor(0.5, device=device) if stage.fading else None,
    )


def _reached(growth: Growth, stage: Stage, total_nimg: int) -> bool:
    return stage.phase <= growth.at(max(total_nimg - 1, 0)).phase
