"""R3GAN: a GAN without tricks, whose loss converges by itself and whose network is a modern convolutional one.

Huang, Gokaslan, Kuleshov, Tompkin: The GAN is dead; long live the GAN! A Modern Baseline GAN (NeurIPS 2024),
https://arxiv.org/abs/2501.05441. Every sample is judged beside one of the other kind (the relativistic pairing loss),
so that no group of reals may be left out, and zero-centred gradient penalties on reals and on fakes (R1 and R2) make
the game converge near its equilibrium, as the paper proves. Normalisation, styles, noise, mixing, minibatch statistics
and lazy penalties can then all be left out.

Settings and start follow the authors' code, https://github.com/brownvc/R3GAN: residual blocks of grouped convolutions
between 1 x 1 ones, the last of which starts at zero, and half-cosine courses of everything that is scheduled.

Departs from that code:
- Both players see the same reals on a step; there each is dealt its own.
- The code raises its augmentation to a probability of 0.55 (CIFAR-10) or 0.3 (FFHQ) on a course; here ``--augment``
  chooses one, whose probability is fixed or follows the discriminator.
- The weight of the penalties follows the samples that the model itself has counted, a buffer of its memory.
- Pictures need not be square: ``base`` is the size of the first resolution, doubled as often as needed.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Course, Stage, Steady, decay_of
from ganvas.core.shapes import Images, Labels, Latents, PerSample, Scalar
from ganvas.losses.adversarial import relativistic_discriminator, relativistic_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import r1_penalty, r2_penalty, watched
from ganvas.nn.layers.across_ranks import count_ranks
from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.plain_layers import Conv2d, Linear
from ganvas.nn.layers.smooth_resample import smooth_double, smooth_halve

SLOPE = 0.2  # Of every leaky ReLU.
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # He's gain of such a leaky ReLU.
LAYERS = 3  # Of a block, as fix-up counts them (Zhang et al. 2019).


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the authors' for CIFAR-10."""

    # Pictures
    resolution: int = 32  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    num_classes: int = 0  # Above 0: labels join the latent, and the discriminator projects on them.
    # Networks
    latent_size: int = 64
    fmap_base: int = 12288  # Feature maps of resolution 4 * 2^k: min(fmap_base / 2^(k + 1), fmap_max).
    fmap_max: int = 768
    blocks: int = 2  # Of each resolution, in either network.
    expansion: int = 2  # Times wider inside a block.
    group_width: int = 16  # Channels of a group inside a block.
    # Game; what has a second value goes to it on half a cosine, over decay_kimg.
    batch_size: int = 512
    lr: float = 2e-4
    end_lr: float = 5e-5
    gamma: float = 0.05  # Weight of both penalties, halved.
    end_gamma: float = 0.005
    beta1: float = 0.0
    beta2: float = 0.9
    end_beta2: float = 0.99
    eps: float = 1e-8
    average_half_life_kimg: float = 5000.0  # Of the generator's weights, at the end; 0 at the start.
    decay_kimg: float = 20000.0

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "fmap_max", "blocks", "expansion", "group_width", "batch_size")
        at_least(self, 0, "num_classes", "gamma", "end_gamma", "average_half_life_kimg")
        above(self, 0, "lr", "end_lr", "eps", "fmap_base", "decay_kimg")
        fractions(self, "beta1", "beta2", "end_beta2")
        for maps in self.maps():
            if maps * self.expansion % self.group_width:
                raise UserError(
                    f"group_width={self.group_width} does not divide the {maps * self.expansion} channels inside a "
                    f"block ({maps} maps, expansion={self.expansion}). Choose a divisor, or change fmap_base."
                )

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps from the first resolution up."""
        return self.picture.feature_maps(fmap_base=self.fmap_base, fmap_max=self.fmap_max)

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with courses that end where the run ends."""
        return replace(self, decay_kimg=total_kimg)

    def average_decay(self, nimg: int) -> float:
        """Of the generator's averaged weights on the step at ``nimg``."""
        half_life = Course(start=0.0, end=1000 * self.average_half_life_kimg, kimg=self.decay_kimg).at(nimg)
        return decay_of(half_life, self.batch_size)


TINY = Config(resolution=16, latent_size=8, fmap_base=32, fmap_max=8, blocks=1, group_width=4, batch_size=8)


