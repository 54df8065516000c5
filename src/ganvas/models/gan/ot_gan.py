"""OT-GAN: a generator that descends an optimal transport distance between batches, in a space that a critic learns.

Salimans, Zhang, Radford, Metaxas: Improving GANs Using Optimal Transport (ICLR 2018), https://arxiv.org/abs/1803.05573.
Where other critics judge one sample, here whole batches are matched: the cost of the best plan between them says how
far they are apart, and the plan tells every sample where to go. A batch's transport to another batch of the same law
costs something too, so the distance is the minibatch energy distance, of two independent batches from either side
(eq. 7). The critic does not classify: it places samples on a sphere, such that the distance is as large as can be, and
moves less often than the generator, so that costs stay honest.

From the code of the authors (https://github.com/openai/ot-gan): plans are constant in the gradient, Sinkhorn's
iteration runs 500 times at a sharpness of 500, a step moves either the critic or the generator.

Departs from the paper and its code:
- Layers are not weight-normalised; their start has the variance that such layers are given by data there.
- The generator moves three times for a move of the critic, as in the paper; five times in the code's default. The two
  halves of a batch are the two independent batches, so a batch of 5,000 in the code is one of 5,000 here.
- What is logged is the plan's cost less its entropy over the sharpness, whose slope is exactly what is descended.
- Points are placed on a sphere by a fully connected critic.
- With ``critic=false`` there is none: samples are matched where they lie, by their Euclidean distance. Then what the
  generator descends stays the same all the time, and is 0 for the law of the data alone.
- The learning rate may fall to 0 (``decay_kimg``). The critic's slope is not bounded: at a constant rate its map
  swings, and the generator with it, around laws whose modes are narrow.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Steady, held_then_linear
from ganvas.core.shapes import Features, Images, Latents, Samples, Scalar
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import Adam
from ganvas.losses.sinkhorn import cosine_cost, euclidean_cost, minibatch_energy_distance, refuse_halves
from ganvas.networks.fully_connected import FullyConnected
from ganvas.nn.layers.across_ranks import all_ranks_rows
from ganvas.nn.layers.plain_layers import Conv2d, Linear

GATED_SQUARE = 0.2934  # E x^2 E sigma(l)^2 of independent normal x and l: what a gate leaves of the variance.
LAST_STD = 0.1  # Of the generator's picture before its tanh, at the start.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are the paper's for CIFAR-10, but for the batch."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 32  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    latent_size: int = 100
    prior: Literal["uniform", "normal"] = "uniform"
    features: int = 128  # Of pictures: feature maps of the full resolution; doubled with every halving ...
    features_max: int = 1024  # ... up to this.
    width: int = 128  # Of points: of every hidden layer, and half of the numbers of a place on the sphere.
    depth: int = 3  # Of points: hidden layers of each network.
    critic: bool = True  # Learns the space that samples are matched in; false: they are matched where they lie.
    sharpness: float = 500.0  # Of plans: lambda in the paper.
    iterations: int = 500  # Of Sinkhorn's.
    generator_moves: int = 3  # Of the generator for one of the critic.
    batch_size: int = 256  # Both halves together, of either side; 8,000 in the paper, on eight GPUs.
    lr: float = 3e-4
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line, from the start; 0 keeps it.
    beta1: float = 0.5
    beta2: float = 0.999
    average_decay: float = 0.999  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "width", "depth", "iterations", "generator_moves")
        at_least(self, 0, "dims", "decay_kimg")
        above(self, 0, "sharpness", "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        refuse_halves(self.batch_size)
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def maps(self) -> list[int]:
        """Feature maps from the first resolution to the full one."""
        return [min(self.features << halvings, self.features_max) for halvings in range(self.picture.levels, -1, -1)]


POINTS = Config(
    dims=2, latent_size=2, prior="normal", sharpness=100.0, iterations=25, batch_size=96, lr=1e-3, average_decay=0.99
)
TINY = Config(
    resolution=8,
    latent_size=8,
    features=4,
    features_max=8,
    sharpness=5.0,
    iterations=30,
    generator_moves=2,
    batch_size=8,
)
TINY_POINTS = replace(TINY, dims=2, width=8, depth=2)


class Gated(nn.Module):
    """``x sigma(l)`` where a layer gives x and l, half of its outputs each (Dauphin et al. 2017)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, inputs: Float[Tensor, "n *shape"]) -> Float[Tensor, "n *shape2"]:
        x, gate = self.layer(inputs).chunk(2, dim=1)
        return x * gate.sigmoid()


