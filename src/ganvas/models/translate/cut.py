"""CUT: unpaired translation one way, by contrast between patches in place of a way back.

Park, Efros, Zhang, Zhu: Contrastive Learning for Unpaired Image-to-Image Translation (ECCV 2020),
https://arxiv.org/abs/2007.15651. A cycle demands that the translation tells everything that was in the picture, also
what it should lose. CUT demands less: that each patch of the translation has more in common with the patch at its place
than with other patches of the same picture. Features for the comparison come from the generator's own first half,
through small networks that learn with it. One generator, one discriminator, half the cost of CycleGAN.

The same is asked of pictures of the second kind, which the generator should leave as they are (``identity``).

Departs from the paper:
- The generator halves and doubles by strided convolutions, as CycleGAN's; the authors' code blurs.
- Places are drawn for each picture on its own, in the authors' code for a whole batch.
- The generator moves first, so that one translation serves both moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, OtherImages, PerSample
from ganvas.losses.adversarial import least_squares_discriminator, least_squares_generator
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.translation_game import TranslationGame, TranslationSettings
from ganvas.losses.optimizers import Adam
from ganvas.losses.patch_contrast import features_at, patch_contrast
from ganvas.networks.translation.patchgan import instance_norm, patchgan, require_scores
from ganvas.networks.translation.resnet_generator import generator
from ganvas.nn.layers.plain_layers import Linear

A_TO_B = "a-to-b"
FIRST_BLOCK = 10  # Place of the first residual block among the generator's layers.


@dataclass(frozen=True, kw_only=True)
class Config(TranslationSettings):
    """Every setting of the networks and their game; the defaults are the paper's, for pictures of 256x256."""

    height: int = 256  # A multiple of 4: the generator halves twice.
    width: int = 256
    channels: int = 3  # Of the first kind of pictures (--data).
    other_channels: int = 3  # Of the second kind (--other).
    blocks: int = 9  # Residual blocks of the generator.
    features: int = 64  # Its feature maps at full size.
    discriminator_features: int = 64
    discriminator_halvings: int = 3  # A score sees 16, 34, 70, 142 or 286 pixels with 1 to 5.
    patches: int = 256  # Places that are compared, of each layer.
    projection: int = 256  # Numbers by which two places are compared.
    temperature: float = 0.07
    contrast_weight: float = 1.0  # lambda; 10 in the fast form, without identity.
    identity: bool = True  # Also asked of pictures of the second kind.
    batch_size: int = 1
    lr: float = 2e-4
    hold_kimg: float = 266.8  # Of the full learning rate: 200 passes over the zebras of horse2zebra.
    decay_kimg: float = 266.8  # Over which it falls to 0 on a line.
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        self.check_shared()
        at_least(self, 1, "blocks", "projection")
        at_least(self, 2, "patches")
        at_least(self, 0, "contrast_weight")
        above(self, 0, "temperature")
        require_scores(self.discriminator_halvings, self.picture.size)
        if self.channels != self.other_channels:
            raise UserError(
                f"channels={self.channels} and other_channels={self.other_channels}: the generator looks at both kinds "
                "of pictures. Give both the same number, such as --set channels=3 --set other_channels=3."
            )

    @property
    def picture(self) -> WholeSize:
        """The size of the first kind of pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=4)

    @property
    def taps(self) -> tuple[int, ...]:
        """Layers of the generator whose inputs' places are compared: pixels, both halvings, two residual blocks."""
        return (0, 5, 8, FIRST_BLOCK + 1, FIRST_BLOCK + 1 + self.blocks // 2)


TINY = Config(
    height=16,
    width=16,
    blocks=2,
    features=3,
    discriminator_features=4,
    discriminator_halvings=1,
    patches=6,
    projection=5,
    batch_size=4,
    hold_kimg=0.008,
    decay_kimg=0.016,
)


class Model(TranslationGame[Config, Domains]):
    """A generator with the networks that its patches are compared by, and a discriminator."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B,)
    tile_stride = 4  # Of pictures that are gone through in tiles: the generator halves twice.

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        features = config.features
        widths = [config.channels, 2 * features, 4 * features, 4 * features, 4 * features]
        self.translator = Translator(
            generator(config.blocks, features=features, channels=config.channels, out_channels=config.other_channels),
            [Projection(width, config.projection) for width in widths],
        )
        self.discriminator = patchgan(
            config.discriminator_halvings,
            channels=config.other_channels,
            features=config.discriminator_features,
            norm=instance_norm,
        )

    def phases(self) -> list[Phase[Domains]]:
        """The generator and the projections, then the discriminator on the translations of this step."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        return [
            Phase(name="G", player=self.translator, loss=self._generator_loss, optimizer=adam),
            Phase(name="D", player=self.discriminator, loss=self._discriminator_loss, optimizer=adam),
        ]

    def translate(self, images: Images, direction: str = A_TO_B) -> OtherImages:
        """Pictures of the first kind as pictures of the second, in [-1, 1]."""
        return self.translator.generator(images)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """Pictures of the first kind, their translations, and what becomes of the second kind."""
        return [
            ("a", batch.a),
            ("a to b", self.translate(batch.a)),
            ("b", batch.b),
            ("b as b", self.translate(batch.b)),
        ]

    def _generator_loss(self, batch: Domains) -> Terms:
        """``(D(G(a)) - 1)^2 + lambda contrast(a, G(a))``, and of the second kind likewise (eq. 5)."""
        config = self.config
        fake = batch.keep("fake", self.translate(batch.a))
        terms = {"adversarial": least_squares_generator(self.discriminator(fake))}
        share = 0.5 if config.identity else 1.0
        if config.contrast_weight:
            terms["contrast"] = share * config.contrast_weight * self._contrast(batch.a, fake, batch)
            if config.identity:
                same = self.translate(batch.b)
                terms["identity"] = share * config.contrast_weight * self._contrast(batch.b, same, batch)
        return terms

    def _discriminator_loss(self, batch: Domains) -> Terms:
        """Pictures of the second kind against translations."""
        fake = batch.kept.get("fake")
        if fake is None:  # The generator has not moved in this step.
            with torch.no_grad():
                fake = self.translate(batch.a)
        return {"real_or_fake": least_squares_discriminator(self.discriminator(batch.b), self.discriminator(fake))}

    def _contrast(self, given: Images, made: Images, batch: Domains) -> PerSample:
        """The mean over layers of what patches of ``made`` cost as those of ``given``."""
        total = torch.zeros(len(given), device=given.device)
        pairs = zip(self._tapped(made), self._tapped(given), self.translator.projections, strict=True)
        for of_made, of_given, projection in pairs:
            spots = of_made.shape[2] * of_made.shape[3]
            places = batch.rand(spots).argsort(1)[:, : self.config.patches]
            queries, keys = (projection(features_at(maps, places)) for maps in (of_made, of_given))
            total = total + patch_contrast(queries, keys, temperature=self.config.temperature)
        return total / len(self.config.taps)

    def _tapped(self, images: Images) -> list[Tensor]:
        """What goes into the tapped layers of the generator."""
        found, x = [], images
        for place, layer in enumerate(self.translator.generator):
            if place in self.config.taps:
                found.append(x)
            if place == self.config.taps[-1]:
                break
            x = layer(x)
        return found


class Translator(nn.Module):
    """The player: the generator and the networks that its patches are compared by."""

    def __init__(self, generator: nn.Sequential, projections: Sequence["Projection"]) -> None:
        super().__init__()
        self.generator, self.projections = generator, nn.ModuleList(projections)


class Projection(nn.Module):
    """Two linear maps with a ReLU between, and unit length (section 3)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first, self.second = Linear(channels, width, std=0.02), Linear(width, width, std=0.02)

    def forward(self, x: Float[Tensor, "n s c"]) -> Float[Tensor, "n s d"]:
        return F.normalize(self.second(self.first(x.flatten(0, 1)).relu()), dim=1).unflatten(0, x.shape[:2])
