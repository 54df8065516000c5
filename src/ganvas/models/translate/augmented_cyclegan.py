"""Augmented CycleGAN: many pictures of the second kind for each of the first, without pairs.

Almahairi, Rajeswar, Sordoni, Bachman, Courville: Augmented CycleGAN: Learning Many-to-Many Mappings from Unpaired Data
(ICML 2018), https://arxiv.org/abs/1802.10151. Where the second kind has more to say than the first (a night has stars,
its day has not), a cycle of one-to-one maps can only lose it or hide it. Here what the first kind does not tell is a
latent z of its own: a picture and z make a picture of the second kind, and an encoder finds z of a picture and its
translation. Both cycles then close without hiding, and the codes that the encoder finds must look as if drawn from
N(0, I).

Departs from the paper:
- Only the second kind has a latent, as in the authors' released code; the paper gives one to both.
- Discriminators see what the generators made in this step before they moved; gradients are not clipped.
- The sizes of networks are settings; the defaults are near the authors' for 64x64.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Latents, OtherImages
from ganvas.losses.adversarial import least_squares_discriminator, least_squares_generator
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.translation_game import TranslationGame, TranslationSettings
from ganvas.losses.optimizers import Adam
from ganvas.losses.pixel_losses import mean_error
from ganvas.networks.translation.patchgan import instance_norm, patchgan, require_scores
from ganvas.networks.translation.resnet_generator import STD, Doubling
from ganvas.nn.layers.plain_layers import Conv2d, Linear

A_TO_B, B_TO_A = "a-to-b", "b-to-a"


@dataclass(frozen=True, kw_only=True)
class Config(TranslationSettings):
    """Every setting of the networks and their game; the defaults are near the authors', for pictures of 64x64."""

    height: int = 64  # Even: the generators halve once.
    width: int = 64
    channels: int = 3  # Of the first kind of pictures (--data).
    other_channels: int = 3  # Of the second kind (--other), which has more to say.
    latent_size: int = 16
    blocks: int = 3  # Residual blocks of a generator.
    features: int = 32  # Feature maps of a generator at full size.
    discriminator_features: int = 64
    discriminator_halvings: int = 2
    cycle_weight: float = 1.0
    latent_weight: float = 0.025  # Of the cycle of latents.
    discriminator_lr: float = 0.2  # Times lr.
    batch_size: int = 32
    lr: float = 2e-4
    hold_kimg: float = 1250.0  # Of the full learning rate: the authors' 25 passes over 50,000 pictures.
    decay_kimg: float = 1250.0  # Over which it falls to 0 on a line.
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        self.check_shared()
        at_least(self, 1, "latent_size", "blocks")
        at_least(self, 0, "cycle_weight", "latent_weight")
        above(self, 0, "discriminator_lr")
        require_scores(self.discriminator_halvings, self.picture.size)

    @property
    def picture(self) -> WholeSize:
        """The size of the first kind of pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=2)


TINY = Config(
    height=8,
    width=12,
    latent_size=3,
    blocks=1,
    features=3,
    discriminator_features=4,
    discriminator_halvings=1,
    batch_size=4,
    hold_kimg=0.008,
    decay_kimg=0.016,
)


class Model(TranslationGame[Config, Domains]):
    """Two generators and an encoder, which are one player; discriminators of both kinds and of codes, the other."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B, B_TO_A)
    tile_stride = 2  # Of pictures that are gone through in tiles: the generators halve once.

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.makers = Makers(config)
        how = {"features": config.discriminator_features, "norm": instance_norm}
        self.discriminators = nn.ModuleDict(
            {
                "a": patchgan(config.discriminator_halvings, channels=config.channels, **how),
                "b": patchgan(config.discriminator_halvings, channels=config.other_channels, **how),
                "z": _judge_of_codes(config.latent_size),
            }
        )

    def phases(self) -> list[Phase[Domains]]:
        """Generators and encoder, then the discriminators on what they made in this step."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        slow = replace(adam, lr_factor=config.discriminator_lr)
        return [
            Phase(name="G", player=self.makers, loss=self._maker_loss, optimizer=adam),
            Phase(name="D", player=self.discriminators, loss=self._discriminator_loss, optimizer=slow),
        ]

    def translate(self, images: Images, direction: str) -> OtherImages:
        """Pictures of one kind as pictures of the other, in [-1, 1]; z is drawn from torch's global stream."""
        if direction == B_TO_A:
            return self.makers.back(images)
        z = torch.randn(len(images), self.config.latent_size, device=images.device).to(images.dtype)
        return self.makers.there(images, z)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """The first kind with two translations, the second with its own and the way back."""
        z = batch.randn(self.config.latent_size)
        found = self.makers.back(batch.b)
        return [
            ("a", batch.a),
            ("a to b", self.makers.there(batch.a, z)),
            ("a to another b", self.makers.there(batch.a, z.flip(0) * -1)),
            ("b", batch.b),
            ("b to a", found),
            ("b to a to b", self.makers.there(found, self.makers.encode(found, batch.b))),
        ]

    def _maker_loss(self, batch: Domains) -> Terms:
        """Adversarial and cycle losses of both ways, and those of latents (section 4)."""
        config, makers, judges = self.config, self.makers, self.discriminators
        z = batch.randn(config.latent_size)
        fake_b = batch.keep("fake_b", makers.there(batch.a, z))
        fake_a = batch.keep("fake_a", makers.back(batch.b))
        code = batch.keep("code", makers.encode(fake_a, batch.b))
        terms = {
            "adversarial_b": least_squares_generator(judges["b"](fake_b)),
            "adversarial_a": least_squares_generator(judges["a"](fake_a)),
            "adversarial_z": least_squares_generator(judges["z"](code)),
        }
        if config.cycle_weight:
            terms["cycle_a"] = config.cycle_weight * mean_error(makers.back(fake_b), batch.a)
            terms["cycle_b"] = config.cycle_weight * mean_error(makers.there(fake_a, code), batch.b)
        if config.latent_weight:
            terms["cycle_z"] = config.latent_weight * mean_error(makers.encode(batch.a, fake_b), z)
        return terms

    def _discriminator_loss(self, batch: Domains) -> Terms:
        """Pictures of each kind against translations, and draws of the prior against codes."""
        makers, judges = self.makers, self.discriminators
        drawn = batch.randn(self.config.latent_size)
        kept = batch.kept
        if "code" not in kept:  # The makers have not moved in this step.
            with torch.no_grad():
                fake_a = makers.back(batch.b)
                kept = {"fake_a": fake_a, "fake_b": makers.there(batch.a, drawn)}
                kept["code"] = makers.encode(fake_a, batch.b)
        return {
            "real_or_fake_a": least_squares_discriminator(judges["a"](batch.a), judges["a"](kept["fake_a"])),
            "real_or_fake_b": least_squares_discriminator(judges["b"](batch.b), judges["b"](kept["fake_b"])),
            "prior_or_code": least_squares_discriminator(judges["z"](drawn), judges["z"](kept["code"])),
        }


