"""Edges first: one network completes the lines of a hole, a second one fills in colours after them.

Nazeri, Ng, Joseph, Qureshi, Ebrahimi: EdgeConnect: Generative Image Inpainting with Adversarial Edge Learning (2019),
https://arxiv.org/abs/1901.00212. What is there is decided before how it looks. Both generators halve twice, have eight
residual blocks of dilation 2 and double twice, with instance norm; the one of edges has spectral norms besides. Each
has a discriminator of patches of 70 pixels with spectral norms.

Lines may also be drawn by a person: what a guide's sketch shows in the hole is added to the edges that are made.

Departs from the paper and the authors' code (its shipped settings, where they differ from the table in its notes):
- Both games are played in every step, the colours after edges made in the hole and true ones around it. The code trains
  them one after the other, the colours after true edges first (``true_edges``), and at test shows the network its made
  edges everywhere.
- Content and style losses (of VGG-19) are left out, as its weights are not part of Ganvas; the adversarial weight of
  colours is its 0.1 of the absolute error's 1.
- Canny's deviation is 2 pixels at 256 x 256, as the code's, in proportion to other sizes.
- Residual blocks repeat the border where the code mirrors it, so that small pictures can be filled.
- The absolute error is divided by each picture's share of hole, not by a batch's.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.hole_law import HoleLaw
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Masks, OtherImages, PerSample
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.filling import made_whole, with_hole
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.fill_game import FillGame
from ganvas.losses.pixel_losses import error_map, mean_error
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.guides.canny import sketch, to_grey
from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

STRIDE = 8  # Twice what the halvings demand: instance norm needs more than one place at the bottom.
STD = 0.02
Maps = list[Float[Tensor, "n _ _ _"]]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the four networks and their games; the defaults are the code's, for pictures of 256x256."""

    height: int = 256  # A multiple of 8: the generators halve twice.
    width: int = 256
    channels: int = 3
    blocks: int = 8  # Residual blocks of a generator.
    dilation: int = 2  # Of the first convolution of a block.
    features: int = 64  # Of a generator at full size.
    discriminator_features: int = 64
    discriminator_halvings: int = 3  # A score sees 70 pixels.
    true_edges: bool = False  # Colours are learnt after true edges in the hole too, as the code does at first.
    holes: HoleLaw = "free-form"
    matching_weight: float = 10.0  # Of the discriminator's features of made edges and true ones.
    error_weight: float = 1.0  # Of the absolute error, over the share of the hole.
    adversarial_weight: float = 0.1  # Of colours; that of edges is 1.
    batch_size: int = 8
    lr: float = 1e-4
    discriminator_lr: float = 0.1  # Times lr.
    beta1: float = 0.0
    beta2: float = 0.9
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "blocks", "dilation", "features", "discriminator_features", "discriminator_halvings")
        at_least(self, 1, "batch_size")
        at_least(self, 0, "matching_weight", "error_weight", "adversarial_weight")
        above(self, 0, "lr", "eps", "discriminator_lr")
        fractions(self, "beta1", "beta2")
        assert self.picture

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures in training; any other multiples of 8 can be filled."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=STRIDE)


TINY = Config(
    height=16,
    width=16,
    blocks=1,
    features=4,
    discriminator_features=4,
    discriminator_halvings=1,
    batch_size=4,
)


