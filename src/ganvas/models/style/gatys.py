"""Neural style: a picture itself is optimised until it shows one picture's content in another one's style.

Gatys, Ecker, Bethge: Image Style Transfer Using Convolutional Neural Networks (CVPR 2016),
https://doi.org/10.1109/CVPR.2016.265 (preprint https://arxiv.org/abs/1508.06576). Content is the maps of one deep layer
of a frozen network (``relu4_2`` of VGG-19), style the Gram matrices of five (``relu1_1`` to ``relu5_1``): which maps
are seen together, wherever. No network learns, so every picture takes minutes; what it makes is what faster models of
style are compared with.

The player is one picture, of the run's size. Of one content (``--data``) and one style (``--other``) it is the paper's;
of several it comes near to the mean of what they show. ``ganvas translate`` optimises each picture that it is given
anew, for the style of ``--style`` or the mean one of the collection, as it was measured before the first step.

Departs from the paper:
- The frozen network is torchvision's VGG-19, ``weights=FILE``, with its maxima; the paper's takes means over 2 x 2 and
  was brought to unit activations. A classifier of ``ganvas features train`` can stand in its place
  (``encoder=classifier``; its last stage is the content, all four are the style), or random weights, where no file is
  named.
- Losses are means and not sums, with weights that fit them and these activations; layers of style weigh alike.
- A picture starts as its content and not as noise. The player moves by Adam; a translation by L-BFGS as in the paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import at_least
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady
from ganvas.core.shapes import Images, OtherImages
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.optimizers import Adam
from ganvas.losses.style import Maps, gram_matrix
from ganvas.networks.adversarial.style_stages import STAGES, StyleStages
from ganvas.networks.adversarial.style_stages_config import StyleStagesConfig
from ganvas.nn.layers.initialise import filled, normal_, unset

A_TO_B = "a-to-b"
Grams = Float[Tensor, "n s"]  # Those of every layer of style, one after the other.


@dataclass(frozen=True, kw_only=True)
class Config(StyleStagesConfig):
    """Every setting of the network and of the optimisation."""

    style_weight: float = 1e6
    steps: int = 300  # Of L-BFGS, for each picture of a translation.
    batch_size: int = 1
    lr: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "steps")


TINY = Config(height=16, width=24, features=4, batch_size=4, steps=2)


class OptimisedPicture(nn.Module):
    """The picture whose pixels are moved."""

    def __init__(self, picture: WholeSize) -> None:
        super().__init__()
        self.picture = unset(1, picture.channels, *picture.size)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.picture, generator, std=0.1)


class Model(Game[Config, Domains]):
    """One player, the picture; the network that it is seen through stands still."""

    takes = (Domains,)
    directions: Sequence[str] = (A_TO_B,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = StyleStages(config.encoder, config.features, deeper=True)
        self.canvas = OptimisedPicture(config.picture)
        widths = self.encoder.widths
        self.lengths = [width**2 for width in (*widths[:STAGES], *widths[STAGES + 1 :])]
        self.register_buffer("collection", torch.zeros(sum(self.lengths)))  # Gram matrices of the mean style.

    def schedule(self) -> Steady:
        """A constant rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Domains]]:
        """One move."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        return [Phase(name="N", player=self.canvas, loss=self._loss, optimizer=adam)]

    def take_weights(self) -> None:
        """Those of the frozen network."""
        self.encoder.take(self.config.weights, model="style/gatys")

    @torch.no_grad()
    def calibrate(self, batch: Domains) -> None:
        """Takes the weights of the frozen network, measures the mean style, and starts at the mean content."""
        self.take_weights()
        styles = [self.style_of(part, A_TO_B) for part in batch.b.split(self.config.batch_size)]
        self.get_buffer("collection").copy_(torch.cat(styles).mean(0))
        self.canvas.picture.copy_(batch.a.mean(0, keepdim=True))

    def translate(self, images: Images, direction: str) -> OtherImages:
        """Pictures in the mean style of the collection, in [-1, 1]; each is optimised by itself."""
        return self.styled(images, self.get_buffer("collection").expand(len(images), -1), direction)

    def style_of(self, images: OtherImages, direction: str) -> Grams:
        """The Gram matrices of all layers of style."""
        return self._seen(images)[1]

    def styled(self, images: Images, style: Grams, direction: str) -> OtherImages:
        """Pictures in styles that are given, in [-1, 1]; each is optimised by itself."""
        pairs = zip(images.split(1), style.split(1), strict=True)
        return torch.cat([self._painted(image, own) for image, own in pairs]).clamp(-1, 1)

    def show(self, batch: Domains) -> list[tuple[str, Images]]:
        """Contents, styles, and the picture that is painted."""
        painted = self.canvas.picture.clamp(-1, 1).expand_as(batch.a)
        return [("contents", batch.a), ("styles", batch.b), ("painted", painted)]

    def _seen(self, images: Images) -> tuple[Maps, Grams]:
        """The maps that are the content of pictures, and the Gram matrices that are their style."""
        maps = self.encoder.seen(images)
        styles = [gram_matrix(part).flatten(1) for part in (*maps[:STAGES], *maps[STAGES + 1 :])]
        return maps[min(STAGES, len(maps) - 1)], torch.cat(styles, 1)

    def _errors(self, images: Float[Tensor, "#n c h w"], content: Maps, style: Grams) -> Terms:
        """The squared errors of content (eq. 1) and of the Gram matrices of every layer (eq. 4 and 5)."""
        maps, grams = self._seen(images)
        layers = (grams - style).split(self.lengths, 1)
        return {
            "content": self.config.content_weight * (maps - content).square().flatten(1).mean(1),
            "style": self.config.style_weight * torch.stack([part.square().mean(1) for part in layers]).sum(0),
        }

    def _loss(self, batch: Domains) -> Terms:
        """Eq. 7, of the picture that is painted with each content and each style."""
        with torch.no_grad():
            content, style = self._seen(batch.a)[0], self._seen(batch.b)[1]
        return self._errors(filled(self.canvas.picture), content, style)

    def _painted(self, image: Images, style: Grams) -> OtherImages:
        """One picture, from its content on."""
        with torch.no_grad():
            content = self._seen(image)[0]
        with torch.enable_grad():
            picture = image.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
            search = torch.optim.LBFGS([picture], max_iter=self.config.steps, line_search_fn="strong_wolfe")

            def loss() -> Tensor:
                terms = self._errors(picture, content, style.detach())
                total = torch.stack(list(terms.values())).sum()
                (slope,) = torch.autograd.grad(total, picture)
                picture.grad = slope.contiguous()  # As the search wants it, also of networks in channels_last.
                return total.detach()

            search.step(loss)
        return picture.detach()
