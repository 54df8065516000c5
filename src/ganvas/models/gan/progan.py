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
- Pictures need not be square: ``base`` is the size of the first resolution, doubled as often as a square one.
"""

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.picture_size import DoubledSize
from ganvas.core.schedule import Growth, Stage
from ganvas.core.shapes import Features, Images, Labels, Latents, PerSample, Scalar
from ganvas.core.sizes import doublings
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
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear, scaled
from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.resample import double, halve
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.layer_norm import LayerNorm2d
from ganvas.nn.norms.pixel_norm import pixel_norm

V1_NORM_EPS = 1e-4  # Of batch normalisation in v1's framework.
SLOPE = 0.2  # Of the discriminator's leaky ReLU.
FIRST = 4  # Nominal resolution of the first block, whatever its true size.
LOSSES = {  # Of the discriminator: the name of its term, and the function of real and fake scores.
    "wgan-gp": ("wasserstein", wasserstein_discriminator),
    "non-saturating": ("non_saturating", non_saturating_discriminator),
    "relativistic": ("relativistic", relativistic_discriminator),
}
GROWN = 0.6  # Of a run whose growth is fitted to its length: the share after which the full resolution trains alone.


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
        above(self, 0, "lr", "eps", "fmap_base", "penalty_target")
        fractions(self, "beta1", "beta2", "average_decay")
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
        """The same settings with a growth that reaches the full resolution after :data:`GROWN` of the run.

        Training and fading in keep their proportion; what is left trains the full resolution.
        """
        periods = self.picture.levels - (doublings(self.first_resolution) if self.first_resolution >= FIRST else 0)
        period = GROWN * total_kimg / max(periods, 1)
        if periods and round(1000 * period) < 2:
            raise UserError(
                f"total_kimg={total_kimg:g} is too short to grow to {self.resolution}: give at least "
                f"{0.002 * periods / GROWN:.2g}."
            )
        training = self.train_kimg / (self.train_kimg + self.fade_kimg) if self.train_kimg else 0.0
        return replace(self, train_kimg=training * period, fade_kimg=(1 - training) * period)

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
        )

    def feature_maps(self, stage: int) -> int:
        """``nf(stage) = min(fmap_base / 2^(stage fmap_decay), fmap_max)``; resolution 4 * 2^k is stage k + 1."""
        return max(min(int(self.fmap_base / 2 ** (stage * self.fmap_decay)), self.fmap_max), 1)


TINY = Config(resolution=16, latent_size=8, fmap_base=64, fmap_max=8, train_kimg=0.016, fade_kimg=0.032, batch_size=8)


def layers_of(block: nn.Module) -> list[nn.Module]:
    """The layers of a block that is a list."""
    assert isinstance(block, nn.ModuleList)
    return list(block)


class LatentBlock(nn.Module):
    """The latent as a 4x4 picture: a dense layer with one bias per feature map.

    Its gain is divided by the root of the number of pixels, so that it equals the full 4x4 convolution of v1.
    """

    def __init__(self, config: Config, out_channels: int) -> None:
        super().__init__()
        self.base = config.base
        inputs, pixels = config.latent_size + config.num_classes, config.base[0] * config.base[1]
        he = math.sqrt(2) / math.sqrt(inputs * pixels)
        self.std, self.scale = (1.0, he) if config.equalized else (he, 1.0)
        self.weight = unset(out_channels * pixels, inputs)
        self.bias = unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=self.std)
        nn.init.zeros_(self.bias)

    def forward(self, z: Latents) -> Images:
        x = F.linear(z, scaled(self.weight, self.scale, z.dtype))
        x = x.view(x.shape[0], -1, *self.base).contiguous(memory_format=torch.channels_last)
        return x + filled(self.bias).to(x.dtype).view(1, -1, 1, 1)


class Generator(nn.Module):
    """From a latent to a picture of any of its resolutions."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        paper, equalized = config.template == "paper", config.equalized
        nf = config.feature_maps
        maps = [nf(k + 1) if paper else nf(k) for k in range(config.picture.levels + 1)]
        if not paper:
            maps[0] = 64  # Fixed in appendix E's network, whatever fmap_base is.
        self.latent = LatentBlock(config, maps[0])
        self.latent_norm = self._norm(maps[0])
        first = [EqualizedConv2d(maps[0], maps[0], 3, equalized=equalized)] if paper else []
        self.blocks = nn.ModuleList([nn.ModuleList(first)])
        for before, after in pairwise(maps):
            block: list[nn.Module] = [EqualizedUpConv2d(before, after, equalized=equalized)]
            if paper:
                block.append(EqualizedConv2d(after, after, 3, equalized=equalized))
            self.blocks.append(nn.ModuleList(block))
        self.norms = nn.ModuleList(
            nn.ModuleList(self._norm(channels) for _ in layers_of(block))
            for channels, block in zip(maps, self.blocks, strict=True)
        )
        rgb_kernel = 1 if paper else 3
        self.to_rgb = nn.ModuleList(
            EqualizedConv2d(channels, config.channels, rgb_kernel, gain=1.0, equalized=equalized) for channels in maps
        )

    def forward(
        self,
        z: Latents,
        labels: Labels | None = None,
        *,
        resolution: int | None = None,
        fade: Scalar | None = None,
    ) -> Images:
        """Pictures of ``resolution`` (the full one if None); ``fade`` weighs it against the one below."""
        level = self.config.picture.levels if resolution is None else (resolution // FIRST).bit_length() - 1
        if self.config.normalize_latents:
            z = pixel_norm(z)
        if self.config.num_classes:
            assert labels is not None, "a conditional generator is asked for pictures of given classes"
            z = torch.cat([z, F.one_hot(labels, self.config.num_classes).to(z.dtype)], dim=1)
        below = x = self._finish(self.latent(z), self.latent_norm)
        for block, norms in zip(self.blocks[: level + 1], self.norms, strict=False):
            below = x
            for convolution, norm in zip(layers_of(block), layers_of(norms), strict=True):
                x = self._finish(convolution(x), norm)
        rgb = self.to_rgb[level](x)
        if fade is not None and level > 0:
            rgb = torch.lerp(double(self.to_rgb[level - 1](below)), rgb, fade.to(rgb.dtype))
        return rgb.tanh() if self.config.tanh else rgb

    def _norm(self, channels: int) -> nn.Module:
        return BatchNorm2d(channels, eps=V1_NORM_EPS) if self.config.generator_norm == "batch" else nn.Identity()

    def _finish(self, x: Tensor, norm: nn.Module) -> Tensor:
        """What follows a convolution: (batch norm,) leaky ReLU, (pixel norm)."""
        x = F.leaky_relu(norm(x), self.config.generator_slope)
        return pixel_norm(x) if self.config.pixel_norm else x


class Discriminator(nn.Module):
    """From a picture of any of its resolutions to a score, and to the logits of its class when it has classes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.paper = config.template == "paper"

        def nf(stage: int) -> int:
            return max(config.feature_maps(stage) // config.discriminator_divisor, 1)

        maps = [nf(k + 1) for k in range(config.picture.levels + 1)]
        self.from_rgb = nn.ModuleList(EqualizedConv2d(config.channels, m, 1, equalized=config.equalized) for m in maps)
        if not self.paper:  # Appendix E feeds the picture itself to the topmost convolution.
            self.from_rgb[-1] = nn.Identity()
        self.blocks, self.norms = nn.ModuleList(), nn.ModuleList()  # From the second resolution up.
        for level, (below, upper) in enumerate(pairwise(maps), start=1):
            top_of_appendix_e = not self.paper and level == config.picture.levels
            channels = config.channels if top_of_appendix_e else upper
            block = [self._convolution(upper, upper)] if self.paper else []
            self.blocks.append(nn.ModuleList([*block, self._convolution(channels, below, down=True)]))
            self.norms.append(nn.ModuleList([self._norm(upper)] * len(block) + [self._norm(below)]))
        statistic = config.minibatch_statistic
        self.stddev = MinibatchStdDev(config.group_size) if statistic == "stddev" else None
        features = maps[0] + (1 if self.stddev else 0)
        height, width = config.base
        if self.paper:
            self.convolution, self.convolution_norm = self._convolution(features, maps[0]), self._norm(maps[0])
            self.dense = EqualizedLinear(
                maps[0] * height * width, nf(0), equalized=config.equalized, bias=config.discriminator_norm != "layer"
            )
            self.dense_norm = self._norm(nf(0))
            features = nf(0)
        else:
            features *= height * width
        self.discrimination = None
        if statistic == "discrimination":
            self.discrimination = MinibatchDiscrimination(features, kernels=config.discrimination_kernels)
            features += config.discrimination_kernels
        self.score = EqualizedLinear(features, 1 + config.num_classes, gain=1.0, equalized=config.equalized)

    def forward(self, images: Images, *, fade: Scalar | None = None) -> tuple[PerSample, Tensor]:
        """Scores (n,) and class logits (n, num_classes), float32 at least; the level is read off the picture's size."""
        x = self.features(images, fade=fade)
        if self.discrimination is not None:
            x = self.discrimination(x)
        scores = self.score(x)
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        return scores[:, 0], scores[:, 1:]

    def features(self, images: Images, *, fade: Scalar | None = None) -> Features:
        """What the last layer (or minibatch discrimination before it) sees."""
        level = (images.shape[-2] // self.config.base[0]).bit_length() - 1
        x = self._read(images, level)
        for at in range(level, 0, -1):
            x = self._block(x, at)
            if fade is not None and at == level:
                x = torch.lerp(self._read(halve(images), level - 1).to(x.dtype), x, fade.to(x.dtype))
        if self.stddev is not None:
            x = self.stddev(x)
        if self.paper:
            x = F.leaky_relu(self.convolution_norm(self.convolution(x)), SLOPE)
            x = self.dense(x.flatten(1))[:, :, None, None]
            x = F.leaky_relu(self.dense_norm(x), SLOPE)
        return x.flatten(1)

    def _read(self, images: Images, level: int) -> Tensor:
        layer = self.from_rgb[level]
        return images if isinstance(layer, nn.Identity) else F.leaky_relu(layer(images), SLOPE)

    def _block(self, x: Tensor, level: int) -> Tensor:
        """The convolutions of one resolution and the halving that leads to the one below."""
        block, norms = self.blocks[level - 1], self.norms[level - 1]
        for convolution, norm in zip(layers_of(block), layers_of(norms), strict=True):
            x = F.leaky_relu(norm(convolution(x)), SLOPE)
        return x if self.config.pool_before_activation else halve(x)

    def _convolution(self, before: int, after: int, *, down: bool = False) -> nn.Module:
        if down and self.config.pool_before_activation:
            return EqualizedDownConv2d(before, after, equalized=self.config.equalized)
        bias = self.config.discriminator_norm != "layer"  # v1's layer norm adds the bias after normalising.
        return EqualizedConv2d(before, after, 3, equalized=self.config.equalized, bias=bias)

    def _norm(self, channels: int) -> nn.Module:
        if self.config.discriminator_norm == "batch":
            return BatchNorm2d(channels, eps=V1_NORM_EPS)
        return LayerNorm2d(channels) if self.config.discriminator_norm == "layer" else nn.Identity()


class Model(LatentGame[Config, Pictures]):
    """The two networks, their game and their growth."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config)
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
        resolution, fade = _grown(stage, images.device)
        while resolution is not None and FIRST * images.shape[-2] > resolution * self.config.base[0]:
            images = halve(images)
        return self.discriminator(images, fade=fade)[0]

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures in [-1, 1] (nearly: there is no tanh) of latents, at a stage's resolution or the full one."""
        resolution, fade = _grown(stage, z.device)
        return self.generator(z, labels, resolution=resolution, fade=fade)


def _grown(stage: Stage | None, device: torch.device) -> tuple[int | None, Tensor | None]:
    """Resolution and fade of a stage, as the networks take them."""
    if stage is None:
        return None, None
    return stage.resolution, torch.tensor(stage.fade, device=device) if stage.fading else None
