"""The examination of a model that learnt from pairs: how far translations of held-out pictures are from the truth."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int

from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.core.shapes import Bytes, PerSample
from ganvas.losses.capabilities import Translates
from ganvas.metrics.maths.pairs.colour_table import ColourMeans
from ganvas.metrics.maths.pairs.paired import ERROR_METHOD
from ganvas.metrics.psnr import psnr, squared_error
from ganvas.train.examinations.translated_examination import translated_bytes
from ganvas.train.feeds.paired_feed import Pairs
from ganvas.train.monitors import MEASURE_BATCH, Examination, some_rows
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State

METRIC = "psnr"


class PairedExamination(Examination):
    """Peak signal-to-noise ratio of translations, beside floors that need no learning.

    They are the mean target of the training pairs, the mean target of every colour, which sees no shape, and pictures
    as they are. A model that averages over all that may be true scores best: see the sheets as well.

    Args:
        pairs: Those that are trained on.
        held_out: Pairs that are not; None where none were named.
        direction: That the model translates in.
    """

    def __init__(self, plan: Plan, pairs: Pairs, held_out: Pairs | None, *, direction: str) -> None:
        self.plan, self.pairs, self.held_out, self.direction = plan, pairs, held_out, direction
        self._floors: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """No pairs are held out, or too few."""
        enough = self.held_out is not None and len(self.held_out) >= 2
        return "" if enough else "needs at least two pairs that are not trained on. Name them with --held-out SRC."

    @property
    def metrics(self) -> Sequence[str]:
        """The mean of the ratios of pictures."""
        return (METRIC,)

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The ratio of the averaged model's translations, beside those of its floors; the truth has none."""
        assert self.held_out is not None
        made = []
        device = next(state.model.parameters()).device
        rows = some_rows(len(self.held_out), self.plan.measure_n, seed=self.plan.seed, purpose="held out")
        with averaged_players(state) as model, torch_seeded(self.plan.seed, device):
            assert isinstance(model, Translates)
            for given, truth in target_batches(self.held_out, rows):
                (found,) = translated_bytes(model, [given], self.direction)
                made.append(squared_error(found, truth))
        if self._floors is None:
            self._floors = self._of_floors(rows)
        return [self._result(METRIC, torch.cat(made)), *self._floors], []

    def _of_floors(self, rows: Int[np.ndarray, " k"]) -> list[Result]:
        """Of the mean target, of the mean target of every colour, and of pictures as they are."""
        assert self.held_out is not None
        known = some_rows(len(self.pairs), self.plan.measure_n, seed=self.plan.seed, purpose="mean target")
        mean = torch.from_numpy(self.pairs.read_targets(known)).double().mean(0).round().byte().permute(2, 0, 1)
        table = ColourMeans(self.pairs.pictures.channels, self.pairs.targets.channels)
        for given, truth in target_batches(self.pairs, known):
            table.add(given, truth)
        floors: dict[str, Callable[[Bytes], Bytes]] = {
            "mean_target": lambda given: mean.expand(len(given), -1, -1, -1),
            "colour_table": table.painted,
        }
        if self.pairs.pictures.channels == self.pairs.targets.channels:
            floors["identity"] = lambda given: given
        errors: dict[str, list[PerSample]] = {name: [] for name in floors}
        for given, truth in target_batches(self.held_out, rows):
            for name, floor in floors.items():
                errors[name].append(squared_error(floor(given), truth))
        return [self._result(f"{METRIC}.{name}", torch.cat(found)) for name, found in errors.items()]

    def _result(self, metric: str, errors: PerSample) -> Result:
        assert self.held_out is not None
        of = self.held_out.targets
        ratios = psnr(errors, finest=1 / (of.height * of.width * of.channels))
        return Result(
            metric=metric,
            value=float(ratios.mean()),
            standard_error=float(ratios.std()) / len(ratios) ** 0.5,
            error_method=ERROR_METHOD,
            n=len(ratios),
            seed=self.plan.seed,
            better="higher",
            protocol=f"psnr:n{len(ratios)}:{of.height}x{of.width}x{of.channels}:uint8:held-out:{of.fingerprint[:16]}",
        )


def target_batches(pairs: Pairs, rows: Int[np.ndarray, " k"]) -> Iterator[tuple[Bytes, Bytes]]:
    """Pictures (n, c, h, w) and what belongs to them, some at a time."""
    for start in range(0, len(rows), MEASURE_BATCH):
        part = rows[start : start + MEASURE_BATCH]
        given, truth = pairs.read_pictures(part), pairs.read_targets(part)
        yield torch.from_numpy(given).permute(0, 3, 1, 2), torch.from_numpy(truth).permute(0, 3, 1, 2)
