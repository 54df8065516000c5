"""The examination of a model that classifies: how many held-out pictures it names rightly."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int

from ganvas.core.pixels import to_float
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.data.packed import Packed
from ganvas.losses.capabilities import Classifies
from ganvas.train.monitors import MEASURE_BATCH, Examination, some_rows
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State

METRIC = "accuracy"


class ClassExamination(Examination):
    """The share of held-out pictures whose class the averaged model names, beside that of always naming one class.

    Args:
        class_names: Of the pictures that are trained on, in the order of the model's logits.
        held_out: Pictures with classes of the same names; None where none were named.
    """

    def __init__(self, plan: Plan, class_names: Sequence[str], held_out: Packed | None) -> None:
        self.plan, self.class_names, self.held_out = plan, class_names, held_out
        self.n = 0 if held_out is None else min(plan.measure_n, len(held_out))

    @property
    def refusal(self) -> str:
        """No pictures with known classes are held out."""
        if self.held_out is None or self.held_out.labels is None:
            return "needs pictures with classes that are not trained on. Name them with --held-out SRC."
        strange = [name for name in self.held_out.class_names if name not in self.class_names]
        return f"needs held-out pictures of the classes that are learnt; {strange[0]} is none." if strange else ""

    @property
    def metrics(self) -> Sequence[str]:
        """The share of right answers."""
        return (METRIC,)

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The share with its binomial standard error; a floor would be of real pictures, and these are real."""
        assert self.held_out is not None
        rows = some_rows(len(self.held_out), self.n, seed=self.plan.seed, purpose="held out")
        labels = self._labels(self.held_out)[rows]
        device = next(state.model.parameters()).device
        with averaged_players(state) as model:
            assert isinstance(model, Classifies)
            named = named_classes(model, self.held_out, rows, device=device)
        commonest = np.bincount(labels, minlength=len(self.class_names)).max() / self.n
        return [
            self._result(METRIC, float((named == labels).mean())),
            self._result(f"{METRIC}.commonest_class", float(commonest)),
        ], []

    def _labels(self, held_out: Packed) -> Int[np.ndarray, " n"]:
        """Classes of the held-out pictures by their place among those that are trained on."""
        assert held_out.labels is not None
        places = np.array([list(self.class_names).index(name) for name in held_out.class_names])
        return places[held_out.labels]

    def _result(self, metric: str, share: float) -> Result:
        assert self.held_out is not None
        return Result(
            metric=metric,
            value=share,
            standard_error=math.sqrt(share * (1 - share) / self.n),
            error_method="binomial",
            n=self.n,
            seed=self.plan.seed,
            better="higher",
            protocol=f"accuracy:n{self.n}:held-out:{self.held_out.fingerprint[:16]}",
        )


@torch.no_grad()
def named_classes(
    model: Classifies, packed: Packed, rows: Int[np.ndarray, " k"], *, device: torch.device
) -> Int[np.ndarray, " k"]:
    """The class that a model finds most likely of each of some pictures."""
    found = []
    for start in range(0, len(rows), MEASURE_BATCH):
        images = torch.from_numpy(packed.read(rows[start : start + MEASURE_BATCH])).permute(0, 3, 1, 2)
        found.append(model.classify(to_float(images.to(device))).argmax(1).cpu().numpy())
    return np.concatenate(found)
