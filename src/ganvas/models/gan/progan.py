"""Progressive growing of GANs: pictures are learnt coarse to fine, one doubling of the resolution at a time.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation (ICLR 2018),
https://arxiv.org/abs/1710.10196. A generator that must place a face and its eyelashes at once learns neither well;
this one first learns 4x4 pictures, and every next resolution is faded in while the smaller ones go on learning.

Facts that the paper leaves open follow its authors' two releases: the Theano one, which made the paper's tables
("v1" here), and the TensorFlow one ("v2"). ``template="mode-recovery"`` is the network of the paper's appendix E.

Departs from the paper:
- Weights are scaled by He's constant itself; v1 measures it on each drawn weight, and then divides by it.
- Up-sampling is fused with its convolution (the same mathematics); so is down-sampling where
  ``pool_before_activation`` is v2's, which halves a picture before its activation where v1 does after it.
- The schedule is read at every step, not once per four minibatches.
- The average of the generator is updated after the generator's move; v2 updates it just before.
- Reals are box-averaged in float; the releases round the smaller resolutions to bytes on disk.
- A convolution before batch normalisation keeps its bias, which the normalisation cancels.
- ``loss`` may be another: WGAN-GP's penalty is a third of a step's arithmetic, R1 on every eighth step a sixteenth.
- The learning rate may fall at the end (``decay_kimg``), which a run of minutes needs and a run of days does not.
- Pictures need not be square: ``base`` is the size of the first resolution, doubled as often as a square one.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Literal

import torch
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import GROWN, Growth, Stage
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import (
    class_cross_entropy,
    non_saturating_discriminator,
    non_saturating_generator,
    relativistic_discriminator,
    relativistic_generator,
    wasserstein_discriminator,
    wasserstein_generator,
)
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import drift, gradient_penalty, r1_penalty, watched
from ganvas.networks.adversarial.progressive_networks import (
    FIRST,
    ProgressiveDiscriminator,
    ProgressiveGenerator,
    ProgressiveSettings,
    grown,
)
from ganvas.nn.layers.resample import halve

LOSSES = {  # Of the discriminator: the name of its term, and the function of real and fake scores.
    "wgan-gp": ("wasserstein", wasserstein_discriminator),
    "non-saturating": ("non_saturating", non_saturating_discriminator),
    "relativistic": ("relativistic", relativistic_discriminator),
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks, their growth and their game; the defaults are the paper's CelebA-HQ, at 32x32."""

    # Pictures
    resolution: int = 32  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) grows to 64x96.
    channels: int = 3
    num_classes: int = 0  # Above 0: labels steer the generator and the discriminator also classifies (ACGAN).
    # Networks
    template: Literal["paper", "mode-recovery"] = "paper"
    latent_size: int = 512
    fmap_base: int = 8192  # Feature maps of a stage: min(fmap_base / 2^(stage * fmap_decay), fmap_max).
    fmap_decay: float = 1.0
    fmap_max: int = 512
    discriminator_divisor: int = 1  # Appendix E cripples the discriminator by 2 or 4.
    normalize_latents: bool = True
    pixel_norm: bool = True
    equalized: bool = True  # Equalised learning rate.
    generator_slope: float = 0.2  # Of the leaky ReLU; 0 is a ReLU.
    generator_norm: Literal["none", "batch"] = "none"
    discriminator_norm: Literal["none", "batch", "layer"] = "none"
    minibatch_statistic: Literal["stddev", "discrimination", "none"] = "stddev"
    group_size: int | None = 4  # Of minibatch standard deviation; none is the whole batch, as in v1.
    discrimination_kernels: int = 100
    tanh: bool = False
    pool_before_activation: bool = True  # D halves a picture before the activation (v2) or after it (v1).
    # Growth, in thousands of real images shown
    first_resolution: int = 4
    train_kimg: float = 600
    fade_kimg: float = 600
    batch_size: int = 16
    batch_size_at: dict[int, int] = field(default_factory=dict)  # At a resolution, instead of batch_size: 256:14,512:6
    lr: float = 1e-3
    lr_at: dict[int, float] = field(default_factory=dict)
    rampup_kimg: float = 0.0
    hold_kimg: float = 0.0  # Until here the learning rate stays,
    decay_kimg: float = 0.0  # and over these it falls to end_share of itself; 0 is no decay, as in the paper.
    end_share: float = 0.0
    grown: float = GROWN  # Where growth is fitted to a run: the share after which the last resolution trains alone.
    # Game
    loss: Literal["wgan-gp", "non-saturating", "relativistic"] = "wgan-gp"  # The paper's, or one that R1 goes with.
    joint: bool = False  # One joint move of both players on the same fakes, instead of one after the other.
    n_critic: int = 1  # Moves of the discriminator per move of the generator.
    penalty_weight: float = 10.0  # lambda, of WGAN-GP, as the two that follow.
    penalty_target: float = 1.0  # gamma
    drift_weight: float = 0.001  # On reals only.
    r1_gamma: float = 1.0  # Weight of R1, halved, with the other losses.
    r1_interval: int = 8  # Steps between two moves against R1, each with so many times its weight.
    class_weight: float = 1.0
    beta1: float = 0.0
    beta2: float = 0.99
    eps: float = 1e-8
    average_decay: float = 0.999  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "fmap_max", "discriminator_divisor", "batch_size", "n_critic", "r1_interval")
        at_least(self, 0, "num_classes", "r1_gamma")
        above(self, 0, "lr", "eps", "fmap_base", "penalty_target", "grown")
        fractions(self, "beta1", "beta2", "average_decay", "end_share", "grown")
        if self.joint and self.n_critic != 1:
            raise UserError(f"joint=true moves both players at once, so n_critic={self.n_critic} must be 1.")
        if self.pool_before_activation and self.discriminator_norm != "none":
            raise UserError(
                f"discriminator_norm={self.discriminator_norm} stands between a convolution and its pooling, "
                "so pool_before_activation must be false."
            )
        assert self.picture  # Its making checks the size.
        self.growth()

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures at the full resolution."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a growth that is fitted to the run."""
        fitting = self.growth().fitted(total_kimg, grown=self.grown)
        lengths = ("train_kimg", "fade_kimg", "hold_kimg", "decay_kimg")
        return replace(self, **{name: vars(fitting)[name] for name in lengths})

    def growth(self) -> Growth:
        """The run's clock."""
        return Growth(
            first=self.first_resolution,
            last=self.resolution,
            train_kimg=self.train_kimg,
            fade_kimg=self.fade_kimg,
            batch_size=self.batch_size,
            lr=self.lr,
            batch_size_at=self.batch_size_at,
            lr_at=self.lr_at,
            rampup_kimg=self.rampup_kimg,
            hold_kimg=self.hold_kimg,
            decay_kimg=self.decay_kimg,
            end_share=self.end_share,
        )

    @property
    def networks(self) -> ProgressiveSettings:
        """What is said of the two networks."""
        said = vars(self)
        named = (item.name for item in fields(ProgressiveSettings))
        return ProgressiveSettings(picture=self.picture, **{name: said[name] for name in named if name in said})


