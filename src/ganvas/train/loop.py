"""The training loop, read from top to bottom: step, report, sample, measure, keep, until all images are shown."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from ganvas.core.config import to_plain
from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.process.provenance import peak_memory_mib
from ganvas.core.progress import duration, progress, say, stoppable
from ganvas.core.ranks import Ranks
from ganvas.core.run_folder import RunFolder, kimg_name
from ganvas.core.schedule import Growth, Schedule, Stage, ended_at
from ganvas.losses.capabilities import Calibrates, HasLatents, Inverts, Judges, SizesSounds, classes_of
from ganvas.losses.game import Game
from ganvas.train import checkpoint
from ganvas.train.augmented import augmentation_note, augmentation_numbers, augmented, require_augmentable
from ganvas.train.execution.executor_choice import executor_for
from ganvas.train.execution.executors import Executor
from ganvas.train.feeds.feed import Feed
from ganvas.train.forecast import Forecast, forecast
from ganvas.train.health.broken_layer import first_broken_layer
from ganvas.train.health.monitor import Monitor
from ganvas.train.health.noise_scale import NoiseProbe
from ganvas.train.kinds.kind import RunData
from ganvas.train.monitors import Examiner, TensorBoard
from ganvas.train.past_views import views_of
from ganvas.train.pauses import tried_pauses
from ganvas.train.plan import Plan, due
from ganvas.train.sheets.sample_grids import Sheets
from ganvas.train.state import State, averaged_model, new_state
from ganvas.train.step import count_turns, forget_sums, means_of, set_learning_rate

CALIBRATION_IMAGES = 496  # About the 500 of the progressive GAN's first code, and a multiple of 16.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
TOLD_SHARE = 0.1  # Of a run: what sheets and measurements take is told where it is more.
PAUSES = ("sample", "measure", "health")  # For which all processes wait at one state.
POLL_STEPS = 8  # With several ranks: steps between two questions whether anyone was asked to stop.


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Everything a run needs, resolved."""

    run: RunFolder
    name: str  # Of the model in the catalogue.
    model: Game  # With its weights drawn.
    plan: Plan
    data: RunData
    device: torch.device
    executor: str = "auto"
    ranks: Ranks = field(default_factory=Ranks)
    quiet: bool = False
    estimate: bool = True  # Try a few steps first and say how long it will take.
    tensorboard: bool = False
    origin: Path | None = None  # A state of another run, where this one begins as its branch.


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a call to train ended."""

    run: Path
    nimg: int
    finished: bool  # False when it was asked to stop; the same command resumes.
    seconds: float  # Of the whole run so far.


def train(setup: Setup) -> Outcome:
    """Trains until the plan is fulfilled or a signal asks to stop; resumes from the last saved state if any."""
    with setup.run.held() if setup.ranks.first else nullcontext():
        return _train(setup)


def _train(setup: Setup) -> Outcome:
    plan, run, ranks, data = setup.plan, setup.run, setup.ranks, setup.data
    require_augmentable(setup.model, plan, setup.name)
    schedule = setup.model.schedule()
    _check_batches(schedule, ranks, plan.shards)
    state = new_state(augmented(setup.model, plan))
    state.views = views_of(state.model, state.phases, plan)
    found = _own(run)
    resumed = found.tensors is not None
    if found.tensors is not None:
        state.restore(found.tensors, found.numbers)
    elif setup.origin is not None:
        _begin_at(state, setup.origin)
    _require_one_start(state, ranks)
    if ranks.first:
        _set_aside(found, run)
        run.sweep()
        run.rewind(state.nimg if resumed else -1)
        run.note(plan=to_plain(plan), stages=_stages(schedule, plan.total_nimg))
    sheets = data.sheets(run.path / "samples", setup.model, plan, device=setup.device)
    if state.nimg >= plan.total_nimg:
        if ranks.first and run.describe().get("status") != "finished":  # Killed after the last state.
            _finish(setup, sheets, finished=True)
        return Outcome(run=run.path, nimg=state.nimg, finished=True, seconds=_cost(run)["seconds"])

    feed = data.feed(setup.model, plan, device=setup.device, ranks=ranks)
    coming = _forecast(setup, feed, state) if setup.estimate else None
    execute = executor_for(setup.executor, setup.device, plan)(
        state, seed=plan.seed, ranks=ranks, precision=PRECISIONS[plan.precision]
    )
    examiner = Examiner(run, plan, data.examinations(setup.model, plan))
    monitor, probe = _monitor(setup), _noise_probe(setup, feed)
    board = TensorBoard(run.path) if setup.tensorboard and ranks.first else None
    clock = _Clock(run, state.nimg)
    if not resumed and setup.origin is None:
        _calibrate(setup, feed, schedule)
        state.restart_averages()
    if ranks.first and not resumed:
        with clock.pause():
            first = schedule.at(state.nimg)
            sheets.reals()
            sheets.sample(state, first, kimg_name(state.nimg))
            examiner.measure(state, first)
            _save(setup, state, first, clock)
    ranks.barrier()  # Steps wait for one another a minute, and the first sheet and measurement may take longer.

    with (
        stoppable() as asked,
        progress(f"Training {setup.name}", plan.total_kimg, unit="kimg", quiet=setup.quiet or not ranks.first) as show,
    ):
        saved_at = time.monotonic()
        while state.nimg < plan.total_nimg:
            stage, before = schedule.at(state.nimg), state.nimg
            advance(state, execute, feed, stage)
            stands = any(due(before, state.nimg, plan.interval(kind)) for kind in PAUSES)
            together = execute.settle(due=stands or state.nimg >= plan.total_nimg)

            if due(before, state.nimg, plan.interval("report")):
                execute.share_sums()
                entry = _report(state, stage)
                if ranks.first:
                    _require_finite(entry, setup, state, feed, stage)
                    run.append("log.jsonl", entry)
                    pace = clock.lap(state.nimg, coming)
                    if board:
                        board.write(entry, pace)
                    left = coming.seconds_between(state.nimg, plan.total_nimg) if coming else None
                    shown = f"{pace['images_per_second']:.0f} {setup.model.batch_type.unit}/s"
                    note = _note(stage, setup, shown, monitor.note, augmentation_note(entry), examiner.latest)
                    show(min(state.nimg / 1000, plan.total_kimg), note, left)
            if ranks.first and due(before, state.nimg, plan.interval("sample")):
                run.require_held()
                with clock.pause():
                    sheets.sample(state, stage, kimg_name(state.nimg))
            if due(before, state.nimg, plan.interval("health")):
                noise = probe.signs(state, stage) if probe else None
                if ranks.first:
                    monitor.check(state, stage, noise=noise)
            better = False
            if ranks.first and due(before, state.nimg, plan.interval("measure")):
                with clock.pause():
                    better = examiner.measure(state, stage)
            if stands:
                ranks.barrier()

            stop = _poll(asked, ranks, state.step, every=plan.local_steps or 1)
            late = time.monotonic() - saved_at > 60 * plan.checkpoint_minutes
            if ranks.first and together and (better or late or stop):
                _save(setup, state, stage, clock)
                saved_at = time.monotonic()
            if stop:
                break

    feed.close()
    finished = state.nimg >= plan.total_nimg
    if ranks.first:
        if finished:
            last = schedule.at(max(state.nimg - 1, 0))
            run.require_held()
            sheets.sample(state, last, kimg_name(state.nimg))
            if examiner.measured_at != state.nimg:  # The finished model has values of its own, whatever the interval.
                examiner.measure(state, last)
            _save(setup, state, last, clock)
        _finish(setup, sheets, finished=finished)
    if board:
        board.close()
    ranks.barrier()
    return Outcome(run=run.path, nimg=state.nimg, finished=finished, seconds=_cost(run)["seconds"])


def advance(state: State, execute: Executor, feed: Feed, stage: Stage) -> None:
    """One step at a stage: the batch is dealt, everyone whose turn it is moves, and the counters go on."""
    if stage.phase != state.stage_phase:
        state.restart_optimizers()
        state.stage_phase = stage.phase
    set_learning_rate(state, stage.lr)
    turns = execute.step(feed.batch(state.nimg, stage), stage)
    count_turns(state, turns)
    state.nimg, state.step = state.nimg + stage.batch_size, state.step + 1


def _finish(setup: Setup, sheets: Sheets, *, finished: bool) -> None:
    """The film of the sheets, and how the run ended."""
    sheets.film()
    when = datetime.now(UTC).isoformat(timespec="seconds")
    setup.run.note(status="finished" if finished else "stopped", finished=when)


def _stages(schedule: Schedule, total_nimg: int) -> list[dict[str, Any]]:
    """When the network changes during the run, for whoever draws its curves."""
    starts = [0, *(border for border in schedule.borders() if 0 < border < total_nimg)]
    stages = [schedule.at(start + (start > 0)) for start in starts]  # The first image of a fade still has weight 0.
    return [
        {"kimg": start / 1000, **_where(stage), "fading": stage.fading}
        for start, stage in zip(starts, stages, strict=True)
    ]


def _where(stage: Stage) -> dict[str, Any]:
    """The nominal resolution, of a model whose pictures are doubled from a base."""
    return {} if stage.resolution is None else {"resolution": stage.resolution}


def _calibrate(setup: Setup, feed: Feed, schedule: Schedule) -> None:
    """A model that measures something on real samples before its first step does it now."""
    if isinstance(setup.model, Calibrates):
        rows = min(CALIBRATION_IMAGES, len(setup.data)) // setup.ranks.count * setup.ranks.count
        first = replace(schedule.at(0), batch_size=max(rows, 1))
        setup.model.calibrate(replace(feed.batch(0, first), ranks=setup.ranks))


def _save(setup: Setup, state: State, stage: Stage, clock: "_Clock") -> None:
    """The state to resume from and the model to sample from; older ones are removed unless they are to be kept."""
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
        "data": setup.data.described,
    }
    run.require_held()
    checkpoint.save(run.model_at(state.nimg), "model", averaged_model(state), described)
    numbers = {"run": run.identity, "numbers": state.numbers()}
    checkpoint.save(run.state_at(state.nimg), "state", state.tensors(), numbers)
    newest = [folder.name for folder in run.states()][-plan.keep_last :]
    run.keep_only({*newest, *(kimg_name(round(entry["kimg"] * 1000)) for entry in state.best)})
    run.note(cost=clock.cost(state.nimg), status="running")


@dataclass(frozen=True)
class _Found:
    """Where a run goes on: the newest of its states that is whole, and newer ones that are not."""

    tensors: dict[str, torch.Tensor] | None = None  # None at the beginning of a run.
    numbers: dict[str, Any] = field(default_factory=dict)
    damaged: tuple[Path, ...] = ()


def _own(run: RunFolder) -> _Found:
    """The newest state that is as it was written, which must be this run's: somebody may have copied another there.

    Raises:
        UserError: it is of another run, or no state is whole.
    """
    damaged: dict[Path, checkpoint.Damaged] = {}
    for folder in reversed(run.states()):
        try:
            tensors, numbers = checkpoint.load(folder, "state")
        except checkpoint.Damaged as error:
            damaged[folder] = error
            continue
        if numbers["run"] != run.identity:
            raise UserError(f"{folder} is a state of another run. Remove it to resume from an older one.")
        return _Found(tensors, numbers["numbers"], tuple(damaged))
    if damaged:
        raise next(iter(damaged.values()))
    return _Found()


def _require_one_start(state: State, ranks: Ranks) -> None:
    """Every process must begin at one moment; it also waits for all of them to have read it."""
    ranks.barrier()
    if not ranks.alike(state.nimg):
        raise TrainingFailed(
            f"The processes do not begin at one state (this one at {state.nimg / 1000:g} kimg): they do not see the "
            "same files. Start them again, with --out on a disk that all machines share."
        )


def _set_aside(found: _Found, run: RunFolder) -> None:
    """What is damaged stays beside the states, under a name that is none of theirs."""
    for folder in found.damaged:
        kept = run.set_aside(folder)
        say(
            f"Warning: {folder} is not as it was written: a file of it is missing, cut short or altered. It is kept as "
            f"{kept.name}, and the run goes on from the state before it."
        )


def require_branch(model: Game, plan: Plan, origin: Path) -> None:
    """Refuses a state of another run that does not fit the model, before anything of the branch is written.

    Raises:
        UserError: its networks or the moments of its optimisers are others.
    """
    state = new_state(augmented(model, plan))
    state.views = views_of(state.model, state.phases, plan)
    _begin_at(state, origin)


def _begin_at(state: State, origin: Path) -> None:
    """Everything as it was in another run, but for the list of its best states, which stay there."""
    tensors, numbers = checkpoint.load(origin, "state")
    state.restore(tensors, numbers["numbers"])
    if not state.has_own_moments():
        raise UserError(f"The state {origin} holds the moments of another optimiser, from which this one cannot go on.")
    state.best.clear()


def _report(state: State, stage: Stage) -> dict[str, Any]:
    """One line of log.jsonl: only what a repeated run would repeat, so no times."""
    means = means_of(state)
    forget_sums(state)
    where = _where(stage)
    fade = {"fade": stage.fade} if where else {}
    shown = {"nimg": state.nimg, "kimg": state.nimg / 1000}
    return (
        shown
        | where
        | fade
        | {"batch_size": stage.batch_size, "lr": stage.lr}
        | means
        | augmentation_numbers(state.model)
    )


def _monitor(setup: Setup) -> Monitor:
    """Who looks after the game; samples are looked at where the model draws and judges them, or sends them back."""
    model, plan = setup.model, setup.plan
    looks = (
        setup.ranks.first
        and plan.interval("health") > 0
        and ((isinstance(model, HasLatents) and isinstance(model, Judges)) or isinstance(model, Inverts))
    )
    return Monitor(
        setup.run,
        plan,
        setup.data.specimens(plan, device=setup.device) if looks else None,
        counts=setup.data.described.get("class_counts", ()) if classes_of(model.config) else (),
        quiet=setup.quiet,
    )


def _noise_probe(setup: Setup, feed: Feed) -> NoiseProbe | None:
    """What measures the noise scale at check-ups, where the plan asks for it."""
    plan = setup.plan
    if not plan.noise_scale:
        return None
    return NoiseProbe(
        feed=feed,
        count=plan.noise_scale,
        samples=len(setup.data),
        seed=plan.seed,
        ranks=setup.ranks,
        precision=PRECISIONS[plan.precision],
    )


def _require_finite(entry: dict[str, Any], setup: Setup, state: State, feed: Feed, stage: Stage) -> None:
    bad = [name for name, value in entry.items() if isinstance(value, float) and not math.isfinite(value)]
    if not bad:
        return
    at = f"resolution {entry['resolution']}, " if "resolution" in entry else ""
    cause = f"{', '.join(bad)} became {entry[bad[0]]} by {entry['kimg']:g} kimg ({at}learning rate {entry['lr']:g})"
    if setup.ranks.count == 1:  # Others would wait for their part of a batch.
        layer = first_broken_layer(state.model, feed.batch(state.nimg, stage), seed=setup.plan.seed)
        cause += f"; the first layer whose output is not finite is {layer}" if layer else ""
    raise _stopped(setup.run, cause)


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


def _forecast(setup: Setup, feed: Feed, state: State) -> Forecast:
    """Says how long it will take, and what is reached, before it starts."""
    total = setup.plan.total_nimg
    schedule = setup.model.schedule()
    pauses = []
    if setup.ranks.first and not setup.quiet:
        last = schedule.at(max(total - 1, 0))
        pauses = tried_pauses(setup.model, setup.data, setup.plan, stage=last, device=setup.device)
    setup.ranks.barrier()
    coming = forecast(setup.model, feed, total, ranks=setup.ranks, pauses=pauses)
    if setup.ranks.first and not setup.quiet:
        left, pauses = coming.seconds_between(state.nimg, total), coming.pause_seconds_between(state.nimg, total)
        flop = coming.flop_between(state.nimg, total)
        goal = f"{(total - state.nimg) / 1000:,.4g} kimg"
        say(setup.data.sentence())
        stands = f", {duration(pauses)} of them for sheets and measurements" if pauses > TOLD_SHARE * left else ""
        say(f"{goal} to go: about {duration(left)} on this machine{stands}, {flop:.2g} FLOP.")
        if (ended := ended_at(schedule, total)) != total:
            batch_size = schedule.at(max(total - 1, 0)).batch_size
            say(f"Whole batches of {batch_size} are shown, so the run ends at {ended / 1000:,.6g} kimg.")
        say_what_is_reached(schedule, total, setup)
    return coming


def say_what_is_reached(schedule: Schedule, total_nimg: int, setup: Setup) -> None:
    """The size of the pictures at the end of the run, where they grow; a run that ends too early says so."""
    if not isinstance(schedule, Growth) or not schedule.borders():
        return
    last = schedule.at(max(total_nimg - 1, 0))
    size = _size_at(last, setup)
    if last.shrink > 1:
        say(
            f"Warning: the run ends at {size} pixels; the full size of {_size_at(replace(last, shrink=1), setup)} is "
            f"reached at {schedule.arrival / 1000:g} kimg. Give a larger --kimg, or shorter train_kimg and fade_kimg."
        )
    else:
        say(f"Pictures grow to {size} pixels by {schedule.arrival / 1000:g} kimg.")


def _size_at(stage: Stage, setup: Setup) -> str:
    """Height and width of the pictures that a growing network sees at a stage; of sounds, of their spectra."""
    config, described = setup.model.config, setup.data.described
    height, width = config.seen if isinstance(config, SizesSounds) else (described["height"], described["width"])
    return f"{height // stage.shrink}x{width // stage.shrink}"


def _note(stage: Stage, setup: Setup, *others: str) -> str:
    """What stands beside the bar: the size of a growing model's pictures, and what others have to say."""
    where = ""
    if stage.resolution is not None:
        where = f"{_size_at(stage, setup)} "
        where += f"fade {stage.fade:.2f}" if stage.fading else "train"
    return ", ".join(filter(None, (where, *others)))


