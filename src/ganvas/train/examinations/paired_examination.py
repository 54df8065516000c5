"""The examination of a model that learnt from pairs: how far translations of held-out pictures are from the truth."""

from collections.abc import Sequence

import torch

from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.core.shapes import PerSample
from ganvas.losses.capabilities import Translates
from ganvas.metrics.maths.paired import ERROR_METHOD
from ganvas.metrics.psnr import psnr, squared_error
from ganvas.train.examinations.translated_examination import translated_bytes
from ganvas.train.feeds.paired_feed import Pairs
from ganvas.train.monitors import MEASURE_BATCH, Examination, some_rows
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State

METRIC = "psnr"


class PairedExamination(Examination):
    """Peak signal-to-noise ratio of translations, beside that of the mean target of the training pairs.

    A model that averages over all that may be true scores best: see the sheets as well.

    Args:
        pairs: Those that are trained on.
        held_out: Pairs that are not; None where none were named.
        direction: That the model translates in.
    """

    def __init__(self, plan: Plan, pairs: Pairs, held_out: Pairs | None, *, direction: str) -> None:
        self.plan, self.pairs, self.held_out, self.direction = plan, pairs, held_out, direction

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
        """The ratio of the averaged model's translations and of one picture for all; the truth has none."""
        assert self.held_out is not None
        rows = some_rows(len(self.held_out), self.plan.measure_n, seed=self.plan.seed, purpose="held out")
        known = some_rows(len(self.pairs), self.plan.measure_n, seed=self.plan.seed, purpose="mean target")
        mean = torch.from_numpy(self.pairs.read_targets(known)).double().mean(0).round().byte().permute(2, 0, 1)
        made, flat = [], []
        device = next(state.model.parameters()).device
        with averaged_players(state) as model, torch_seeded(self.plan.seed, device):
            assert isinstance(model, Translates)
            for start in range(0, len(rows), MEASURE_BATCH):
                part = rows[start : start + MEASURE_BATCH]
                truth = torch.from_numpy(self.held_out.read_targets(part)).permute(0, 3, 1, 2)
                given = torch.from_numpy(self.held_out.read_pictures(part)).permute(0, 3, 1, 2)
                (found,) = translated_bytes(model, [given], self.direction)
                made.append(squared_error(found, truth))
                flat.append(squared_error(mean.expand_as(truth), truth))
        values = mean.numel()
        return [
            self._result(METRIC, torch.cat(made), values),
            self._result(f"{METRIC}.mean_target", torch.cat(flat), values),
        ], []

    def _result(self, metric: str, errors: PerSample, values: int) -> Result:
        assert self.held_out is not None
        ratios = psnr(errors, finest=1 / values)
        of = self.held_out.targets
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
