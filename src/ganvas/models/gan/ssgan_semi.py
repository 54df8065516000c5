"""A GAN that trains a classifier from few labels: real pictures are of one of K classes, generated ones of class K + 1.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: Improved Techniques for Training GANs (NeurIPS 2016),
https://arxiv.org/abs/1606.03498, sections 3.1 and 5. A classifier needs labels; that a picture is real, and so of one
of the classes and not of the generated ones, is known of every picture. With ``Z = sum exp l_k`` over K logits (the
logit of the class of fakes is fixed to 0) a picture is real with probability ``D = Z / (Z + 1)``, and the classifier
descends the cross-entropy of the pictures with a label and the usual game on all of them. Its generator is to match
features, not to deceive: the mean of the features of a batch of fakes shall be that of reals (section 3.1).

Labels may be few (``--conditional --labelled 100``): every step sees a batch of labelled pictures, from a pool of those
that were dealt before. Networks and settings follow the code for CIFAR-10 (https://github.com/openai/improved-gan).

The generator knows no classes. A picture of a class is drawn by trying: of ``TRIES`` pictures the first that the
classifier finds to be of it, else the last. Latents that are rolled on by one place have the same law, so that the
latent alone decides.

Departs from the code:
- Layers of the classifier are not weight-normalised and not started from data; they have He's start.
- The generator is DCGAN's: kernels of 4x4, not 5x5, its last layer without weight normalisation; latents are uniform in
  [-1, 1), not in [0, 1).
- The 3x3 convolution at the smallest size keeps the border.
- Pictures need not be square nor 32x32: ``base`` is the size of the first resolution, doubled as often as needed.
- Without classes one logit is left: a GAN that matches features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady, held_then_linear
from ganvas.core.shapes import Features, Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import class_cross_entropy
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import HIDDEN, Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.labelled_pool import LabelledPool
from ganvas.losses.optimizers import Adam
from ganvas.networks.adversarial.dcgan_networks import DcganGenerator, dcgan_maps
from ganvas.nn.layers.across_ranks import all_ranks_mean
from ganvas.nn.layers.batch_dropout import BatchDropout
from ganvas.nn.layers.plain_layers import Conv2d, Linear

SLOPE = 0.2  # Of the classifier's leaky ReLU.
HALVINGS = 2  # Of a picture in the classifier, at most.
TRIES = 16  # Pictures that are drawn to find one of a class.
HELD_SHARE = 2 / 3  # Of a run whose length is known: the learning rate then falls.

ClassLogits = Float[Tensor, "n classes"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the code's for CIFAR-10."""

    resolution: int = 32  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    num_classes: int = 0  # Taken from the data with --conditional.
    latent_size: int = 100
    features: int = 128  # Feature maps of the generator's largest hidden resolution; doubled with every halving ...
    features_max: int = 512  # ... up to this.
    classifier_features: int = 96  # Feature maps of the classifier's first block; the others have twice as many.
    input_dropout: float = 0.2  # Share of the picture's colours that the classifier does not see.
    dropout: float = 0.5  # Share of features that it drops after each halving.
    hidden_weight: float = 1.0  # Of what pictures without labels, and fakes, teach.
    labelled_pool: int = 512  # Latest pictures with labels, from which every step takes as many as its batch has.
    batch_size: int = 100
    lr: float = 3e-4
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it.
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8
    average_decay: float = 0.9999  # Of the classifier's weights, per move; what classifies is their average.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "classifier_features", "batch_size")
        at_least(self, 1, "labelled_pool")
        at_least(self, 0, "num_classes", "hidden_weight", "hold_kimg", "decay_kimg")
        above(self, 0, "lr", "eps")
        fractions(self, "input_dropout", "dropout", "beta1", "beta2", "average_decay")
        assert self.picture  # Its making checks the size.
        if self.num_classes == 1:
            raise UserError("num_classes=1: one class tells no picture from another. Give at least 2, or 0 for none.")

    @property
    def needs_classes(self) -> bool:
        """Always: a run without them would be another game."""
        return True

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps of the generator from the first resolution up; the last are the picture's channels."""
        return dcgan_maps(self.picture, features=self.features, features_max=self.features_max)

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that is 0 when the run ends."""
        held = HELD_SHARE * total_kimg
        return replace(self, hold_kimg=held, decay_kimg=total_kimg - held)


TINY = Config(
    resolution=16,
    latent_size=8,
    features=4,
    features_max=8,
    classifier_features=4,
    labelled_pool=16,
    batch_size=8,
    average_decay=0.9,
)


class SemiSupervisedClassifier(nn.Module):
    """Two blocks of three convolutions that halve, three convolutions more, the mean over places, a dense layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        few, many = config.classifier_features, 2 * config.classifier_features
        halvings = min(HALVINGS, config.picture.levels)
        layers: list[nn.Module] = [BatchDropout(config.input_dropout)]
        for block, (before, after) in enumerate([(config.channels, few), (few, many)]):
            layers += [*_rectified(before, after), *_rectified(after, after)]
            layers += [*_rectified(after, after, stride=1 + (block < halvings)), BatchDropout(config.dropout)]
        layers += [*_rectified(many, many), *_rectified(many, many, kernel=1), *_rectified(many, many, kernel=1)]
        self.layers = nn.Sequential(*layers)
        self.logits = Linear(many, max(config.num_classes, 1))

    def features(self, images: Images) -> Features:
        """The mean over places of the last convolution's maps: what the generator is to match."""
        return self.layers(images).mean((2, 3))

    def forward(self, images: Images) -> ClassLogits:
        logits = self.logits(self.features(images))
        return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _rectified(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [Conv2d(before, after, kernel, stride=stride, padding=kernel // 2), nn.LeakyReLU(SLOPE)]


class Model(LatentGame[Config, Pictures]):
    """The classifier, the generator, and the pool of pictures with labels."""

    takes = (Pictures,)
    prior = "uniform"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = DcganGenerator(config.picture, config.maps(), latent_size=config.latent_size)
        self.classifier = SemiSupervisedClassifier(config)
        self.pool = LabelledPool(config.labelled_pool, config.picture) if config.num_classes else None
        self.augmentation: Augmentation = NoAugmentation()

    def schedule(self) -> Steady:
        """One batch size; a learning rate that is held and then falls."""
        config = self.config
        return held_then_linear(
            resolution=config.resolution,
            batch_size=config.batch_size,
            lr=config.lr,
            hold_kimg=config.hold_kimg,
            decay_kimg=config.decay_kimg,
        )

    def phases(self) -> list[Phase[Pictures]]:
        """The classifier, then the generator."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        return [
            Phase(
                name="D",
                player=self.classifier,
                loss=self._classifier_loss,
                optimizer=adam,
                average=config.average_decay or None,
                after=self.augmentation.adapt,
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                optimizer=adam,
                after=None if self.pool is None else self._fill_pool,
            ),
        ]

    def memory(self) -> Sequence[str]:
        """The pool of pictures with labels."""
        return () if self.pool is None else [f"pool.{name}" for name, _ in self.pool.named_buffers()]

    def _classifier_loss(self, batch: Pictures) -> Terms:
        """Cross-entropy of the pool's pictures, and of all pictures ``-log D(x) - log(1 - D(G(z)))``, halved."""
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        real = log_sum(self.classifier(self.augmentation(batch.images, batch)))
        fake = log_sum(self.classifier(self.augmentation(fakes, batch)))
        self.augmentation.notice(real, batch)
        # log D = log Z - log(1 + Z), log(1 - D) = -log(1 + Z).
        terms = {
            "real": 0.5 * self.config.hidden_weight * F.softplus(-real),
            "fake": 0.5 * self.config.hidden_weight * F.softplus(fake),
        }
        if self.pool is not None:
            terms["labels"] = self._labels_loss(batch, self.pool)
        return terms

    def _labels_loss(self, batch: Pictures, pool: LabelledPool) -> PerSample:
        """The cross-entropy of pictures of the pool; 0 while it is empty."""
        images, labels = pool.draw(batch.rand())
        logits = self.classifier(self.augmentation(images.to(batch.images.dtype), batch))
        told = (labels != HIDDEN).to(logits.dtype)
        return told * class_cross_entropy(logits, labels.clamp(min=0))

    def _generator_loss(self, batch: Pictures) -> Terms:
        """``|E f(x) - E f(G(z))|``, the mean over features f, each expectation over the batch of all ranks."""
        fakes = self.generator(self.latents_of(batch))
        real = self.classifier.features(self.augmentation(batch.images, batch))
        fake = self.classifier.features(self.augmentation(fakes, batch))
        return {"feature_matching": (all_ranks_mean(real) - all_ranks_mean(fake)).abs().mean()}

    def _fill_pool(self, batch: Pictures, terms: Terms) -> None:
        assert self.pool is not None
        self.pool.take(batch.images, batch.classes)

    def classify(self, images: Images) -> ClassLogits:
        """The logits of classes of pictures in [-1, 1]."""
        return self.classifier(images)

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real pictures in [-1, 1] look: ``log Z``, the logit of D."""
        return log_sum(self.classifier(images))

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures in [-1, 1] of latents; with labels, of each latent the first that is found to be of its class."""
        images = self.generator(z)
        if labels is None or not self.config.num_classes:
            return images
        for _ in range(TRIES - 1):
            wrong = self.classify(images).argmax(1) != labels
            if not wrong.any():
                break
            z = z.roll(1, 1)
            images = torch.where(wrong[:, None, None, None], self.generator(z), images)
        return images


def log_sum(logits: ClassLogits) -> PerSample:
    """``log Z = log sum_k exp l_k``, the logit of a picture being real (section 5)."""
    return torch.logsumexp(logits, 1)