class Model(FillGame[Config]):
    """A generator and a discriminator of edges, and one of each of colours."""

    stride = STRIDE
    guides: Sequence[Literal["sketch", "colour"]] = ("sketch",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.edges = generator(config, 3, 1, spectral=True)
        self.colours = generator(config, config.channels + 1, config.channels, spectral=False)
        self.edge_discriminator = Discriminator(config, 2)
        self.colour_discriminator = Discriminator(config, config.channels)

    def phases(self) -> list[Phase[Pictures]]:
        """Edges and their discriminator, then colours and theirs."""
        adam, slow = self.adam, replace(self.adam, lr_factor=self.config.discriminator_lr)
        return [
            Phase(name="edges", player=self.edges, loss=self._edges_loss, optimizer=adam),
            Phase(name="edges D", player=self.edge_discriminator, loss=self._edges_judged, optimizer=slow),
            Phase(name="colours", player=self.colours, loss=self._colours_loss, optimizer=adam),
            Phase(name="colours D", player=self.colour_discriminator, loss=self._colours_judged, optimizer=slow),
        ]

    def fill(
        self, images: Images, mask: Masks, *, guide: OtherImages | None = None, noise: Masks | None = None
    ) -> Images:
        """The pictures with their holes filled in; a guide's lines in the hole are added to the edges that are made."""
        known = sketch(with_hole(images, mask), mask)
        made = self.made_edges(images, mask, known)
        made = made if guide is None else torch.maximum(made, guide[:, :1])
        return made_whole(images, mask, self.coloured(images, mask, made_whole(known, mask, made)))

    def made_edges(self, images: Images, mask: Masks, edges: Masks) -> Masks:
        """Edges everywhere, in [0, 1], from grey and from the edges of what is known; the hole is white to it."""
        grey = with_hole(to_grey(images), mask, value=1.0)
        return torch.sigmoid(self.edges(torch.cat([grey, with_hole(edges, mask), 1 - mask], 1)))

    def coloured(self, images: Images, mask: Masks, edges: Masks) -> Images:
        """A whole picture after its edges; the hole is white to it, which tells it where it is."""
        return torch.tanh(self.colours(torch.cat([with_hole(images, mask, value=1.0), edges], 1)))

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """What is given, the edges that are made, the filling, and the truth."""
        images, mask = batch.images, batch.known
        known = sketch(with_hole(images, mask), mask)
        edges = made_whole(known, mask, self.made_edges(images, mask, known))
        filled = self.fill(images, mask)
        return [
            ("given", with_hole(images, mask)),
            ("edges", 1 - 2 * edges.expand(-1, images.shape[1], -1, -1)),
            ("filled", filled),
            ("truth", images),
            ("error", error_map(filled, images)),
        ]

    def _edges_loss(self, batch: Pictures) -> Terms:
        """Rejection of the edges, and the distance of the discriminator's features from those of true ones."""
        true = _true_edges(batch)
        made = batch.keep("edges", self._made_edges(batch))
        grey = to_grey(batch.images)
        scores, features = self.edge_discriminator(torch.cat([grey, made], 1))
        _, wanted = self.edge_discriminator(torch.cat([grey, true], 1))
        apart = torch.stack([mean_error(a, b.detach()) for a, b in zip(features, wanted, strict=True)]).sum(0)
        return {"adversarial": _accepted(scores), "matching": self.config.matching_weight * apart}

    def _edges_judged(self, batch: Pictures) -> Terms:
        """Half the cross-entropy of true and of made edges."""
        true, grey = _true_edges(batch), to_grey(batch.images)
        made = batch.kept_or("edges", lambda: self._made_edges(batch))
        real, fake = (self.edge_discriminator(torch.cat([grey, edges], 1))[0] for edges in (true, made))
        return {"real_or_made": 0.5 * (_accepted(real) + _accepted(-fake))}

    def _colours_loss(self, batch: Pictures) -> Terms:
        """The absolute error over the share of the hole, and rejection of what is made."""
        config, images, mask = self.config, batch.images, batch.known
        made = batch.keep("colours", self._made_colours(batch))
        share = (1 - mask).flatten(1).mean(1).clamp_min(1 / mask[0].numel())
        scores, _ = self.colour_discriminator(made)
        return {
            "error": config.error_weight * mean_error(made, images) / share,
            "adversarial": config.adversarial_weight * _accepted(scores),
        }

    def _colours_judged(self, batch: Pictures) -> Terms:
        """Half the cross-entropy of pictures and of made ones."""
        made = batch.kept_or("colours", lambda: self._made_colours(batch))
        real, fake = (self.colour_discriminator(shown)[0] for shown in (batch.images, made))
        return {"real_or_made": 0.5 * (_accepted(real) + _accepted(-fake))}

    def _made_edges(self, batch: Pictures) -> Masks:
        return self.made_edges(batch.images, batch.known, _true_edges(batch))

    def _made_colours(self, batch: Pictures) -> Images:
        """After the true edges, with those that were made in this step in the hole."""
        edges = _true_edges(batch)
        if not self.config.true_edges:
            edges = made_whole(edges, batch.known, batch.kept_or("edges", lambda: self._made_edges(batch)))
        return self.coloured(batch.images, batch.known, edges)


class Discriminator(nn.Module):
    """Convolutions of 4 x 4 with spectral norms and leaky ReLUs; gives the scores and the features of every layer."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        width, halvings = config.discriminator_features, config.discriminator_halvings
        widths = [channels, *(width * min(2**level, 8) for level in range(halvings + 1)), 1]
        self.layers = nn.ModuleList(
            SpectralNorm(Conv2d(before, after, 4, stride=2 if level < halvings else 1, padding=1, bias=False, std=STD))
            for level, (before, after) in enumerate(itertools.pairwise(widths))
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n scores"], Maps]:
        features: Maps = []
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        scores = self.layers[-1](x)
        return scores.flatten(1), [*features, scores]


def generator(config: Config, channels: int, out_channels: int, *, spectral: bool) -> nn.Sequential:
    """Layers as in the authors' code; biases that a spectral block has not are left out there too."""
    w = config.features
    layers = [
        *(nn.ReflectionPad2d(3), *_norm_relu(Conv2d(channels, w, 7, std=STD), w, spectral)),
        *_norm_relu(Conv2d(w, 2 * w, 4, stride=2, padding=1, std=STD), 2 * w, spectral),
        *_norm_relu(Conv2d(2 * w, 4 * w, 4, stride=2, padding=1, std=STD), 4 * w, spectral),
        *(Residual(_branch(4 * w, config.dilation, spectral)) for _ in range(config.blocks)),
        *_norm_relu(ConvTranspose2d(4 * w, 2 * w, 4, stride=2, padding=1, std=STD), 2 * w, spectral),
        *_norm_relu(ConvTranspose2d(2 * w, w, 4, stride=2, padding=1, std=STD), w, spectral),
        *(nn.ReflectionPad2d(3), Conv2d(w, out_channels, 7, std=STD)),
    ]
    return nn.Sequential(*layers)


def _branch(width: int, dilation: int, spectral: bool) -> nn.Sequential:
    wide = GroupedConv2d(width, width, 3, dilation=dilation, bias=not spectral, std=STD)
    near = Conv2d(width, width, 3, bias=not spectral, std=STD)
    return nn.Sequential(
        *(nn.ReplicationPad2d(dilation), *_norm_relu(wide, width, spectral)),
        *(nn.ReplicationPad2d(1), SpectralNorm(near) if spectral else near, nn.InstanceNorm2d(width)),
    )


def _norm_relu(convolution: nn.Module, width: int, spectral: bool) -> list[nn.Module]:
    return [SpectralNorm(convolution) if spectral else convolution, nn.InstanceNorm2d(width), nn.ReLU()]


def _true_edges(batch: Pictures) -> Masks:
    assert batch.guide is not None, "a model that heeds sketches is fed with edges"
    return batch.guide[:, :1]


def _accepted(scores: Float[Tensor, "n scores"]) -> PerSample:
    """``-log sigma(D)``, the mean over the scores of a picture."""
    return F.softplus(-scores).mean(1)
