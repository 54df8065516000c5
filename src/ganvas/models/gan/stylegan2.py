"""StyleGAN2: a generator whose layers are steered by styles, with a smooth latent space and no growing.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: Analyzing and Improving the Image Quality of StyleGAN (CVPR 2020),
https://arxiv.org/abs/1912.04958. The first StyleGAN normalised its feature maps and left droplets in every picture;
here weights are normalised instead. What most people pick for pictures of one kind: faces, cars, flowers.

Two penalties are played lazily, each on its player's own moments: R1 on the discriminator every 16 steps, and path
length on the generator every 4, which asks that a step in the latent space changes every picture equally much.

Facts that the paper leaves open follow its authors' PyTorch release (https://github.com/NVlabs/stylegan2-ada-pytorch),
which also says how classes steer both networks and what CIFAR-10 needs (Karras et al. 2020,
https://arxiv.org/abs/2006.06676).

Departs from the paper and that release:
- Every picture of a batch has its own place where two styles are mixed; the release draws one for a batch.
- The running average of w follows the generator's own move alone; the release also counts what D is shown.
- The mean path length is that of the whole batch over all processes; the release keeps one for each.
- A lazy phase plays on the last of its k steps, not on the first.
- Activations are not clamped, which the release needs for float16; ``precision`` sets bfloat16, with float32's range.
- Pictures to look at have the same noise each time, so that a picture is a function of its latent.
- Pictures need not be square: ``base`` is the size of the first resolution, doubled as often as needed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions, probabilities
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady, ramped_decay
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import non_saturating_discriminator, non_saturating_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import path_lengths, r1_penalty, watched
from ganvas.networks.adversarial.residual_discriminator import ResidualDiscriminator
from ganvas.networks.adversarial.style_generator import Noise, StyleGenerator, Styles
from ganvas.nn.layers.across_ranks import all_ranks_mean

PATH_SHARE = 2  # Path length is measured on one in so many pictures of the batch, to save memory, as in the release.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are configuration F, at 64x64."""

    # Pictures
    resolution: int = 64  # 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 64x96.
    channels: int = 3
    num_classes: int = 0  # Above 0: labels steer the generator, and the discriminator projects on them.
    # Networks
    latent_size: int = 512
    style_size: int = 512  # Numbers in w.
    mapping_layers: int = 8
    mapping_lr: float = 0.01  # Times the learning rate, for the mapping network.
    fmap_base: int = 16384  # Feature maps of resolution 4 * 2^k: min(fmap_base / 2^(k + 1), fmap_max).
    fmap_max: int = 512
    residual: bool = True  # Whether the discriminator has shortcuts.
    group_size: int | None = 4  # Of minibatch standard deviation; none is the whole batch.
    # Game
    batch_size: int = 32
    lr: float = 2e-3
    beta1: float = 0.0
    beta2: float = 0.99
    eps: float = 1e-8
    r1_gamma: float = 10.0
    r1_interval: int = 16  # Steps of the discriminator per penalty.
    path_weight: float = 2.0
    path_interval: int = 4  # Steps of the generator per penalty.
    path_decay: float = 0.99  # Of the running mean of path lengths, per penalty.
    mixing: float = 0.9  # Share of pictures made with two latents.
    style_mean_decay: float = 0.995  # Of the running mean of w, per step.
    average_half_life_kimg: float = 10.0  # Of the generator's weights: after so many samples a weight counts half ...
    average_ramp: float = 0.0  # ... or after this share of those shown so far, where that is less; 0 is none.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "style_size", "mapping_layers", "fmap_max", "batch_size")
        at_least(self, 1, "r1_interval", "path_interval")
        at_least(self, 0, "num_classes", "r1_gamma", "path_weight", "average_half_life_kimg", "average_ramp")
        above(self, 0, "lr", "eps", "fmap_base", "mapping_lr")
        fractions(self, "beta1", "beta2", "path_decay", "style_mean_decay")
        probabilities(self, "mixing")
        assert self.picture  # Its making checks the size.
        if self.group_size is not None and self.batch_size > self.group_size and self.batch_size % self.group_size:
            raise UserError(
                f"batch_size={self.batch_size} cannot be cut into groups of group_size={self.group_size} for minibatch "
                "standard deviation. Use a multiple, or group_size=none for the whole batch."
            )

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def average_decay(self, nimg: int) -> float:
        """Of the generator's averaged weights on the step at ``nimg``, from their half-life."""
        return ramped_decay(
            nimg, half_life_kimg=self.average_half_life_kimg, ramp=self.average_ramp, batch_size=self.batch_size
        )

    def maps(self) -> list[int]:
        """Feature maps from the first resolution up."""
        return self.picture.feature_maps(fmap_base=self.fmap_base, fmap_max=self.fmap_max)


TINY = Config(
    resolution=16,
    latent_size=8,
    style_size=8,
    mapping_layers=2,
    fmap_base=32,
    fmap_max=8,
    batch_size=8,
    r1_interval=2,
    path_interval=2,
)


