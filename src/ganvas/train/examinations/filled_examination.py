"""The examination of a model that fills holes: how far its fillings are from what was there, and a smooth filling's."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganvas.core.hole_law import HoleLaw
from ganvas.core.pixels import to_float
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Masks
from ganvas.data.holes.harmonic import harmonic_fill
from ganvas.data.packed import Packed
from ganvas.losses.capabilities import Fills
from ganvas.train.feeds.picture_feed import masks
from ganvas.train.monitors import MEASURE_BATCH, Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State

METRIC = "hole_l1"
MOST = 256  # Pictures that are filled at a measurement.


class FilledExamination(Examination):
    """Mean absolute error in the holes of held-out pictures, or of training ones where none are held out.

    The floor is the harmonic filling of the same holes, which learns nothing: a model above it has learnt nothing that
    is worth having.
    """

    def __init__(self, plan: Plan, law: HoleLaw, packed: Packed, held_out: Packed | None) -> None:
        self.plan = plan
        self.law: HoleLaw = law
        self.source, self.whose = (packed, "training") if held_out is None else (held_out, "held-out")
        self.n = min(plan.measure_n, MOST, len(self.source))
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """Too few pictures."""
        return "" if self.n >= 2 else "needs at least two pictures."

    @property
    def metrics(self) -> Sequence[str]:
        """The error in holes."""
        return (METRIC,)

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The averaged model's error, and that of the harmonic filling."""
        device = next(state.model.parameters()).device
        with averaged_players(state) as model:
            assert isinstance(model, Fills)
            found = self._errors(lambda images, mask: model.fill(images.to(device), mask.to(device)).cpu())
        if self._floor is None:
            self._floor = [self._result(self._errors(_harmonic))]
        return [self._result(found)], self._floor

    @torch.no_grad()
    def _errors(self, fill: Callable[[Images, Masks], Images]) -> Tensor:
        """Of each picture, in [0, 1]."""
        rows = torch.randperm(len(self.source), generator=stream(self.plan.seed, "filled"))[: self.n]
        found = []
        for part, positions in zip(rows.split(MEASURE_BATCH), torch.arange(self.n).split(MEASURE_BATCH), strict=True):
            images = to_float(torch.from_numpy(self.source.read(part.numpy())).permute(0, 3, 1, 2))
            size = (images.shape[2], images.shape[3])
            mask = masks(self.law, positions, size, seed=self.plan.seed + 1)
            apart = (fill(images, mask) - images).abs() / 2 * (1 - mask)
            found.append(apart.mean(1).flatten(1).sum(1) / (1 - mask).flatten(1).sum(1).clamp_min(1))
        return torch.cat(found).double()

    def _result(self, errors: Tensor) -> Result:
        return Result(
            metric=METRIC,
            value=float(errors.mean()),
            standard_error=float(errors.std()) / math.sqrt(len(errors)),
            error_method="deviation over pictures",
            n=self.n,
            seed=self.plan.seed,
            better="lower",
            protocol=f"l1:hole:n{self.n}:{self.whose}:{self.law}:mean-of-pictures:{self.source.fingerprint[:16]}",
        )


def _harmonic(images: Images, mask: Masks) -> Images:
    return torch.stack([harmonic_fill(image, hole[0] == 0) for image, hole in zip(images, mask, strict=True)])