class FixUpBlock(nn.Module):
    """``x + conv1(lrelu(conv3(lrelu(conv1(x)))))``, wide and in groups inside, and exactly x at the start.

    The first two layers start smaller by ``depth^(-1 / (2 LAYERS - 2))``, with as many blocks in the network as
    ``depth``, so that the sum of all of them moves by one step's worth (fix-up, Zhang et al. 2019).
    """

    def __init__(self, channels: int, config: Config) -> None:
        super().__init__()
        wide = channels * config.expansion
        depth = config.blocks * (config.picture.levels + 1)
        gain = GAIN * depth ** (-1 / (2 * LAYERS - 2))
        width = config.group_width
        self.expand = Conv2d(channels, wide, 1, std=gain / math.sqrt(channels))
        self.grouped = GroupedConv2d(wide, wide, 3, groups=wide // width, padding=1, std=gain / math.sqrt(9 * width))
        self.project = Conv2d(wide, channels, 1, bias=False, std=0.0)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        y = F.leaky_relu(self.expand(x), SLOPE)
        y = F.leaky_relu(self.grouped(y), SLOPE)
        return x + self.project(y)


class Resampling(nn.Module):
    """Doubling or halving with the smooth filter, and a 1 x 1 convolution on the smaller side where widths differ."""

    def __init__(self, in_channels: int, out_channels: int, *, up: bool) -> None:
        super().__init__()
        self.up = up
        same = in_channels == out_channels
        self.convolution = nn.Identity() if same else linear_conv(in_channels, out_channels)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        return smooth_double(self.convolution(x)) if self.up else self.convolution(smooth_halve(x))


class GenerativeBasis(nn.Module):
    """A learnt picture of the first resolution per feature map, each scaled by a linear map of the latent."""

    def __init__(self, inputs: int, channels: int, base: tuple[int, int]) -> None:
        super().__init__()
        self.basis = unset(channels, *base)
        self.scales = Linear(inputs, channels, bias=False, std=1 / math.sqrt(inputs))

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.basis, generator)

    def forward(self, z: Latents) -> Float[Tensor, "n c h w"]:
        scales = self.scales(z)
        return filled(self.basis).to(scales.dtype) * scales[:, :, None, None]


class DiscriminativeBasis(nn.Module):
    """Every feature map's product with a learnt picture of the first resolution, and a linear map of those."""

    def __init__(self, channels: int, outputs: int, base: tuple[int, int]) -> None:
        super().__init__()
        self.basis = unset(channels, *base)
        self.outputs = Linear(channels, outputs, bias=False, std=1 / math.sqrt(channels))

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.basis, generator, std=1 / math.sqrt(self.basis[0].numel()))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        return self.outputs((x * filled(self.basis).to(x.dtype)).sum((2, 3)))


class R3Generator(nn.Module):
    """From a latent to a picture: the basis, then blocks and doublings in turn, then colours."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps, classes, size = config.maps(), config.num_classes, config.latent_size
        self.embedding = embedding(classes, size) if classes else None
        self.basis = GenerativeBasis(size * (2 if classes else 1), maps[0], config.base)
        stages = [[Resampling(below, upper, up=True)] for below, upper in pairwise(maps)]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(*before, *(FixUpBlock(channels, config) for _ in range(config.blocks)))
                for channels, before in zip(maps, [[], *stages], strict=True)
            )
        )
        self.to_rgb = linear_conv(maps[-1], config.channels)

    def forward(self, z: Latents, labels: Labels | None = None) -> Images:
        if self.embedding is not None:
            z = torch.cat([z, embedded(self.embedding, labels)], dim=1)
        return self.to_rgb(self.stages(self.basis(z)))


class R3Discriminator(nn.Module):
    """From a picture to a score: the generator's mirror image."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps, classes = config.maps()[::-1], config.num_classes
        self.from_rgb = linear_conv(config.channels, maps[0])
        stages = [[Resampling(upper, below, up=False)] for upper, below in pairwise(maps)]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(*(FixUpBlock(channels, config) for _ in range(config.blocks)), *after)
                for channels, after in zip(maps, [*stages, []], strict=True)
            )
        )
        self.basis = DiscriminativeBasis(maps[-1], maps[-1] if classes else 1, config.base)
        self.embedding = embedding(classes, maps[-1], gain=1 / math.sqrt(maps[-1])) if classes else None

    def forward(self, images: Images, labels: Labels | None = None) -> PerSample:
        """Scores, float32 at least. With classes and no labels: the mean score of all classes."""
        found = self.basis(self.stages(self.from_rgb(images)))
        found = found.to(torch.promote_types(found.dtype, torch.float32))
        if self.embedding is None:
            return found[:, 0]
        if labels is None:
            return found @ filled(self.embedding.weight).mean(1)
        return (found * embedded(self.embedding, labels)).sum(1)


