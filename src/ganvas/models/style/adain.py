"""AdaIN: any picture in the style of any other, in one pass.

Huang, Belongie: Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization (ICCV 2017),
https://arxiv.org/abs/1703.06868. The maps of a frozen network, each with its mean and deviation exchanged for those of
a style picture, still show the content, in the style. A decoder learns to make a picture of them: one whose own maps
are the exchanged ones (content), and whose means and deviations at four depths are the style's.

It takes two kinds of pictures: contents (``--data``) and styles (``--other``). ``ganvas translate --style`` names a
style; without, it is the mean style of the collection, as it was measured before the first step.

Departs from the paper:
- The frozen network is torchvision's VGG-19, ``weights=FILE``, with zeros at its borders; the authors' was brought to
  unit activations. A classifier of ``ganvas features train`` can stand in its place (``encoder=classifier``), or random
  weights, where no file is named. The weight of style is that of the PyTorch port, whose losses are means as here.
- The learning rate is held; the code lowers it to a ninth over a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.schedule import Steady
from ganvas.core.shapes import Images, OtherImages
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.optimizers import Adam
from ganvas.losses.style import Maps, map_moments, moments_error
from ganvas.networks.adversarial.style_stages import StyleStages, mirrored_decoder
from ganvas.networks.adversarial.style_stages_config import MULTIPLE, StyleStagesConfig
from ganvas.nn.norms.adaptive_instance_norm import AdaptiveInstanceNorm2d

A_TO_B = "a-to-b"


@dataclass(frozen=True, kw_only=True)
class Config(StyleStagesConfig):
    """Every setting of the networks and their training; the defaults are the authors', for crops of 256x256."""

    style_weight: float = 10.0
    batch_size: int = 8
    lr: float = 1e-4


TINY = Config(height=16, width=24, features=6, batch_size=4)


class Model(Game[Config, Domains]):
    """One player, the decoder; the encoder stands still."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B,)
    tile_stride = MULTIPLE

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = StyleStages(config.encoder, config.features)
        self.exchange = AdaptiveInstanceNorm2d(self.encoder.widths[-1])
        self.decoder = mirrored_decoder(config.encoder, config.features, config.channels)
        neutral = torch.tensor([1.0, 0.0]).repeat_interleave(self.encoder.widths[-1])
        self.register_buffer("collection", neutral)  # Deviations and means of the mean style.

    def schedule(self) -> Steady:
        """A constant rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Domains]]:
        """One move."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        return [Phase(name="N", player=self.decoder, loss=self._loss, optimizer=adam)]

    def take_weights(self) -> None:
        """Those of the frozen network."""
        self.encoder.take(self.config.weights, model="style/adain")

    @torch.no_grad()
    def calibrate(self, batch: Domains) -> None:
        """Takes the weights of the frozen network, and measures the mean style of the collection through it."""
        self.take_weights()
        styles = [self.style_of(part, A_TO_B) for part in batch.b.split(self.config.batch_size)]
        self.get_buffer("collection").copy_(torch.cat(styles).mean(0))

    def translate(self, images: Images, direction: str) -> OtherImages:
        """Pictures in the mean style of the collection, in [-1, 1]."""
        return self.styled(images, self.get_buffer("collection").expand(len(images), -1), direction)

    def style_of(self, images: OtherImages, direction: str) -> Float[Tensor, "n s"]:
        """Deviation and mean of each of the last maps."""
        mean, deviation = map_moments(self.encoder.seen(images)[-1])
        return torch.cat([deviation, mean], 1)

    def styled(self, images: Images, style: Float[Tensor, "n s"], direction: str) -> OtherImages:
        """Pictures in styles that are given, in [-1, 1]."""
        return self.decoder(self._exchanged(images, style)).clamp(-1, 1)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """Contents, styles, each content in the style below it, and all in the mean style."""
        made = self.styled(batch.a, self.style_of(batch.b, A_TO_B), A_TO_B)
        return [("contents", batch.a), ("styles", batch.b), ("made", made), ("mean", self.translate(batch.a, A_TO_B))]

    def _exchanged(self, images: Images, style: Float[Tensor, "n s"]) -> Maps:
        """The last maps of pictures, with means and deviations of the styles (eq. 8)."""
        scale, shift = style.to(images.dtype).chunk(2, 1)
        return self.exchange(self.encoder.seen(images)[-1], scale, shift)

    def _loss(self, batch: Domains) -> Terms:
        """The errors of the exchanged maps, and of means and deviations at every depth (eq. 11 to 13)."""
        config = self.config
        styles = self.encoder.seen(batch.b)
        mean, deviation = map_moments(styles[-1])
        target = self._exchanged(batch.a, torch.cat([deviation, mean], 1))
        seen = self.encoder.seen(self.decoder(target))
        apart = torch.stack([moments_error(x, y) for x, y in zip(seen, styles, strict=True)]).sum(0)
        return {
            "content": config.content_weight * (seen[-1] - target).square().flatten(1).mean(1),
            "style": config.style_weight * apart,
        }
