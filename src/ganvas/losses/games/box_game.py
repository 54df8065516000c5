"""Games of one network that finds things of one kind: how boxes are dealt to it, and what comes of its answers.

One player. Its batch is zoomed, shifted and brightened at random; what was cut away too far, or is too low, is ignored.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.core.boxes.detections import Detections
from ganvas.core.schedule import Steady, decay_of
from ganvas.core.shapes import Images
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.boxes.box_augmentation import brightened, zoomed
from ganvas.losses.game import Game, Phase, Settings, Terms
from ganvas.losses.optimizers import Adam
from ganvas.nn.boxes.overlap import cut_at_borders
from ganvas.nn.boxes.suppression import kept_boxes
from ganvas.report.pictures.drawn_boxes import outlined

MOST_CANDIDATES, MOST_FOUND = 3000, 1000  # Boxes of one picture before and after suppression.
LEAST_SIDE = 1.0  # Pixels of a box that is left of one at the border.


@runtime_checkable
class BoxSettings(Settings, Protocol):
    """A ``Config`` of a model that learns boxes."""

    @property
    def least_height(self) -> float: ...

    @property
    def zoom(self) -> tuple[float, float]: ...

    @property
    def brightness(self) -> tuple[float, float]: ...

    @property
    def least_score(self) -> float: ...

    @property
    def most_overlap(self) -> float: ...

    @property
    def beta1(self) -> float: ...

    @property
    def beta2(self) -> float: ...

    @property
    def average(self) -> float: ...

    @property
    def average_ramp(self) -> float: ...


S = TypeVar("S", bound=BoxSettings)


class BoxGame(Game[S, BoxedPictures], ABC):
    """One network learns the boxes of pictures."""

    takes = (BoxedPictures,)
    network: nn.Module

    @abstractmethod
    def terms(self, batch: BoxedPictures) -> Terms:
        """The losses on a batch that is ready to be learnt."""

    @abstractmethod
    def candidates(self, images: Images) -> tuple[Float[Tensor, "n k 4"], Float[Tensor, "n k"]]:
        """Boxes in pixels and their scores, before suppression; boxes may reach beyond the pictures."""

    def schedule(self) -> Steady:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[BoxedPictures]]:
        """The network descends its losses; the running average of its weights is what detects."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        average = self.average_decay if self.config.average else None
        return [Phase(name="N", player=self.network, loss=self._loss, optimizer=adam, average=average)]

    def average_decay(self, nimg: int) -> float:
        """Of the averaged weights on the step at ``nimg``."""
        config = self.config
        young = decay_of(config.average_ramp * nimg, config.batch_size)
        return min(config.average, young) if config.average_ramp else config.average

    def _loss(self, batch: BoxedPictures) -> Terms:
        config = self.config
        seen = brightened(zoomed(batch, config.zoom), config.brightness)
        heights = seen.corners[..., 3] - seen.corners[..., 1]
        low = (seen.kinds == OBJECT) & (heights < config.least_height)
        return self.terms(replace(seen, kinds=torch.where(low, IGNORED, seen.kinds)))

    @torch.no_grad()
    def detect(self, images: Images, *, least_score: float | None = None) -> list[Detections]:
        """What is found in pictures of any size: boxes inside them, the surest first."""
        least = self.config.least_score if least_score is None else least_score
        boxes, scores = self.candidates(images)
        height, width = images.shape[2:]
        inside = cut_at_borders(boxes, height=height, width=width)
        return [self._kept(one, score, least) for one, score in zip(inside, scores, strict=True)]

    def _kept(self, boxes: Float[Tensor, "k 4"], scores: Float[Tensor, " k"], least: float) -> Detections:
        sides = (boxes[:, 2:] - boxes[:, :2]).amin(1)
        sure = ((scores > least) & (sides >= LEAST_SIDE)).nonzero()[:, 0]
        if len(sure) > MOST_CANDIDATES:
            sure = sure[scores[sure].argsort(descending=True, stable=True)[:MOST_CANDIDATES]]
        kept = sure[kept_boxes(boxes[sure], scores[sure], most_overlap=self.config.most_overlap)][:MOST_FOUND]
        return Detections(corners=boxes[kept], scores=scores[kept])

    def show(self, batch: BoxedPictures) -> list[tuple[str, Images]]:
        """Pictures with the boxes that are told, ignored ones pale, and with those that are found."""
        told = [
            [corners[kinds == kind] for kind in (OBJECT, IGNORED)]
            for corners, kinds in zip(batch.corners, batch.kinds, strict=True)
        ]
        found = [[one.corners] for one in self.detect(batch.images)]
        return [("told", outlined(batch.images, told)), ("found", outlined(batch.images, found))]