class Model(LatentGame[Config, Pictures]):
    """The two networks and their game."""

    takes = (Pictures,)
    shown: Tensor  # Samples that its players have seen.

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = R3Generator(config)
        self.discriminator = R3Discriminator(config)
        self.register_buffer("shown", torch.zeros((), dtype=torch.float64))
        self.augmentation: Augmentation = NoAugmentation()

    def memory(self) -> tuple[str, ...]:
        """The clock of the penalties."""
        return ("shown",)

    def schedule(self) -> Steady:
        """One resolution, one batch size; the learning rate falls to its end on half a cosine."""
        config = self.config
        return Steady(
            resolution=config.resolution,
            batch_size=config.batch_size,
            lr=config.lr,
            end_lr=config.end_lr,
            rate="cosine",
            decay_kimg=config.decay_kimg,
        )

    def phases(self) -> list[Phase[Pictures]]:
        """Discriminator, then generator, each on fresh latents."""
        config = self.config
        memory = Course(start=config.beta2, end=config.end_beta2, kimg=config.decay_kimg)
        adam = Adam(beta1=config.beta1, beta2=config.beta2, beta2_course=memory, eps=config.eps)
        return [
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                optimizer=adam,
                after=self.augmentation.adapt,
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                optimizer=adam,
                average=config.average_decay,
                after=self._count,
            ),
        ]

    def penalty_weight(self) -> Scalar:
        """Gamma after what has been shown."""
        config = self.config
        along = (self.shown / (1000 * config.decay_kimg)).clamp(max=1)
        left = 0.5 * (1 + torch.cos(math.pi * along))
        return (config.end_gamma + (config.gamma - config.end_gamma) * left).to(torch.get_default_dtype())

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        real_images = watched(batch.images)
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch), batch.labels)
        fake_images = watched(fakes.to(batch.images.dtype))
        real, fake = self._scores(real_images, batch), self._scores(fake_images, batch)
        self.augmentation.notice(real - fake, batch)  # Only differences mean anything.
        half_gamma = self.penalty_weight() / 2
        return {
            "relativistic": relativistic_discriminator(real, fake),
            "r1": half_gamma * r1_penalty(real_images, real),
            "r2": half_gamma * r2_penalty(fake_images, fake),
        }

    def _generator_loss(self, batch: Pictures) -> Terms:
        fakes = self.generator(self.latents_of(batch), batch.labels)
        real, fake = self._scores(batch.images, batch), self._scores(fakes, batch)
        return {"relativistic": relativistic_generator(real, fake)}

    def _scores(self, images: Images, batch: Pictures) -> PerSample:
        """How real the discriminator finds pictures of a step, augmented."""
        return self.discriminator(self.augmentation(images, batch), batch.labels)

    def _count(self, batch: Pictures, _terms: Terms) -> None:
        self.shown += batch.size * count_ranks()

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1]; higher is more real."""
        return self.discriminator(images)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures of latents, in [-1, 1] nearly: there is no tanh."""
        return self.generator(z, labels)


def linear_conv(in_channels: int, out_channels: int) -> Conv2d:
    """A 1 x 1 convolution that keeps the variance, without a bias."""
    return Conv2d(in_channels, out_channels, 1, bias=False, std=1 / math.sqrt(in_channels))


def embedding(classes: int, size: int, *, gain: float = 1.0) -> Linear:
    """A linear map of a one-hot label."""
    return Linear(classes, size, bias=False, std=gain / math.sqrt(classes))


def embedded(layer: Linear, labels: Labels | None) -> Float[Tensor, "n d"]:
    """The rows of labels: the map of their one-hot codes."""
    assert labels is not None, "a conditional network is asked for given classes"
    return F.embedding(labels, filled(layer.weight).t())