class _Clock:
    """Wall-clock facts: they go to cost.jsonl and run.json, never to log.jsonl."""

    def __init__(self, run: RunFolder, nimg: int) -> None:
        self.run, self.nimg, self.before = run, nimg, _cost(run)
        self.started = self.last = time.monotonic()
        self.paused = 0.0  # Seconds since the last lap for sheets and measurements.
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
            coming.observe(self.nimg, nimg, took - self.paused)
            self.flop = (self.flop or 0.0) + coming.flop_between(self.nimg, nimg)
        pace = {"images_per_second": round(shown / took, 2), "memory_mib": peak_memory_mib()}
        spent = {"seconds": round(self.seconds, 3)} | ({} if self.flop is None else {"flop": self.flop})
        self.run.append("cost.jsonl", {"nimg": nimg, "kimg": nimg / 1000, **spent, **pace})
        self.last, self.nimg, self.paused = now, nimg, 0.0
        return pace

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What happens inside is no part of the pace of the steps."""
        began = time.monotonic()
        yield
        self.paused += time.monotonic() - began

    def cost(self, nimg: int) -> dict[str, Any]:
        seconds = round(self.seconds, 3)
        return {"seconds": seconds, "gpu_seconds": seconds * self.gpus, "flop": self.flop, "nimg": nimg}


def _cost(run: RunFolder) -> dict[str, Any]:
    return run.describe().get("cost") or {"seconds": 0.0, "gpu_seconds": 0.0, "flop": None, "nimg": 0}


def _check_batches(schedule: Schedule, ranks: Ranks, shards: int) -> None:
    for stage in schedule.stages():
        if shards and stage.batch_size % shards:
            raise UserError(f"batch_size={stage.batch_size} cannot be {shards} shards. Use a multiple of {shards}.")
        if stage.batch_size % ranks.count:
            at = "" if stage.resolution is None else f" at resolution {stage.resolution}"
            raise UserError(
                f"batch_size={stage.batch_size}{at} cannot be shared by {ranks.count} processes. "
                f"Use a multiple of {ranks.count}."
            )


def _poll(asked: Callable[[], bool], ranks: Ranks, step: int, *, every: int) -> bool:
    """Whether anyone was asked to stop; processes ask one another now and then, behind an ``every``-th step."""
    if ranks.count == 1:
        return asked()
    return step % (every * math.ceil(POLL_STEPS / every)) == 0 and ranks.agree(asked())