class Makers(nn.Module):
    """The player: both generators and the encoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        a, b, z = config.channels, config.other_channels, config.latent_size
        self.generator_b = ConditionalGenerator(a, b, config, latent_size=z)
        self.generator_a = ConditionalGenerator(b, a, config, latent_size=0)
        self.encoder = nn.Sequential(
            *(Conv2d(a + b, config.features, 4, stride=2, padding=1, std=STD), nn.LeakyReLU(0.2)),
            *(Conv2d(config.features, 2 * config.features, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
            *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), Linear(8 * config.features, z, std=STD)),
        )

    def there(self, a: Images, z: Latents) -> OtherImages:
        """The picture of the second kind that a picture and a latent make."""
        return self.generator_b(a, z)

    def back(self, b: OtherImages) -> Images:
        """The picture of the first kind that a picture of the second has."""
        return self.generator_a(b, None)

    def encode(self, a: Images, b: OtherImages) -> Latents:
        """The latent that tells which of the many translations of a picture this one is."""
        return self.encoder(torch.cat([a, b], 1))


class ConditionalGenerator(nn.Module):
    """A residual generator at half the size, whose instance norms are scaled and shifted as a latent says."""

    def __init__(self, channels: int, out_channels: int, config: Config, *, latent_size: int) -> None:
        super().__init__()
        wide = 2 * config.features
        self.head = nn.Sequential(nn.ReflectionPad2d(3), Conv2d(channels, config.features, 7, std=STD))
        self.head_norm = ConditionalNorm(config.features, latent_size)
        self.down = Conv2d(config.features, wide, 3, stride=2, padding=1, std=STD)
        self.down_norm = ConditionalNorm(wide, latent_size)
        self.blocks = nn.ModuleList(Conv2d(wide, wide, 3, padding=1, std=STD) for _ in range(2 * config.blocks))
        self.block_norms = nn.ModuleList(ConditionalNorm(wide, latent_size) for _ in range(2 * config.blocks))
        self.up = Doubling(wide, config.features)
        self.up_norm = ConditionalNorm(config.features, latent_size)
        self.tail = nn.Sequential(nn.ReflectionPad2d(3), Conv2d(config.features, out_channels, 7, std=STD))

    def forward(self, x: Images, z: Latents | None) -> OtherImages:
        x = self.head_norm(self.head(x), z).relu()
        x = self.down_norm(self.down(x), z).relu()
        for place in range(0, len(self.blocks), 2):
            y = self.block_norms[place](self.blocks[place](x), z).relu()
            x = x + self.block_norms[place + 1](self.blocks[place + 1](y), z)
        return self.tail(self.up_norm(self.up(x), z).relu()).tanh()


class ConditionalNorm(nn.Module):
    """Instance norm, then ``(1 + s(z)) x + t(z)``; alone without a latent."""

    def __init__(self, channels: int, latent_size: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.affine = Linear(latent_size, 2 * channels, std=STD) if latent_size else None

    def forward(self, x: Float[Tensor, "n c h w"], z: Latents | None) -> Float[Tensor, "n c h w"]:
        x = self.norm(x)
        if self.affine is None or z is None:
            return x
        scale, shift = self.affine(z)[..., None, None].chunk(2, 1)
        return (1 + scale) * x + shift


def _judge_of_codes(size: int) -> nn.Sequential:
    return nn.Sequential(
        *(Linear(size, 64), nn.LeakyReLU(0.2), Linear(64, 64), nn.LeakyReLU(0.2)),
        Linear(64, 1, std=STD),
    )
