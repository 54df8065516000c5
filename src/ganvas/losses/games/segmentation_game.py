"""Games of one network that names the class of every pixel: what U-Net and fully convolutional networks share.

One player, one loss: cross-entropy over pixels. A sheet shows pictures, their labels,
the labels that are named, and where those are wrong.
"""

from abc import ABC, abstractmethod
from typing import Literal, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.core.pixels import to_float
from ganvas.core.schedule import Steady
from ganvas.core.shapes import Images
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game, Phase, Settings, Terms
from ganvas.losses.optimizers import SGD, Adam, OptimizerSettings
from ganvas.losses.pixel_losses import balanced_weights, gap_weights, pixel_cross_entropy
from ganvas.nn.layers.stream_dropout import Drop, dropping
from ganvas.report.pictures.class_colours import coloured


@runtime_checkable
class SegmentationSettings(Settings, Protocol):
    """A ``Config`` of a model that names the class of every pixel."""

    @property
    def pixel_classes(self) -> int: ...

    @property
    def dropout(self) -> float: ...

    @property
    def summed_loss(self) -> bool: ...

    @property
    def balance(self) -> float: ...

    @property
    def gap_weight(self) -> float: ...

    @property
    def gap_sigma(self) -> float: ...

    @property
    def optimizer(self) -> Literal["momentum", "adam"]: ...

    @property
    def momentum(self) -> float: ...

    @property
    def weight_decay(self) -> float: ...

    @property
    def decay_kimg(self) -> float: ...


S = TypeVar("S", bound=SegmentationSettings)


class SegmentationGame(Game[S, Pictures], ABC):
    """One network learns the label maps of pictures."""

    takes = (Pictures,)
    network: nn.Module

    @abstractmethod
    def logits(self, images: Images, drop: Drop) -> Float[Tensor, "n k h w"]:
        """Scores of the classes of every pixel, with dropout where the network has it."""

    def pixel_weights(self, classes: Int[Tensor, "n h w"]) -> Float[Tensor, "n h w"] | None:
        """Heavier pixels of classes that are small in their picture, plus those in gaps between things (eq. 2 of
        Ronneberger et al. 2015), where the settings ask for it."""
        config = self.config
        if not config.balance and not config.gap_weight:
            return None
        weights = torch.ones(classes.shape, device=classes.device)
        if config.balance:
            weights = balanced_weights(classes, kinds=config.pixel_classes, exponent=config.balance)
        if config.gap_weight:
            weights = weights + gap_weights(classes, gap_weight=config.gap_weight, sigma=config.gap_sigma) - 1
        return weights

    def segment(self, images: Images) -> Float[Tensor, "n k h w"]:
        """Scores of the classes of every pixel; nothing is dropped."""
        return self.logits(images, lambda x: x)

    def schedule(self) -> Steady:
        """One size; a constant rate, or one that falls to 0 on half a cosine."""
        config = self.config
        if not config.decay_kimg:
            return Steady(batch_size=config.batch_size, lr=config.lr)
        return Steady(batch_size=config.batch_size, lr=config.lr, rate="cosine", decay_kimg=config.decay_kimg)

    def phases(self) -> list[Phase[Pictures]]:
        """The network descends the cross-entropy of pixels."""
        return [Phase(name="S", player=self.network, loss=self._loss, optimizer=optimizer_of(self.config))]

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """Pictures, the classes of their pixels, those that are named, and where they are wrong."""
        named, classes = self.segment(batch.images).argmax(1), batch.pixel_classes
        wrong = ((named != classes) & (classes >= 0)).to(batch.images.dtype)
        return [
            ("pictures", batch.images),
            ("labels", label_pictures(classes)),
            ("named", label_pictures(named)),
            ("wrong", 2 * wrong[:, None] - 1),
        ]

    def _loss(self, batch: Pictures) -> Terms:
        """Cross-entropy over pixels, each with its weight."""
        logits = self.logits(batch.images, dropping(batch.rand, self.config.dropout))
        summed = self.config.summed_loss
        return {"cross_entropy": pixel_cross_entropy(logits, batch.pixel_classes, batch.pixel_weights, summed=summed)}


def optimizer_of(config: SegmentationSettings) -> OptimizerSettings:
    """Stochastic gradient descent with momentum, as in both papers, or Adam."""
    decay = config.weight_decay
    if config.optimizer == "adam":
        return Adam(beta1=0.9, beta2=0.999, weight_decay=decay)
    return SGD(momentum=config.momentum, weight_decay=decay)


def label_pictures(classes: Int[Tensor, "n h w"]) -> Images:
    """Label maps in the colours of their classes, in [-1, 1]."""
    colours = torch.from_numpy(coloured(classes.cpu().numpy())).permute(0, 3, 1, 2)
    return to_float(colours).to(classes.device)
