"""Monitors of a run: values measured at intervals while a model trains, and curves for TensorBoard."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.results import Result
from ganvas.core.run_folder import RunFolder
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Bytes
from ganvas.data.packed import Packed
from ganvas.losses.capabilities import HasDensity
from ganvas.metrics import ms_ssim, swd
from ganvas.metrics.likelihood import density
from ganvas.metrics.measuring import draws, flow
from ganvas.metrics.measuring.flow import DrawnSet, PassSettings, Reference, against, refer
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players, drawn_labels
from ganvas.train.sheets.sample_grids import draw
from ganvas.train.state import State

# The pair that needs no network, as `ganvas measure RUN --quick` measures it.
METRICS = {name: flow.QUICK.get(name) for name in ("swd", "ms_ssim")}
MINIMUM = max(swd.MINIMUM, ms_ssim.MINIMUM)
MEASURE_BATCH = 64


class TensorBoard:
    """Writes every report as scalars, beside log.jsonl."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError(
                "--tensorboard needs the package tensorboard. Install it with: pip install 'ganvas[tensorboard]'."
            ) from None
        self.writer = SummaryWriter(str(folder / "tensorboard"))

    def write(self, entry: Mapping[str, Any], pace: Mapping[str, float]) -> None:
        """One report; the horizontal axis counts images."""
        for name, value in {**entry, **{f"cost/{key}": value for key, value in pace.items()}}.items():
            if isinstance(value, int | float) and name not in ("nimg", "kimg"):
                self.writer.add_scalar(name, value, entry["nimg"])

    def close(self) -> None:
        self.writer.close()


class Examination(ABC):
    """One kind of measurement that a run repeats; what it compares with is gathered once."""

    @property
    @abstractmethod
    def refusal(self) -> str:
        """Why it cannot be carried out, in words; "" where it can."""

    @property
    @abstractmethod
    def metrics(self) -> Sequence[str]:
        """The names of the values that it gives."""

    @abstractmethod
    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The values of the averaged model, and their floor: what real samples score."""


class Examiner:
    """Measures the averaged model during training and notes every value in measures.jsonl.

    Attributes:
        latest: The newest values in words, without their parts; "" before the first.
        measured_at: The samples shown when it measured last; None before the first time.
    """

    def __init__(self, run: RunFolder, plan: Plan, examinations: Sequence[Examination]) -> None:
        self.run, self.plan, self.latest = run, plan, ""
        self.measured_at: int | None = None
        self.examinations = [one for one in examinations if not one.refusal] if plan.measure_kimg >= 0 else []
        known = [name for one in self.examinations for name in one.metrics]
        if plan.keep_best != "none" and plan.keep_best not in known:
            refusals = [one.refusal for one in examinations if plan.keep_best in one.metrics and one.refusal]
            near = did_you_mean(plan.keep_best, known)
            listed = f" Measured during training: {', '.join(known)}." if known else ""
            why = refusals[0] if refusals else f"is not measured during training.{near}{listed}"
            raise UserError(f"keep_best={plan.keep_best} {why} Use keep_best=none.")

    def measure(self, state: State, stage: Stage) -> bool:
        """Notes every value; whether the one that decides which state to keep got better."""
        if not self.examinations:
            return False
        self.measured_at = state.nimg
        results, floor = [], []
        for one in self.examinations:
            measured, real = one.measure(state, stage)
            results += measured
            floor += real
        self.latest = ", ".join(f"{one.metric} {one.value:.4g}" for one in results if "." not in one.metric)
        self.run.append(
            "measures.jsonl",
            {
                "nimg": state.nimg,
                "kimg": state.nimg / 1000,
                "source": "training",
                "own": True,  # Against the data of the run.
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "results": [result.to_plain() for result in results],
                "floor": [result.to_plain() for result in floor],
            },
        )
        return self._note_best(state, results)

    def _note_best(self, state: State, results: Sequence[Result]) -> bool:
        if self.plan.keep_best == "none":
            return False
        result = next(result for result in results if result.metric == self.plan.keep_best)
        sign = -1 if result.better == "higher" else 1
        if state.best and sign * result.value >= sign * state.best[0]["value"]:
            return False
        state.best = [{"kimg": state.nimg / 1000, "value": result.value}]
        return True


class DrawnExamination(Examination):
    """Distances between pictures that the model draws and real ones."""

    def __init__(self, plan: Plan, packed: Packed, *, conditional: bool) -> None:
        self.plan, self.packed = plan, packed
        self.n = min(plan.measure_n, len(packed))
        self.settings = PassSettings(seed=plan.seed)
        self.labels = None
        if conditional and packed.labels is not None:
            counts = np.bincount(packed.labels, minlength=len(packed.class_names)).tolist()
            self.labels = drawn_labels(self.n, seed=plan.seed, counts=counts)
        self._reference: Reference | None = None

    @property
    def refusal(self) -> str:
        """Too few pictures."""
        return "" if self.n >= MINIMUM else f"needs at least {MINIMUM} pictures to measure; there are {self.n}."

    @property
    def metrics(self) -> Sequence[str]:
        """Those that need no network."""
        return tuple(METRICS)

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The averaged model's pictures against the data, and the data against itself."""
        if self._reference is None:
            reals = DrawnSet(batches=self._reals, treated=self.packed.treated)
            self._reference = refer(
                reals, self.settings, metrics=METRICS, n=self.n, floor=len(self.packed) >= 2 * self.n
            )
        pictures = draw(
            state, stage, self.n, seed=self.plan.seed, labels=self.labels, purpose="latents", batch=MEASURE_BATCH
        )
        factor = self.packed.height // pictures.shape[1]  # A growing model is enlarged to the size of the reals.
        whole = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        fakes = DrawnSet(
            batches=lambda start, stop, of: (enlarge(part, factor) for part in whole[start:stop].split(MEASURE_BATCH))
        )
        found = against(self._reference, fakes, self.settings, metrics=METRICS, n=self.n)
        return list(found.results), list(found.floor)

    def _reals(self, start: int, stop: int, of: int) -> Iterator[Bytes]:
        return draws.draw(self.packed, stop, seed=self.plan.seed, start=start, batch=MEASURE_BATCH)


