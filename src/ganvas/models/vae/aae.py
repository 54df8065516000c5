"""Adversarial autoencoder: a discriminator of codes, not a divergence, makes the codes follow a prior of any shape.

Makhzani, Shlens, Jaitly, Goodfellow, Frey: Adversarial Autoencoders (2015), https://arxiv.org/abs/1511.05644. A
variational autoencoder needs the density of its prior; here draws of it are enough. On every batch the autoencoder
descends its squared error, then discriminators tell codes from draws of the prior, then the encoder deceives them
(section 2). The prior is normal, or a mixture of ``modes`` normal distributions around a ring.

With classes it is the semi-supervised form: the encoder also gives a categorical code, which a second
discriminator makes look like draws of classes, and which labels, where they are told, name. The rest of the code is
the style. Few labels are enough (``--conditional --labelled 100``), because every step sees a batch of pictures with
labels: from a pool of those that were dealt before.

Departs from the paper:
- Networks of pictures are convolutional, and all move by Adam; the paper's are dense and move by SGD.
- The squared error is a mean over pixels.
- The discriminators see the codes of the reconstruction's pass, from before the autoencoder's move.
- Labels and reconstruction move the autoencoder in one step; the game moves the encoder in another, with moments apart.
- The proportions of the mixture are ours: its modes lie in the first two numbers of a code, petals of a flower, and the
  other numbers are normal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents
from ganvas.losses.adversarial import (
    class_cross_entropy,
    non_saturating_discriminator,
    non_saturating_generator,
)
from ganvas.losses.batches.picture_batch import HIDDEN, Pictures
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.labelled_pool import LabelledPool
from ganvas.losses.optimizers import Adam
from ganvas.networks.convolutional_autoencoder import PictureDecoder, PictureEncoder
from ganvas.networks.fully_connected import FullyConnected

RADIUS, LENGTH, THICKNESS = 1.4, 0.5, 0.1  # Of the mixture: of its ring, and a petal's deviations along and across.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game."""

    resolution: int = 32  # 4 * 2^k: how often the smallest feature maps are doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the smallest feature maps; (4, 6) becomes 32x48.
    channels: int = 3
    num_classes: int = 0  # Of the categorical code; 0 is the form without labels.
    latent_size: int = 16  # Of the style, where there are classes.
    prior: Literal["normal", "mixture"] = "normal"
    modes: int = 10  # Of the mixture.
    features: int = 32  # Feature maps of the full resolution; doubled with every halving of the size ...
    features_max: int = 256  # ... up to this.
    discriminator_width: int = 1000  # Hidden units of each of a discriminator's two layers.
    game_rate: float = 0.2  # Learning rate of encoder and discriminators in their game, times that of reconstruction.
    hidden_weight: float = (
        1.0  # Of the game about the categorical code: what pictures without a label teach of classes.
    )
    labelled_pool: int = 256  # Latest pictures with labels, from which every step takes as many as its batch has.
    batch_size: int = 64
    lr: float = 1e-3
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "modes", "features", "features_max", "discriminator_width", "batch_size")
        at_least(self, 0, "num_classes", "hidden_weight")
        above(self, 0, "game_rate", "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture  # Its making checks the size.
        if self.num_classes == 1:
            raise UserError("num_classes=1: one class tells no picture from another. Give at least 2, or 0 for none.")
        if self.prior == "mixture" and self.latent_size < 2:
            raise UserError(f"latent_size={self.latent_size}: the mixture lies around a ring. Give at least 2.")
        if self.num_classes and self.labelled_pool < self.batch_size:
            raise UserError(
                f"labelled_pool={self.labelled_pool} must hold the pictures of a batch, batch_size={self.batch_size}."
            )

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


TINY = Config(resolution=16, latent_size=4, features=4, discriminator_width=8, labelled_pool=16, batch_size=8)


class Autoencoder(nn.Module):
    """Encoder and decoder; a code is the style, then the shares of the classes where there are any."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.styles, size = config.latent_size, config.latent_size + config.num_classes
        widths = {"features": config.features, "features_max": config.features_max}
        self.encoder = PictureEncoder(config.picture, size, **widths)
        self.decoder = PictureDecoder(config.picture, size, **widths)

    def encode(self, images: Images) -> tuple[Latents, Float[Tensor, "n classes"]]:
        """The style of each picture, and the logits of its classes."""
        code = self.encoder(images)
        return code[:, : self.styles], code[:, self.styles :]

    def decode(self, style: Latents, shares: Float[Tensor, "n classes"]) -> Images:
        """The pictures of styles and of shares of classes, which add up to 1."""
        return self.decoder(torch.cat([style, shares.to(style.dtype)], 1))


class Model(Game[Config, Pictures]):
    """The autoencoder, the discriminators of its codes, and the pool of pictures with labels."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.autoencoder = Autoencoder(config)
        parts = {"style": config.latent_size} | ({"classes": config.num_classes} if config.num_classes else {})
        self.discriminators = nn.ModuleDict(
            {name: FullyConnected(size, 1, width=config.discriminator_width, depth=2) for name, size in parts.items()}
        )
        self.pool = LabelledPool(config.labelled_pool, config.picture) if config.num_classes else None

    @property
    def prior(self) -> Literal["normal", "other"]:
        """What styles are drawn from: N(0, I), or the mixture."""
        return "normal" if self.config.prior == "normal" else "other"

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Reconstruction and labels, then the discriminators of codes, then the encoder against them."""
        config = self.config
        reconstruct = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        play = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps, lr_factor=config.game_rate)
        whole, fill = self.autoencoder, self._fill_pool if self.pool is not None else None
        return [
            Phase(name="AE", player=whole, loss=self._autoencoder_loss, optimizer=reconstruct, after=fill),
            Phase(name="D", player=self.discriminators, loss=self._discriminator_loss, optimizer=play),
            Phase(name="E", player=whole.encoder, loss=self._encoder_loss, optimizer=play),
        ]

    def memory(self) -> Sequence[str]:
        """The pool of pictures with labels."""
        return () if self.pool is None else [f"pool.{name}" for name, _ in self.pool.named_buffers()]

    def _autoencoder_loss(self, batch: Pictures) -> Terms:
        """The squared error of reconstructions, and what pictures of the pool teach of their classes."""
        style, logits = self.autoencoder.encode(batch.images)
        shares = logits.softmax(1)
        batch.keep("style", style)
        batch.keep("classes", shares)
        error = (self.autoencoder.decode(style, shares) - batch.images).square()
        terms = {"squared_error": error.flatten(1).mean(1)}
        if self.pool is None:
            return terms
        images, labels = self.pool.draw(batch.rand())
        logits = self.classify(images.to(batch.images.dtype))
        told = (labels != HIDDEN).to(logits.dtype)
        return terms | {"labels": told * class_cross_entropy(logits, labels.clamp(min=0))}

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        """Each discriminator takes draws of its prior for real and codes for fakes."""
        if "style" in batch.kept:
            codes = {name: batch.kept[name] for name in ("style", "classes")}
        else:
            with torch.no_grad():
                codes = self._codes(batch.images)
        draws = self._draws(batch)
        return {
            name: non_saturating_discriminator(judge(draws[name].to(codes[name].dtype))[:, 0], judge(codes[name])[:, 0])
            for name, judge in self.discriminators.items()
        }

    def _encoder_loss(self, batch: Pictures) -> Terms:
        """The encoder deceives the discriminators."""
        codes = self._codes(batch.images)
        terms = {
            name: non_saturating_generator(judge(codes[name])[:, 0]) for name, judge in self.discriminators.items()
        }
        if "classes" in terms:
            terms["classes"] = self.config.hidden_weight * terms["classes"]
        return terms

    def _fill_pool(self, batch: Pictures, terms: Terms) -> None:
        assert self.pool is not None
        self.pool.take(batch.images, batch.classes)

    def _codes(self, images: Images) -> dict[str, Tensor]:
        style, logits = self.autoencoder.encode(images)
        return {"style": style, "classes": logits.softmax(1)}

    def _draws(self, batch: Pictures) -> dict[str, Tensor]:
        """A style from the prior and a class, for each picture of a batch."""
        config = self.config
        style = batch.randn(config.latent_size)
        if config.prior == "mixture":
            style = on_a_ring(style, batch.randint(config.modes), config.modes)
        if not config.num_classes:
            return {"style": style}
        return {"style": style, "classes": F.one_hot(batch.randint(config.num_classes), config.num_classes)}

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` styles from the prior."""
        config = self.config
        style = torch.randn(n, config.latent_size, generator=rng, device=rng.device)
        if config.prior == "normal":
            return style
        which = torch.randint(config.modes, (n,), generator=rng, device=rng.device)
        return on_a_ring(style, which, config.modes)

    def encode(self, images: Images) -> Latents:
        """The style of each picture."""
        return self.autoencoder.encode(images)[0]

    def classify(self, images: Images) -> Float[Tensor, "n classes"]:
        """The logits of classes of each picture; none where there are no classes."""
        return self.autoencoder.encode(images)[1]

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """The pictures of styles, in [-1, 1]; where classes are not told, of equal shares of all."""
        classes = self.config.num_classes
        if labels is None or not classes:
            return self.autoencoder.decode(z, z.new_full((len(z), classes), 1 / max(classes, 1)))
        return self.autoencoder.decode(z, F.one_hot(labels, classes).to(z.dtype))

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """Pictures beside their reconstructions."""
        style, logits = self.autoencoder.encode(batch.images)
        return [("originals", batch.images), ("reconstructions", self.autoencoder.decode(style, logits.softmax(1)))]


def on_a_ring(noise: Latents, which: Int[Tensor, " n"], modes: int) -> Latents:
    """N(0, I) as a mixture of ``modes`` petals around the origin of the first two numbers.

    Petal k points along the angle ``2 pi k / modes``: its middle lies at ``RADIUS``, with deviations ``LENGTH`` along
    and ``THICKNESS`` across. The other numbers stay as they are.
    """
    angle = which.to(noise.dtype) * (2 * math.pi / modes)
    along, across = RADIUS + LENGTH * noise[:, 0], THICKNESS * noise[:, 1]
    x = along * angle.cos() - across * angle.sin()
    y = along * angle.sin() + across * angle.cos()
    return torch.cat([torch.stack([x, y], 1), noise[:, 2:]], 1)