class Model(LatentGame[Config, Pictures]):
    """The two networks and their game. Latents are N(0, I); the mapping network puts them on the hypersphere."""

    takes = (Pictures,)
    path_mean: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = StyleGenerator(
            config.maps(),
            base=config.base,
            channels=config.channels,
            latent_size=config.latent_size,
            style_size=config.style_size,
            mapping_layers=config.mapping_layers,
            mapping_lr=config.mapping_lr,
            num_classes=config.num_classes,
        )
        self.discriminator = ResidualDiscriminator(
            config.maps(),
            base=config.base,
            channels=config.channels,
            group_size=config.group_size,
            residual=config.residual,
            num_classes=config.num_classes,
        )
        self.augmentation: Augmentation = NoAugmentation()
        self.register_buffer("path_mean", torch.zeros(()))

    def memory(self) -> tuple[str, ...]:
        """The mean path length is of use to training alone."""
        return ("path_mean",)

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Generator and discriminator, each followed by its penalty on every k-th step with k times its weight."""
        config = self.config
        generator, discriminator = lazy_adam(config, config.path_interval), lazy_adam(config, config.r1_interval)
        moves = [
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                optimizer=generator,
                average=config.average_decay,
                after=self._follow_styles,
            ),
            Phase(
                name="path",
                player=self.generator,
                loss=self._path_loss,
                turn=every(config.path_interval),
                weight=config.path_interval,
                optimizer=generator,
                after=self._follow_paths,
            ),
            Phase(
                name="D",
                player=self.discriminator,
                loss=self._discriminator_loss,
                optimizer=discriminator,
                after=self.augmentation.adapt,
            ),
            Phase(
                name="R1",
                player=self.discriminator,
                loss=self._r1_loss,
                turn=every(config.r1_interval),
                weight=config.r1_interval,
                optimizer=discriminator,
            ),
        ]
        unweighted = {name for name, weight in (("path", config.path_weight), ("R1", config.r1_gamma)) if not weight}
        return [move for move in moves if move.name not in unweighted]

    def _generator_loss(self, batch: Pictures) -> Terms:
        w, styles = self._styles(batch)
        batch.keep("styles", w)
        fake = self._judged(self.generator.synthesis(styles, self._noise(batch)), batch)
        return {"non_saturating": non_saturating_generator(fake)}

    def _follow_styles(self, batch: Pictures, _terms: Terms) -> None:
        """The running mean of w goes on."""
        mean = all_ranks_mean(batch.kept["styles"])
        self.generator.style_mean.lerp_(mean.to(self.generator.style_mean.dtype), 1 - self.config.style_mean_decay)

    def _path_loss(self, batch: Pictures) -> Terms:
        """``weight (|J^T y| - a)^2`` (eq. 4) of the first pictures; a is the running mean with this step's lengths."""
        share = max(batch.size // PATH_SHARE, 1)
        styles, noise = self._styles(batch)[1][:share], [drawn[:share] for drawn in self._noise(batch)]
        images = self.generator.synthesis(styles, noise)
        lengths = path_lengths(images, styles, batch.randn(*images.shape[1:])[:share])
        batch.keep("path_lengths", lengths)
        return {"length": self.config.path_weight * (lengths - self._next_path_mean(lengths)).square().mean()}

    def _follow_paths(self, batch: Pictures, _terms: Terms) -> None:
        self.path_mean.copy_(self._next_path_mean(batch.kept["path_lengths"]))

    def _next_path_mean(self, lengths: Tensor) -> Tensor:
        mean = all_ranks_mean(lengths)
        return torch.lerp(self.path_mean.to(mean.dtype), mean, 1 - self.config.path_decay)

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        with torch.no_grad():
            fakes = self.generator.synthesis(self._styles(batch)[1], self._noise(batch))
        real, fake = self._judged(batch.images, batch), self._judged(fakes, batch)
        self.augmentation.notice(real, batch)
        return {"non_saturating": non_saturating_discriminator(real, fake)}

    def _r1_loss(self, batch: Pictures) -> Terms:
        images = watched(batch.images)
        return {"r1": self.config.r1_gamma / 2 * r1_penalty(images, self._judged(images, batch))}

    def _judged(self, images: Images, batch: Pictures) -> PerSample:
        """How real the discriminator finds pictures of a step, augmented."""
        return self.discriminator(self.augmentation(images, batch), batch.labels)

    def _styles(self, batch: Pictures) -> tuple[Tensor, Styles]:
        """The w of a batch of latents, and its styles: a share of the pictures has those of two latents, mixed."""
        z, other = self.latents_of(batch), self.latents_of(batch)
        chance, place = batch.rand(2).unbind(1)
        last = self.generator.synthesis.num_styles
        layers = torch.where(chance < self.config.mixing, 1 + (place * (last - 1)).long(), last)
        return self.generator.mixed(z, other, layers, batch.labels)

    def _noise(self, batch: Pictures) -> Noise:
        return [batch.randn(1, *size) for size in self.generator.synthesis.noise_sizes]

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1]; higher is more real."""
        return self.discriminator(images)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """Pictures of latents, in [-1, 1] nearly: there is no tanh."""
        return self.generator(z, labels)

    def decode_truncated(self, z: Latents, psi: float, labels: Labels | None = None) -> Images:
        """Pictures of latents with ``w' = mean + psi (w - mean)``: more typical and less varied, the lower psi."""
        return self.generator(z, labels, psi=psi)


def lazy_adam(config: Config, interval: int) -> Adam:
    """Adam of a player whose penalty is played every ``interval`` steps: it moves ``interval + 1`` times in them.

    Learning rate and decays are corrected so that the moments have the memory, and the weights the speed, of
    ``interval`` moves (appendix B).
    """
    ratio = interval / (interval + 1)
    return Adam(beta1=config.beta1**ratio, beta2=config.beta2**ratio, eps=config.eps, lr_factor=ratio)
