"""Pauses of a run: sheets and measurements, for which training stands still, and what they cost of its time.

A model that draws a picture pixel by pixel may take longer over its sheets than over its steps, so the forecast of a
run tries one sheet and one measurement as it tries steps.
"""

import copy
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from ganvas.core.errors import UserError
from ganvas.core.progress import duration
from ganvas.core.schedule import Stage
from ganvas.losses.game import Game
from ganvas.train.kinds.kind import RunData
from ganvas.train.plan import PER_RUN, Plan
from ganvas.train.state import State, new_state

TRIED_N = 256  # Samples of a tried measurement; its time is scaled to the plan's.
QUICK_SECONDS = 2.0  # What takes less is tried twice: the first time also sets things up.
MOST_OF_A_RUN = 0.25  # Of the minutes that a person asks for, for pauses whose interval is free.
KIMG_DIGITS = 2  # Significant digits of the length in kimg that --minutes chooses.


@dataclass(frozen=True, kw_only=True)
class Pause:
    """What training stands still for at intervals; the first comes before the first step.

    Attributes:
        interval: Samples shown between two; 0 is never.
        seconds: Of one.
        free: Whether the interval follows the length of the run.
    """

    kind: Literal["sample", "measure"]
    interval: int
    seconds: float
    free: bool = True

    def between(self, start: int, end: int) -> float:
        """Seconds of all from ``start`` to ``end`` samples."""
        if not self.interval:
            return 0.0
        return (end // self.interval - start // self.interval + (start == 0)) * self.seconds


def tried_pauses(model: Game, data: RunData, plan: Plan, *, stage: Stage, device: torch.device) -> list[Pause]:
    """One sheet and a small measurement of a copy of the model, timed; nothing of them is kept.

    Args:
        stage: At which it draws; the last of the run is the slowest.
    """
    state = new_state(copy.deepcopy(model))
    sheet = _sheet_seconds(state, data, plan, stage, device)
    pauses = [Pause(kind="sample", interval=plan.interval("sample"), seconds=sheet, free=not plan.sample_kimg)]
    if plan.measure_kimg >= 0:
        seconds = _measurement_seconds(state, data, plan, stage)
        interval = plan.interval("measure")
        pauses.append(Pause(kind="measure", interval=interval, seconds=seconds, free=not plan.measure_kimg))
    return pauses


def _sheet_seconds(state: State, data: RunData, plan: Plan, stage: Stage, device: torch.device) -> float:
    with tempfile.TemporaryDirectory(prefix="ganvas-") as folder:
        sheets = data.sheets(Path(folder), state.model, plan, device=device)
        took = _seconds_of(lambda: sheets.sample(state, stage, "tried"))
        return took if took > QUICK_SECONDS else _seconds_of(lambda: sheets.sample(state, stage, "tried"))


def _measurement_seconds(state: State, data: RunData, plan: Plan, stage: Stage) -> float:
    """Of one of the plan's size: on a line through two smaller ones, because part of each is always the same."""
    whole, more = (min(n, len(data)) for n in (plan.measure_n, TRIED_N))
    less = more // 4
    if whole <= more or less < 2:
        return _small_measurement_seconds(state, data, plan, stage, n=max(whole, 2))
    much, little = (_small_measurement_seconds(state, data, plan, stage, n=n) for n in (more, less))
    return much + max(much - little, 0.0) / (more - less) * (whole - more)


def _small_measurement_seconds(state: State, data: RunData, plan: Plan, stage: Stage, *, n: int) -> float:
    """Of the second measurement: the first also gathers what is compared with."""
    small = replace(plan, measure_n=n)
    examinations = [one for one in data.examinations(state.model, small) if not one.refusal]
    for one in examinations:
        one.measure(state, stage)
    return sum(_seconds_of(lambda one=one: one.measure(state, stage)) for one in examinations)


def _seconds_of(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def plan_within(seconds: float, plan: Plan, *, step_seconds: float, pauses: Sequence[Pause]) -> Plan:
    """The plan with the length in kimg that fits into some seconds, pauses included.

    Free intervals grow with the length, so that their pauses take as long whatever it is; they are widened where this
    would be more than ``MOST_OF_A_RUN`` of the time.

    Args:
        step_seconds: Of all steps of the plan as it is.
        pauses: Of the plan as it is.

    Raises:
        UserError: the first and the last of the pauses alone take longer.
    """
    counts = _counts_within(MOST_OF_A_RUN * seconds, [pause for pause in pauses if pause.free])
    fixed = sum((1 + counts.get(pause.kind, 0)) * pause.seconds for pause in pauses)
    if fixed >= seconds:
        raise UserError(
            f"The first and the last sheet of samples and measurement alone take {duration(fixed)} with this model. "
            "Give more minutes, a smaller measure_n, or measure_kimg=-1."
        )
    per_kimg = step_seconds / plan.total_kimg
    per_kimg += sum(1000 / pause.interval * pause.seconds for pause in pauses if not pause.free)
    kimg = float(f"{(seconds - fixed) / max(per_kimg, 1e-12):.{KIMG_DIGITS}g}")
    widened = {f"{kind}_kimg": kimg / count for kind, count in counts.items() if count < PER_RUN[kind]}
    return replace(plan, total_kimg=kimg, **widened)


def _counts_within(seconds: float, pauses: Sequence[Pause]) -> dict[str, int]:
    """How many of each kind come after the first one: as planned, or as many as take some seconds, at least one."""
    wanted = sum((1 + PER_RUN[pause.kind]) * pause.seconds for pause in pauses)
    share = min(1.0, seconds / wanted) if wanted else 1.0
    return {pause.kind: max(int(PER_RUN[pause.kind] * share), 1) for pause in pauses}
