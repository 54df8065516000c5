"""CycleGAN: two kinds of pictures are translated into each other, learnt without a single pair.

Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (ICCV 2017),
https://arxiv.org/abs/1703.10593. A discriminator alone lets a generator turn every day into one and the same convincing
night. Two generators, one for each way, must also bring every picture back: what the translation has to keep is what
the way back needs.

Both generators move together, on one forward pass whose translations the discriminators see too; both discriminators
move after them. The discriminators also see translations of earlier steps, from a pool of 50 (section 4).

Departs from the paper:
- The pool is looked up as it stood before the step; with more than one picture a step, pictures of one step never meet
  in it (with one picture, as in the paper, it is the authors' pool).
- Pictures are cropped from ``crop_margin`` larger ones, in place of a resize to 286 and a crop of 256.
- The sizes of generators and discriminators are settings; the paper's are the defaults.
- The identity loss, which the paper has for paintings alone (section 5.2), is on by default, as in the authors' code.
- The norm is the paper's (section 7.2), or with ``norm="batch"`` the other of the authors' code: over all pictures of a
  step in training, over each picture alone in use, as their batch is one picture.
- ``cycle_noise`` adds noise to a translation before its way back, so that nothing can be hidden in it (Bashkirova,
  Usman, Saenko: Adversarial Self-Defense for Cycle-Consistent GANs, NeurIPS 2019, https://arxiv.org/abs/1908.01517).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ganvas.core.checks import above, at_least
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, OtherImages
from ganvas.losses.adversarial import least_squares_discriminator, least_squares_generator
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.translation_game import TranslationGame, TranslationSettings
from ganvas.losses.optimizers import Adam
from ganvas.losses.pixel_losses import mean_error
from ganvas.networks.translation.patchgan import instance_norm, patchgan, require_scores
from ganvas.networks.translation.resnet_generator import generator
from ganvas.nn.layers.across_ranks import all_ranks_rows
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.picture_norm import PictureNorm2d

A_TO_B, B_TO_A = "a-to-b", "b-to-a"
LEVEL = 2 / 255  # Of pictures in [-1, 1].
REPLACED = 0.5  # How often a full pool's picture is shown, and replaced, in place of a new one.


@dataclass(frozen=True, kw_only=True)
class Config(TranslationSettings):
    """Every setting of the four networks and their game; the defaults are the paper's, for pictures of 256x256."""

    height: int = 256  # A multiple of 4: the generators halve twice.
    width: int = 256
    channels: int = 3  # Of the first kind of pictures (--data).
    other_channels: int = 3  # Of the second kind (--other).
    blocks: int = 9  # Residual blocks of a generator; the paper has 6 for pictures of 128x128.
    features: int = 64  # Feature maps of a generator at full size.
    norm: Literal["instance", "batch"] = "instance"  # Of all four networks.
    discriminator_features: int = 64  # Feature maps of a discriminator's first layer.
    discriminator_halvings: int = 3  # A score sees 16, 34, 70, 142 or 286 pixels with 1 to 5.
    cycle_weight: float = 10.0  # lambda
    identity_weight: float = 0.5  # Times lambda: a generator given what it is to make leaves it as it is.
    cycle_noise: float = 0.0  # Deviation, in levels of 255, of noise on translations before their way back.
    pool_size: int = 50  # Earlier translations that a discriminator is also shown; 0 shows none.
    batch_size: int = 1
    lr: float = 2e-4
    hold_kimg: float = 133.4  # Of the full learning rate: the paper's 100 passes over the larger kind of horse2zebra.
    decay_kimg: float = 133.4  # Over which it falls to 0 on a line.
    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        self.check_shared()
        at_least(self, 1, "blocks")
        at_least(self, 0, "cycle_weight", "identity_weight", "cycle_noise", "pool_size")
        above(self, 0, "eps")
        require_scores(self.discriminator_halvings, self.picture.size)
        if self.identity_weight and self.channels != self.other_channels:
            raise UserError(
                f"identity_weight={self.identity_weight}: a picture of {self.channels} channels cannot equal its "
                f"translation of {self.other_channels}. Give both the same number, such as --set channels=3 --set "
                "other_channels=3, or give identity_weight=0."
            )

    @property
    def picture(self) -> WholeSize:
        """The size of the first kind of pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=4)


TINY = Config(
    height=16,
    width=16,
    blocks=1,
    features=4,
    discriminator_features=4,
    discriminator_halvings=1,
    pool_size=3,
    batch_size=4,
    hold_kimg=0.008,
    decay_kimg=0.016,
)


class Model(TranslationGame[Config, Domains]):
    """Two generators, which are one player, two discriminators, which are another, and two pools of translations."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B, B_TO_A)
    tile_stride = 4  # Of pictures that are gone through in tiles: the generators halve twice.

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.generators = nn.ModuleDict(
            {
                A_TO_B: _generator(config, config.channels, config.other_channels),
                B_TO_A: _generator(config, config.other_channels, config.channels),
            }
        )
        self.discriminators = nn.ModuleDict(
            {"a": _discriminator(config, config.channels), "b": _discriminator(config, config.other_channels)}
        )
        for kind, picture in (("a", config.picture), ("b", config.other_picture)):
            self.register_buffer(f"pool_{kind}", torch.zeros(config.pool_size, picture.channels, *picture.size))
            self.register_buffer(f"pooled_{kind}", torch.zeros((), dtype=torch.int64))

    def phases(self) -> list[Phase[Domains]]:
        """Generators, then discriminators, on the generators' translations of this step and of earlier ones."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)
        return [
            Phase(name="G", player=self.generators, loss=self._generator_loss, optimizer=adam),
            Phase(
                name="D",
                player=self.discriminators,
                loss=self._discriminator_loss,
                optimizer=adam,
                after=self._fill_pools,
            ),
        ]

    def memory(self) -> Sequence[str]:
        """The pools: saved to resume from, and no part of the published model."""
        return ("pool_a", "pooled_a", "pool_b", "pooled_b")

    def translate(self, images: Images, direction: str) -> OtherImages:
        """Pictures of one kind as pictures of the other, in [-1, 1]."""
        return self.generators[direction](images)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """Each kind, its translation, and the way back."""
        fake_b, fake_a = self.translate(batch.a, A_TO_B), self.translate(batch.b, B_TO_A)
        return [
            ("a", batch.a),
            ("a to b", fake_b),
            ("a to b to a", self.translate(fake_b, B_TO_A)),
            ("b", batch.b),
            ("b to a", fake_a),
            ("b to a to b", self.translate(fake_a, A_TO_B)),
        ]

    def _generator_loss(self, batch: Domains) -> Terms:
        """Adversarial, cycle and identity losses of both ways (eq. 3, eq. 2, section 5.2)."""
        config = self.config
        made_b, same_b = self._with_identity(batch.a, batch.b, A_TO_B)
        made_a, same_a = self._with_identity(batch.b, batch.a, B_TO_A)
        fake_b, fake_a = batch.keep("fake_b", made_b), batch.keep("fake_a", made_a)
        terms = {
            "adversarial_ab": least_squares_generator(self.discriminators["b"](fake_b)),
            "adversarial_ba": least_squares_generator(self.discriminators["a"](fake_a)),
        }
        if config.cycle_weight:
            shown_b, shown_a = self._disturbed(batch, fake_b), self._disturbed(batch, fake_a)
            terms["cycle_a"] = config.cycle_weight * mean_error(self.translate(shown_b, B_TO_A), batch.a)
            terms["cycle_b"] = config.cycle_weight * mean_error(self.translate(shown_a, A_TO_B), batch.b)
        if same_a is not None and same_b is not None:
            weight = config.cycle_weight * config.identity_weight
            terms["identity_a"] = weight * mean_error(same_a, batch.a)
            terms["identity_b"] = weight * mean_error(same_b, batch.b)
        return terms

    def _with_identity(
        self, images: Images, right: OtherImages, direction: str
    ) -> tuple[OtherImages, OtherImages | None]:
        """Translations, and what becomes of pictures that are right already."""
        if not self.config.identity_weight:
            return self.translate(images, direction), None
        return self._both(self.generators[direction], images, right)

    def _both(self, network: nn.Module, one: Images, other: Images) -> tuple[Tensor, Tensor]:
        """A network on two batches: in one pass where every picture has its own norms, as it is quicker than two."""
        if self.config.norm == "batch":
            return network(one), network(other)
        first, second = network(torch.cat([one, other])).chunk(2)
        return first, second

    def _disturbed(self, batch: Domains, fakes: Images) -> Images:
        """Translations as the way back sees them."""
        if not self.config.cycle_noise:
            return fakes
        return fakes + self.config.cycle_noise * LEVEL * batch.randn(*fakes.shape[1:]).to(fakes.dtype)

    def _discriminator_loss(self, batch: Domains) -> Terms:
        """Each discriminator tells its kind from translations, of this step or from its pool."""
        fake_a, fake_b = self._translations(batch)
        coins = batch.whole_rand(4)
        shown_a = self._from_pool("a", fake_a, coins[:, :2], batch)
        shown_b = self._from_pool("b", fake_b, coins[:, 2:], batch)
        terms = {}
        for kind, real, shown in (("a", batch.a, shown_a), ("b", batch.b, shown_b)):
            scores = self._both(self.discriminators[kind], real, shown.to(real.dtype))
            terms[f"real_or_fake_{kind}"] = least_squares_discriminator(*scores)
        return terms

    def _fill_pools(self, batch: Domains, terms: Terms) -> None:
        """The translations of this step, of all ranks, go into the pools where the loss's coins say so."""
        coins = batch.whole_rand(4)
        for kind, fakes, own in zip("ab", self._translations(batch), (coins[:, :2], coins[:, 2:]), strict=True):
            self._fill_pool(kind, all_ranks_rows(fakes), own)

    def _translations(self, batch: Domains) -> tuple[Images, OtherImages]:
        """What the generators made in this step; made now where they have not moved in it."""
        if "fake_a" in batch.kept:
            return batch.kept["fake_a"], batch.kept["fake_b"]
        with torch.no_grad():
            return self.translate(batch.b, B_TO_A), self.translate(batch.a, A_TO_B)

    def _from_pool(self, kind: str, fakes: Images, coins: Tensor, batch: Domains) -> Images:
        """Each translation, or an earlier one in its place."""
        if not self.config.pool_size:
            return fakes
        slots, _, replacing = self._slots(kind, coins)
        slots, replacing = batch.ranks.share(slots), batch.ranks.share(replacing)
        pool = self.get_buffer(f"pool_{kind}").to(fakes.dtype)
        return torch.where(replacing.view(-1, 1, 1, 1), pool[slots], fakes)

    def _fill_pool(self, kind: str, fakes: Images, coins: Tensor) -> None:
        if not self.config.pool_size:
            return
        slots, filling, replacing = self._slots(kind, coins)
        pool, pooled = self.get_buffer(f"pool_{kind}"), self.get_buffer(f"pooled_{kind}")
        written = filling | replacing
        for row in range(len(fakes)):  # One after the other: two may choose one place.
            slot = slots[row : row + 1]
            pool.index_copy_(0, slot, torch.where(written[row], fakes[row : row + 1].to(pool.dtype), pool[slot]))
        pooled += filling.sum()

    def _slots(self, kind: str, coins: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For each row of the whole batch its place in the pool, whether it fills an empty one, and whether it is
        exchanged for what was there before the step."""
        size, pooled = self.config.pool_size, self.get_buffer(f"pooled_{kind}")
        position = pooled + torch.arange(len(coins), device=coins.device)
        filling = position < size
        slots = torch.where(filling, position, (coins[:, 1] * size).long().clamp(max=size - 1))
        return slots, filling, ~filling & (coins[:, 0] < REPLACED) & (slots < pooled)


def _generator(config: Config, channels: int, out_channels: int) -> nn.Module:
    return generator(
        config.blocks,
        features=config.features,
        channels=channels,
        out_channels=out_channels,
        norm=PictureNorm2d if config.norm == "batch" else instance_norm,
    )


def _discriminator(config: Config, channels: int) -> nn.Module:
    return patchgan(
        config.discriminator_halvings,
        channels=channels,
        features=config.discriminator_features,
        norm=BatchNorm2d if config.norm == "batch" else instance_norm,
    )
