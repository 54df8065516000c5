"""The training loop, read from top to bottom: step, report, sample, measure, keep, until all images are shown."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganvas.core.config import to_plain
from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.progress import duration, progress, say
from ganvas.core.ranks import Ranks
from ganvas.core.run_folder import RunFolder, kimg_name
from ganvas.core.schedule import Growth, Stage
from ganvas.data.packed import Packed
from ganvas.train import checkpoint
from ganvas.train.executors import executor_for
from ganvas.train.feed import Feed
from ganvas.train.forecast import Forecast, forecast
from ganvas.train.monitors import Examiner, TensorBoard
from ganvas.train.plan import Plan, due
from ganvas.train.sample_grids import Sheets
from ganvas.train.state import State, averaged_model, new_state
from ganvas.train.step import count_turns, forget_sums, means_of, set_learning_rate

CALIBRATION_IMAGES = 496  # About the 500 of the progressive GAN's first code, and a multiple of 16.
POLL_STEPS = 8  # With several ranks: steps between two questions whether anyone was asked to stop.


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Everything a run needs, resolved."""

    run: RunFolder
    name: str  # Of the model in the catalogue.
    model: nn.Module  # With its weights drawn.
    plan: Plan
    packed: Packed
    data: dict[str, Any]  # What run.json and model.json say of the data.
    device: torch.device
    executor: str = "auto"
    ranks: Ranks = field(default_factory=Ranks)
    quiet: bool = False
    estimate: bool = True  # Try a few steps first and say how long it will take.
    tensorboard: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a call to train ended."""

    run: Path
    nimg: int
    finished: bool  # False when it was asked to stop; the same command goes on.
    seconds: float  # Of the whole run so far.


def train(setup: Setup) -> Outcome:
    """Trains until the plan is fulfilled or a signal asks to stop; goes on from the last saved state if any."""
    with setup.run.held() if setup.ranks.first else nullcontext():
        return _train(setup)


def _train(setup: Setup) -> Outcome:
    plan, run, ranks, packed = setup.plan, setup.run, setup.ranks, setup.packed
    growth: Growth = setup.model.schedule()  # type: ignore[operator]
    classes: int = getattr(setup.model.config, "num_classes", 0)
    _check_batches(growth, ranks)
    state = new_state(setup.model)
    if run.states():
        state.restore(*_split(checkpoint.load(run.states()[-1], "state")))
    ranks.barrier()
    if ranks.first:
        run.sweep()
        run.rewind(state.nimg if run.states() else -1)
        run.note(stages=_stages(growth, plan.total_nimg))
    if state.nimg >= plan.total_nimg:
        return Outcome(run=run.path, nimg=state.nimg, finished=True, seconds=_cost(run)["seconds"])

    coming = _forecast(setup, state) if setup.estimate else None
    feed = Feed(packed, seed=plan.seed, device=setup.device, ranks=ranks, mirror=plan.mirror, labels=classes > 0)
    execute = executor_for(setup.executor, setup.device)(
        state, seed=plan.seed, ranks=ranks, precision=getattr(torch, plan.precision)
    )
    sheets = Sheets(run.path / "samples", seed=plan.seed, packed=packed, classes=classes)
    examiner = Examiner(run, plan, packed, classes=classes)
    board = TensorBoard(run.path) if setup.tensorboard and ranks.first else None
    clock = _Clock(run, state.nimg)
    if state.nimg == 0:
        _calibrate(setup, feed, growth)
    if ranks.first and state.nimg == 0:
        sheets.reals(packed)
        sheets.sample(state, growth.at(0), kimg_name(0))
        examiner.measure(state, growth.at(0))
        _save(setup, state, growth.at(0), clock)

    with (
        _asked_to_stop() as asked,
        progress(f"Training {setup.name}", plan.total_kimg, unit="kimg", quiet=setup.quiet or not ranks.first) as show,
    ):
        saved_at = time.monotonic()
        while state.nimg < plan.total_nimg:
            stage = growth.at(state.nimg)
            if stage.phase != state.stage_phase:
                state.restart_optimizers()
                state.stage_phase = stage.phase
            set_learning_rate(state, stage.lr)

            images, labels = feed.batch(state.nimg, stage, full_resolution=growth.last)
            execute.step(images, labels, stage)
            count_turns(state)
            before, state.nimg, state.step = state.nimg, state.nimg + stage.batch_size, state.step + 1

            if due(before, state.nimg, plan.interval("report")):
                entry = _report(state, stage, ranks)
                if ranks.first:
                    _require_finite(entry, run)
                    run.append("log.jsonl", entry)
                    pace = clock.lap(state.nimg, coming)
                    if board:
                        board.write(entry, pace)
                    left = coming.seconds_between(state.nimg, plan.total_nimg) if coming else None
                    show(min(state.nimg / 1000, plan.total_kimg), _note(stage, pace), left)
            if ranks.first and due(before, state.nimg, plan.interval("sample")):
                sheets.sample(state, stage, kimg_name(state.nimg))
            better = False
            if ranks.first and due(before, state.nimg, plan.interval("measure")):
                better = examiner.measure(state, stage)

            stop = _poll(asked, ranks, state.step)
            late = time.monotonic() - saved_at > 60 * plan.checkpoint_minutes
            if ranks.first and (better or late or stop):
                _save(setup, state, stage, clock)
                saved_at = time.monotonic()
            if stop:
                break

    feed.close()
    finished = state.nimg >= plan.total_nimg
    if ranks.first:
        if finished:
            last = growth.at(max(state.nimg - 1, 0))
            sheets.sample(state, last, kimg_name(state.nimg))
            _save(setup, state, last, clock)
        sheets.film()
        run.note(status="finished" if finished else "stopped", finished=datetime.now(UTC).isoformat(timespec="seconds"))
    if board:
        board.close()
    ranks.barrier()
    return Outcome(run=run.path, nimg=state.nimg, finished=finished, seconds=clock.seconds)


def _stages(growth: Growth, total_nimg: int) -> list[dict[str, Any]]:
    """When the network changes during the run, for whoever draws its curves."""
    starts = [0, *(border for border in growth.borders() if 0 < border < total_nimg)]
    stages = [growth.at(start + (start > 0)) for start in starts]  # The first image of a fade still has weight 0.
    return [
        {"kimg": start / 1000, "resolution": stage.resolution, "fading": stage.fading}
        for start, stage in zip(starts, stages, strict=True)
    ]


def _calibrate(setup: Setup, feed: Feed, growth: Growth) -> None:
    """A model that measures something on real pictures before its first step does it now."""
    if hasattr(setup.model, "calibrate"):
        first = replace(growth.at(0), batch_size=min(CALIBRATION_IMAGES, len(setup.packed)))
        setup.model.calibrate(feed.batch(0, first, full_resolution=growth.last)[0])  # type: ignore[operator]


def _save(setup: Setup, state: State, stage: Stage, clock: "_Clock") -> None:
    """The state to go on from and the model to sample from; older ones are removed unless they are to be kept."""
    if not state.is_finite():
        raise _failure(state, setup.run)
    run, plan = setup.run, setup.plan
    described = {
        "model": setup.name,
        "config": to_plain(setup.model.config),
        "nimg": state.nimg,
        "kimg": state.nimg / 1000,
        "resolution": stage.resolution,
        "fade": stage.fade,
        "data": setup.data,
    }
    checkpoint.save(run.model_at(state.nimg), "model", averaged_model(state), described)
    checkpoint.save(run.state_at(state.nimg), "state", state.tensors(), {"numbers": state.numbers()})
    newest = [folder.name for folder in run.states()][-plan.keep_last :]
    run.keep_only({*newest, *(kimg_name(round(entry["kimg"] * 1000)) for entry in state.best)})
    run.note(cost=clock.cost(state.nimg), status="running")


def _split(loaded: tuple[dict[str, torch.Tensor], dict[str, Any]]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors, numbers = loaded
    return tensors, numbers["numbers"]


def _report(state: State, stage: Stage, ranks: Ranks) -> dict[str, Any]:
    """One line of log.jsonl: only what a repeated run would repeat, so no times."""
    means = means_of(state, ranks)
    forget_sums(state)
    where = {"nimg": state.nimg, "kimg": state.nimg / 1000, "resolution": stage.resolution, "fade": stage.fade}
    return where | {"batch_size": stage.batch_size, "lr": stage.lr} | means


def _require_finite(entry: dict[str, Any], run: RunFolder) -> None:
    bad = [name for name, value in entry.items() if isinstance(value, float) and not math.isfinite(value)]
    if bad:
        raise _stopped(
            run,
            f"{', '.join(bad)} became {entry[bad[0]]} by {entry['kimg']:g} kimg "
            f"(resolution {entry['resolution']}, learning rate {entry['lr']:g})",
        )


def _failure(state: State, run: RunFolder) -> TrainingFailed:
    bad = next(name for name, p in state.model.named_parameters() if not p.isfinite().all())
    return _stopped(run, f"the weights of {bad} are not finite at {state.nimg / 1000:g} kimg")


def _stopped(run: RunFolder, cause: str) -> TrainingFailed:
    run.note(status="failed", cause=cause)
    kept = run.states()
    last = f"The last good state, at {float(kept[-1].name):g} kimg, is kept." if kept else "No state was saved."
    return TrainingFailed(
        f"Training stopped: {cause}. {last} "
        "A lower lr, a stronger penalty, or precision=float32 in a new --out may help."
    )


def _forecast(setup: Setup, state: State) -> Forecast:
    """Says how long it will take, before it starts."""
    size = (setup.packed.height, setup.packed.width)
    coming = forecast(setup.model, setup.plan.total_nimg, channels=setup.packed.channels, size=size, ranks=setup.ranks)
    if setup.ranks.first and not setup.quiet:
        left = coming.seconds_between(state.nimg, setup.plan.total_nimg)
        flop = coming.flop_between(state.nimg, setup.plan.total_nimg)
        goal = f"{(setup.plan.total_nimg - state.nimg) / 1000:,.4g} kimg"
        packed = setup.packed
        say(f"{len(packed):,} pictures of {packed.height}x{packed.width} pixels (height x width).")
        say(f"{goal} to go: about {duration(left)} on this machine, {flop:.2g} FLOP.")
    return coming


def _note(stage: Stage, pace: dict[str, float]) -> str:
    where = f"{stage.resolution}x{stage.resolution} " + (f"fade {stage.fade:.2f}" if stage.fading else "train")
    return f"{where}, {pace['images_per_second']:.0f} img/s"


class _Clock:
    """Wall-clock facts: they go to cost.jsonl and run.json, never to log.jsonl."""

    def __init__(self, run: RunFolder, nimg: int) -> None:
        self.run, self.nimg, self.before = run, nimg, _cost(run)
        self.started = self.last = time.monotonic()
        self.gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        self.flop = self.before.get("flop")

    @property
    def seconds(self) -> float:
        return self.before["seconds"] + time.monotonic() - self.started

    def lap(self, nimg: int, coming: Forecast | None) -> dict[str, float]:
        """Notes the pace since the last lap and teaches the forecast."""
        now = time.monotonic()
        took, shown = max(now - self.last, 1e-9), nimg - self.nimg
        if coming:
            coming.observe(self.nimg, nimg, took)
            self.flop = (self.flop or 0.0) + coming.flop_between(self.nimg, nimg)
        pace = {"images_per_second": round(shown / took, 2), "memory_mib": _memory_mib()}
        self.run.append("cost.jsonl", {"nimg": nimg, "kimg": nimg / 1000, "seconds": round(self.seconds, 3), **pace})
        self.last, self.nimg = now, nimg
        return pace

    def cost(self, nimg: int) -> dict[str, Any]:
        seconds = round(self.seconds, 3)
        return {"seconds": seconds, "gpu_seconds": seconds * self.gpus, "flop": self.flop, "nimg": nimg}


def _cost(run: RunFolder) -> dict[str, Any]:
    return run.describe().get("cost") or {"seconds": 0.0, "gpu_seconds": 0.0, "flop": None, "nimg": 0}


def _memory_mib() -> float:
    """The most memory that this process ever held: on the GPU if it trains there."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _check_batches(growth: Growth, ranks: Ranks) -> None:
    for stage in growth.stages():
        if stage.batch_size % ranks.count:
            raise UserError(
                f"batch_size={stage.batch_size} at resolution {stage.resolution} cannot be shared by {ranks.count} "
                f"processes. Use a multiple of {ranks.count}."
            )


def _poll(asked: list[int], ranks: Ranks, step: int) -> bool:
    if ranks.count == 1:
        return bool(asked)
    return step % POLL_STEPS == 0 and ranks.agree(bool(asked))


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """A list that fills when Ctrl-C or SIGTERM comes: the step is finished and the state saved. A second one kills."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(number, before[number])

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            before[number] = signal.signal(number, note)
        except ValueError:  # Not in the main thread: whoever started the thread handles signals.
            break
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