class GatedGenerator(nn.Module):
    """A gated dense layer to the first resolution, then nearest neighbours doubled and gated convolutions of 5x5."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps = config.maps()
        self.first_shape = (maps[0], *config.base)
        self.first = Gated(
            Linear(config.latent_size, 2 * math.prod(self.first_shape), std=1 / math.sqrt(config.latent_size))
        )
        self.doublings = nn.ModuleList(
            Gated(Conv2d(before, 2 * after, 5, padding=2, std=kept(25 * before, GATED_SQUARE)))
            for before, after in pairwise(maps)
        )
        last = LAST_STD * kept(25 * maps[-1], GATED_SQUARE)
        self.last = Conv2d(maps[-1], config.channels, 5, padding=2, std=last)

    def forward(self, z: Latents) -> Images:
        x = self.first(z).unflatten(1, self.first_shape)
        for doubling in self.doublings:
            x = doubling(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.last(x).tanh()


class SphereCritic(nn.Module):
    """From pictures to places on a sphere: convolutions of 5x5 that halve, with concatenated ReLUs between them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        maps = config.maps()[::-1]
        self.first = Conv2d(config.channels, maps[0], 5, padding=2)
        self.halvings = nn.ModuleList(
            Conv2d(2 * before, after, 5, stride=2, padding=2) for before, after in pairwise(maps)
        )

    def forward(self, images: Images) -> Features:
        x = self.first(images)
        for halving in self.halvings:
            x = halving(concatenated_relu(x))
        return on_sphere(concatenated_relu(x))


class PointCritic(nn.Module):
    """From points to places on a sphere: fully connected."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = FullyConnected(config.dims, config.width, width=config.width, depth=config.depth)

    def forward(self, points: Float[Tensor, "n p"]) -> Features:
        return on_sphere(concatenated_relu(self.layers(points)))


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.prior = config.prior
        if config.dims:
            sizes = (config.latent_size, config.dims)
            self.generator = FullyConnected(*sizes, width=config.width, depth=config.depth)
        else:
            self.generator = GatedGenerator(config)
        self.critic = critic_of(config)
        self.cost = cosine_cost if config.critic else euclidean_cost

    def schedule(self) -> Steady:
        """One batch size; a learning rate that stays or falls."""
        config = self.config
        return held_then_linear(
            resolution=self.resolution, batch_size=config.batch_size, lr=config.lr, decay_kimg=config.decay_kimg
        )

    def phases(self) -> list[Phase[Pictures | Points]]:
        """Each step moves one: the critic, then the generator as often as asked; without a critic the generator."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        cycle = config.generator_moves + 1
        critic = Phase(
            name="D",
            player=self.critic,
            loss=self._critic_loss,
            turn=lambda step, nimg: step % cycle == 0,
            optimizer=adam,
        )
        generator = Phase(
            name="G",
            player=self.generator,
            loss=self._generator_loss,
            turn=lambda step, nimg: step % cycle != 0 or not config.critic,
            optimizer=adam,
            average=config.average_decay or None,
        )
        return [critic, generator] if config.critic else [generator]

    def _critic_loss(self, batch: Pictures | Points) -> Terms:
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        return {"energy_distance": -self._distance(batch, fakes)}

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        return {"energy_distance": self._distance(batch, self.generator(self.latents_of(batch)))}

    def _distance(self, batch: Pictures | Points, fakes: Samples) -> Scalar:
        """Between the batches of all ranks, each of them in its two halves."""
        placed = [all_ranks_rows(self.critic(samples)) for samples in (self.reals(batch), fakes)]
        refuse_halves(len(placed[0]))
        (x, other_x), (y, other_y) = (features.chunk(2) for features in placed)
        return minibatch_energy_distance(
            x,
            other_x,
            y,
            other_y,
            cost=self.cost,
            sharpness=self.config.sharpness,
            iterations=self.config.iterations,
        )


def critic_of(config: Config) -> nn.Module:
    """What places samples in the space that they are matched in."""
    if not config.critic:
        return nn.Flatten()
    return PointCritic(config) if config.dims else SphereCritic(config)


def concatenated_relu(x: Float[Tensor, "n c *shape"]) -> Float[Tensor, "n c2 *shape"]:
    """``relu(x)`` and ``relu(-x)`` side by side (Shang et al. 2016): nothing of x is lost."""
    return torch.cat([x.relu(), (-x).relu()], 1)


def on_sphere(x: Float[Tensor, "n *shape"]) -> Features:
    """Every sample's numbers, in float32 at least, divided by their length."""
    flat = x.flatten(1)
    return F.normalize(flat.to(torch.promote_types(flat.dtype, torch.float32)), dim=1)


def kept(fan_in: int, square: float) -> float:
    """The deviation of weights that gives outputs variance 1 where inputs have a mean square."""
    return 1 / math.sqrt(square * fan_in)