TINY = Config(resolution=16, latent_size=8, fmap_base=64, fmap_max=8, train_kimg=0.016, fade_kimg=0.032, batch_size=8)


class Model(LatentGame[Config, Pictures]):
    """The two networks, their game and their growth."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = ProgressiveGenerator(config.networks)
        self.discriminator = ProgressiveDiscriminator(config.networks)
        self.augmentation: Augmentation = NoAugmentation()

    def schedule(self) -> Growth:
        """Stage, fade, batch size and learning rate as a function of the images shown."""
        return self.config.growth()

    def phases(self) -> list[Phase[Pictures]]:
        """Critic, then generator: one after the other (v2, and v1's CelebA-HQ), or both at once (v1's CIFAR-10)."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        moves = [
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                simultaneous=config.joint,
                optimizer=adam,
                after=self.augmentation.adapt,
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=every(config.n_critic),
                optimizer=adam,
                average=config.average_decay,
            ),
        ]
        if config.loss == "wgan-gp" or not config.r1_gamma:
            return moves
        penalty = Phase(
            name="R1",
            player=self.discriminator,
            loss=self._r1_loss,
            turn=every(config.r1_interval),
            weight=config.r1_interval,
            optimizer=adam,
        )
        return [*moves, penalty]

    def calibrate(self, batch: Pictures) -> None:
        """Before the first step: minibatch discrimination measures its scale on reals (row e* of table 1)."""
        layer = self.discriminator.discrimination
        if layer is not None:
            with torch.no_grad():
                layer.calibrate(self.discriminator.features(batch.images))

    def _fakes(self, batch: Pictures) -> Images:
        resolution = FIRST * batch.images.shape[-2] // self.config.base[0]
        z = self.latents_of(batch)  # The generator puts them on the hypersphere.
        return self.generator(z, batch.labels, resolution=resolution, fade=batch.fade)

    def _judged(self, images: Images, batch: Pictures) -> tuple[PerSample, Tensor]:
        """What the discriminator says of pictures of a step, augmented: how real, and the logits of classes."""
        return self.discriminator(self.augmentation(images, batch), fade=batch.fade)

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        """WGAN-GP with drift (appendix A.1), or another loss, and ACGAN's class terms."""
        config = self.config
        with torch.no_grad():
            fakes = self._fakes(batch)
        real, real_classes = self._judged(batch.images, batch)
        fake, fake_classes = self._judged(fakes, batch)
        self.augmentation.notice(real - fake, batch)  # The level of a critic means nothing.
        name, loss = LOSSES[config.loss]
        terms = {name: loss(real, fake)}
        if config.loss == "wgan-gp":
            terms |= self._lipschitz_terms(real, fakes, batch)
        if config.num_classes:
            terms["real_class"] = config.class_weight * class_cross_entropy(real_classes, batch.classes)
            terms["fake_class"] = config.class_weight * class_cross_entropy(fake_classes, batch.classes)
        return terms

    def _lipschitz_terms(self, real: PerSample, fakes: Images, batch: Pictures) -> Terms:
        """What holds the critic of the paper: its slope between real and generated pictures, and its level."""
        config = self.config
        slope = gradient_penalty(
            lambda images: self._judged(images, batch)[0],
            batch.images,
            fakes,
            batch.rand(),
            weight=config.penalty_weight,
            target=config.penalty_target,
        )
        level = {"drift": drift(real, weight=config.drift_weight)} if config.drift_weight else {}
        return {"gradient_penalty": slope, **level}

    def _r1_loss(self, batch: Pictures) -> Terms:
        images = watched(batch.images)
        return {"r1": self.config.r1_gamma / 2 * r1_penalty(images, self._judged(images, batch)[0])}

    def _generator_loss(self, batch: Pictures) -> Terms:
        fake, fake_classes = self._judged(self._fakes(batch), batch)
        if self.config.loss == "relativistic":
            terms = {"relativistic": relativistic_generator(self._judged(batch.images, batch)[0], fake)}
        elif self.config.loss == "non-saturating":
            terms = {"non_saturating": non_saturating_generator(fake)}
        else:
            terms = {"wasserstein": wasserstein_generator(fake)}
        if self.config.num_classes:
            terms["fake_class"] = self.config.class_weight * class_cross_entropy(fake_classes, batch.classes)
        return terms

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds full-size pictures in [-1, 1], at the stage it has grown to."""
        resolution, fade = grown(stage, images.device)
        while resolution is not None and FIRST * images.shape[-2] > resolution * self.config.base[0]:
            images = halve(images)
        return self.discriminator(images, fade=fade)[0]

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures in [-1, 1] (nearly: there is no tanh) of latents, at a stage's resolution or the full one."""
        resolution, fade = grown(stage, z.device)
        return self.generator(z, labels, resolution=resolution, fade=fade)
