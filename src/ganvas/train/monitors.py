"""What is looked at while a model trains: measured values at intervals, and curves for TensorBoard."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Bytes
from ganvas.data.packed import Packed
from ganvas.metrics import ms_ssim, swd
from ganvas.metrics.measuring.flow import Reference, measure, reference
from ganvas.train.plan import Plan
from ganvas.train.sample_grids import draw
from ganvas.train.state import State

# The pair that needs no network, at a fifth of the cost of the paper's protocol: the curve of a run is for its shape.
METRICS = {"swd": swd.Config(patches=64, directions=128), "ms_ssim": ms_ssim.Config()}
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


class Examiner:
    """Measures the averaged model against the data during training; the reals are gathered once."""

    def __init__(self, run: RunFolder, plan: Plan, packed: Packed, *, classes: int) -> None:
        self.run, self.plan, self.packed, self.classes = run, plan, packed, classes
        self.n = min(plan.measure_n, len(packed))
        self.on = plan.measure_kimg >= 0 and self.n >= MINIMUM
        if plan.keep_best != "none" and not self.on:
            raise UserError(
                f"keep_best={plan.keep_best} needs at least {MINIMUM} pictures to measure; there are {self.n}. "
                "Use keep_best=none."
            )
        self._reference: Reference | None = None

    def measure(self, state: State, stage: Stage) -> bool:
        """Notes every value in measures.jsonl; whether the one that decides which state to keep got better."""
        if not self.on:
            return False
        if self._reference is None:
            self._reference = reference(self._reals(), metrics=METRICS, n=self.n, seed=self.plan.seed)
        pictures = draw(
            state, stage, self.n, seed=self.plan.seed, classes=self.classes, purpose="measure", batch=MEASURE_BATCH
        )
        factor = self.packed.height // pictures.shape[1]  # A growing model is enlarged to the size of the reals.
        whole = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        batches = (enlarge(batch, factor) for batch in whole.split(MEASURE_BATCH))
        found = measure(self._reference, batches)
        self.run.append(
            "measures.jsonl",
            {
                "nimg": state.nimg,
                "kimg": state.nimg / 1000,
                "source": "training",
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "results": [result.to_plain() for result in found.results],
                "floor": [result.to_plain() for result in found.floor],
            },
        )
        return self._note_best(state, {result.metric: result.value for result in found.results})

    def _reals(self) -> Iterator[Bytes]:
        """Real pictures, shuffled, twice as many as measured where there are: the second half is the floor."""
        order = torch.randperm(len(self.packed), generator=stream(self.plan.seed, "measured reals"))
        for part in order[: 2 * self.n].split(MEASURE_BATCH):
            yield torch.from_numpy(self.packed.read(part.numpy())).permute(0, 3, 1, 2)

    def _note_best(self, state: State, values: Mapping[str, float]) -> bool:
        if self.plan.keep_best == "none":
            return False
        value = values[self.plan.keep_best]
        if state.best and value >= state.best[0]["value"]:
            return False
        state.best = [{"kimg": state.nimg / 1000, "value": value}]
        return True


def enlarge(pictures: Tensor, factor: int) -> Tensor:
    """(n, c, h, w) with every pixel as a square of ``factor`` by ``factor``."""
    return pictures.repeat_interleave(factor, 2).repeat_interleave(factor, 3) if factor > 1 else pictures
