"""The examination of a detector: what it misses, and how precise it is, on held-out pictures."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int

from ganvas.core.boxes.detections import Detections
from ganvas.core.pixels import to_float
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.losses.capabilities import Detects, LearnsBoxes
from ganvas.metrics.detection.detection_results import (
    METRICS,
    detection_protocol,
    detection_results,
    prior_detections,
)
from ganvas.metrics.detection.matches import DetectedPicture, detected_picture
from ganvas.train.feeds.box_feed import Boxed
from ganvas.train.monitors import MEASURE_BATCH, Examination, some_rows
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State

LEAST_SCORE = 0.01  # Of a detection that is measured: the curve goes on below what is drawn.


class BoxExamination(Examination):
    """Miss rates and average precision, beside those of the boxes that training pictures have most often.

    Args:
        boxed: Pictures that are trained on: the floor is made of their boxes.
        held_out: Pictures that are not; None where none were named.
    """

    def __init__(self, plan: Plan, boxed: Boxed, held_out: Boxed | None) -> None:
        self.plan, self.boxed, self.held_out = plan, boxed, held_out
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """No pictures are held out."""
        return "" if self.held_out is not None else "needs pictures that are not trained on. Name them: --held-out SRC."

    @property
    def metrics(self) -> Sequence[str]:
        """The miss rate first."""
        return METRICS

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The values of the averaged model and of the prior; the truth itself misses nobody."""
        assert self.held_out is not None
        config = state.model.config
        assert isinstance(config, LearnsBoxes)
        rows = some_rows(len(self.held_out), self.plan.measure_n, seed=self.plan.seed, purpose="held out")
        device = next(state.model.parameters()).device
        with averaged_players(state) as model:
            assert isinstance(model, Detects)
            pictures = list(detected(model, self.held_out, rows, device=device))
        packed = self.held_out.pictures
        reference = f"held-out:{packed.fingerprint[:16]}:{self.held_out.boxes.fingerprint[7:15]}"
        size, least = (packed.height, packed.width), config.least_height
        protocol = detection_protocol(len(rows), size, least_height=least, reference=reference)
        how = {"least_height": least, "seed": self.plan.seed}
        if self._floor is None:
            self._floor = detection_results(self._by_the_prior(rows), protocol=protocol, of="prior_boxes", **how)
        return [*detection_results(pictures, protocol=protocol, **how), *self._floor], []

    def _by_the_prior(self, rows: Int[np.ndarray, " k"]) -> list[DetectedPicture]:
        assert self.held_out is not None
        known = some_rows(len(self.boxed), self.plan.measure_n, seed=self.plan.seed, purpose="prior boxes")
        prior = prior_detections(self.boxed.boxes.read(self.boxed.box_rows[known]))
        truth = self.held_out.boxes.read(self.held_out.box_rows[rows])
        return [detected_picture(prior, truth, row) for row in range(len(rows))]


@torch.no_grad()
def detected(
    model: Detects, boxed: Boxed, rows: Int[np.ndarray, " k"], *, device: torch.device
) -> Iterator[DetectedPicture]:
    """What a model finds in some pictures, with what is there."""
    for start in range(0, len(rows), MEASURE_BATCH):
        pixels, truth = boxed.read(rows[start : start + MEASURE_BATCH])
        found: list[Detections] = model.detect(to_float(pixels.to(device)), least_score=LEAST_SCORE)
        for row, one in enumerate(found):
            yield detected_picture(one, truth, row)