class DensityExamination(Examination):
    """Bits per dimension of held-out pictures, beside yardsticks that are fitted on the training ones once."""

    def __init__(self, plan: Plan, packed: Packed, held_out: Packed | None) -> None:
        self.plan, self.packed, self.held_out = plan, packed, held_out
        self.n = 0 if held_out is None else min(plan.measure_n, len(held_out))
        self._yardsticks: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """No pictures are held out."""
        return "" if self.n >= 2 else "needs pictures that are not trained on. Name them with --held-out SRC."

    @property
    def metrics(self) -> Sequence[str]:
        """Bits per dimension."""
        return (density.METRIC,)

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The mean over held-out pictures, and yardsticks of the same pictures; a likelihood has no floor."""
        assert self.held_out is not None
        seed = self.plan.seed
        rows = some_rows(len(self.held_out), self.n, seed=seed, purpose="held out")
        device = next(state.model.parameters()).device
        with averaged_players(state) as model:
            assert isinstance(model, HasDensity)
            bits = density.picture_bits(model, self.held_out, rows, device=device, seed=seed)
            protocol, levels = density.protocol_of(model, self.held_out, n=self.n), density.levels_of(model)
        if self._yardsticks is None:
            self._yardsticks = density.yardstick_results(
                self.packed, self.held_out, rows, protocol, seed=seed, levels=levels
            )
        return density.results(bits, protocol, seed=seed, yardsticks=self._yardsticks), []


def some_rows(count: int, most: int, *, seed: int, purpose: str) -> Int[np.ndarray, " k"]:
    """At most ``most`` rows of ``count``, drawn by chance."""
    return torch.randperm(count, generator=stream(seed, purpose))[:most].numpy()


def enlarge(pictures: Tensor, factor: int) -> Tensor:
    """(n, c, h, w) with every pixel as a square of ``factor`` by ``factor``."""
    return pictures.repeat_interleave(factor, 2).repeat_interleave(factor, 3) if factor > 1 else pictures
