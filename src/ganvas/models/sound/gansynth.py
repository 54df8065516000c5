"""GANSynth: notes of given pitch from a generator that grows, as pictures of magnitude and instantaneous frequency.

Engel, Agrawal, Chen, Gulrajani, Donahue, Roberts: GANSynth: Adversarial Neural Audio Synthesis (ICLR 2019),
https://arxiv.org/abs/1902.08710, with the settings of the authors' code (https://github.com/magenta/magenta,
models/gansynth). The networks and the game are those of progressive growing (gan/progan), with the pitch as class, on
pictures in which a steady tone is a flat stripe: its phase follows from its frequency, and nothing looks for it. 65,536
samples are 128 frames of 1,024 bins.

Departs from the code:
- Frequencies are spaced evenly ("IF + H" in the paper's table 1), where its best model spaces them on the mel scale.
- Networks see magnitudes and frequencies in [-1, 1], and the penalty is taken and pictures are faded there; theirs
  bring them to that range within the discriminator.
- Generated sounds of a step have the pitches of its real ones, where theirs are drawn by their counts.
- One fade leads from each resolution to the next, where the code sums all of them by weights that are mostly 0.
"""

from dataclasses import dataclass, replace

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.sample_sizes.sound_size import SoundSize, require_doubled
from ganvas.core.schedule import Growth, Stage
from ganvas.core.shapes import Images, Labels, Latents, PerSample, Waves
from ganvas.losses.adversarial import class_cross_entropy, wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import drift, gradient_penalty
from ganvas.networks.adversarial.progressive_networks import (
    FIRST,
    ProgressiveDiscriminator,
    ProgressiveGenerator,
    ProgressiveSettings,
    grown,
)
from ganvas.nn.layers.resample import enlarge, halve, staged
from ganvas.nn.sound.frequency_spectrogram import FrequencySpectrogram

FIRST_FRAMES = 2  # Of the first resolution.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks, their growth and their game; the defaults are the authors', without pitches."""

    rate: int = 16000  # Samples per second. Taken from the data, up to this.
    length: int = 65536  # Samples of a sound, 2^k from 64 on. Taken from the data, up to this.
    normalise: bool = True  # Every recording is scaled to a peak of 1.
    num_classes: int = 0  # Above 0: labels (pitches) steer the generator, and the discriminator also classifies.
    latent_size: int = 256
    fmap_base: int = 4096  # Feature maps of a stage: min(fmap_base / 2^stage, fmap_max).
    fmap_max: int = 256
    train_kimg: float = 800
    fade_kimg: float = 800
    batch_size: int = 8
    lr: float = 8e-4
    penalty_weight: float = 10.0
    drift_weight: float = 0.001  # On reals only.
    class_weight: float = 10.0
    beta1: float = 0.0
    beta2: float = 0.99
    average_decay: float = 0.999  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "fmap_base", "fmap_max", "batch_size")
        at_least(self, 0, "num_classes", "penalty_weight", "drift_weight", "class_weight")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        require_doubled(self.length)
        assert self.sound  # Its making checks the rate.
        self.growth()

    @property
    def sound(self) -> SoundSize:
        """The rate and length of the sounds."""
        return SoundSize(rate=self.rate, length=self.length, normalise=self.normalise)

    @property
    def bins(self) -> int:
        """Of a spectrum: eight times as many as frames, or four times."""
        return 1 << ((16 * self.length).bit_length() - 1) // 2

    @property
    def seen(self) -> tuple[int, int]:
        """Frames and bins."""
        return 2 * self.length // self.bins, self.bins

    @property
    def networks(self) -> ProgressiveSettings:
        """What is said of the two networks."""
        frames, bins = self.seen
        doubled = frames // FIRST_FRAMES
        return ProgressiveSettings(
            picture=DoubledSize(resolution=FIRST * doubled, base=(FIRST_FRAMES, bins // doubled), channels=2),
            num_classes=self.num_classes,
            latent_size=self.latent_size,
            fmap_base=self.fmap_base,
            fmap_max=self.fmap_max,
            group_size=None,
            tanh=True,
        )

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a growth that is fitted to the run."""
        fitting = self.growth().fitted(total_kimg)
        return replace(self, train_kimg=fitting.train_kimg, fade_kimg=fitting.fade_kimg)

    def growth(self) -> Growth:
        """The run's clock."""
        return Growth(
            first=FIRST,
            last=self.networks.picture.resolution,
            train_kimg=self.train_kimg,
            fade_kimg=self.fade_kimg,
            batch_size=self.batch_size,
            lr=self.lr,
        )


TINY = Config(rate=8000, length=64, latent_size=8, fmap_base=64, fmap_max=8, train_kimg=0.016, fade_kimg=0.032)


class Model(LatentGame[Config, Sounds]):
    """The transform, the two networks, their game and their growth."""

    takes = (Sounds,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.spectrogram = FrequencySpectrogram(config.bins)
        self.generator = ProgressiveGenerator(config.networks)
        self.discriminator = ProgressiveDiscriminator(config.networks)

    def schedule(self) -> Growth:
        """Stage, fade, batch size and learning rate as a function of the sounds shown."""
        return self.config.growth()

    def phases(self) -> list[Phase[Sounds]]:
        """Critic, then generator."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        return [
            Phase(name="D", player=self.discriminator, loss=self._discriminator_loss, optimizer=adam),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                optimizer=adam,
                average=config.average_decay,
            ),
        ]

    def inside(self, batch: Sounds) -> Images:
        """The sounds of a batch as the networks see them at its stage."""
        return staged(self.spectrogram(batch.waves), shrink=batch.shrink, fade=batch.fade)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Waves:
        """The sounds of latents; at an early stage those of its pictures, enlarged."""
        resolution, fade = grown(stage, z.device)
        pictures = self.generator(z, labels, resolution=resolution, fade=fade)
        whole = enlarge(pictures, self.config.seen[0] // pictures.shape[2])
        return self.spectrogram.inverse(whole).clamp(-1, 1)

    def judge(self, images: Waves, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds sounds, at the stage it has grown to; higher is more real."""
        resolution, fade = grown(stage, images.device)
        pictures = self.spectrogram(images)
        while resolution is not None and FIRST * pictures.shape[2] > resolution * FIRST_FRAMES:
            pictures = halve(pictures)
        return self.discriminator(pictures, fade=fade)[0]

    def _fakes(self, batch: Sounds) -> Images:
        resolution = self.config.networks.picture.resolution // batch.shrink
        return self.generator(self.latents_of(batch), batch.labels, resolution=resolution, fade=batch.fade)

    def _discriminator_loss(self, batch: Sounds) -> Terms:
        """WGAN-GP with drift, and the classes of real and of generated sounds."""
        config = self.config
        with torch.no_grad():
            reals, fakes = self.inside(batch), self._fakes(batch)
        real, real_classes = self.discriminator(reals, fade=batch.fade)
        fake, fake_classes = self.discriminator(fakes, fade=batch.fade)
        terms = {"wasserstein": wasserstein_discriminator(real, fake)}
        terms["gradient_penalty"] = gradient_penalty(
            lambda pictures: self.discriminator(pictures, fade=batch.fade)[0],
            reals,
            fakes,
            batch.rand(),
            weight=config.penalty_weight,
        )
        terms["drift"] = drift(real, weight=config.drift_weight)
        if config.num_classes:
            terms["real_class"] = config.class_weight * class_cross_entropy(real_classes, batch.classes)
            terms["fake_class"] = config.class_weight * class_cross_entropy(fake_classes, batch.classes)
        return terms

    def _generator_loss(self, batch: Sounds) -> Terms:
        fake, fake_classes = self.discriminator(self._fakes(batch), fade=batch.fade)
        terms = {"wasserstein": wasserstein_generator(fake)}
        if self.config.num_classes:
            terms["fake_class"] = self.config.class_weight * class_cross_entropy(fake_classes, batch.classes)
        return terms
