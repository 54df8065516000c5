"""WGAN: a critic that estimates the Wasserstein distance, kept Lipschitz by clipping its weights.

Arjovsky, Chintala, Bottou: Wasserstein Generative Adversarial Networks (ICML 2017), https://arxiv.org/abs/1701.07875.
A discriminator that tells two sets apart perfectly has no slope where the generator is. The Wasserstein distance has
one everywhere: ``W = sup E f(x) - E f(G(z))`` over functions f whose slope is at most 1 (eq. 2). Algorithm 1 takes
networks with weights in [-c, c] for those functions, whose slope is bounded by some K, and so follows K W. The critic
is to be near its optimum, so it moves n_critic times for every move of the generator, and RMSprop, which has no
momentum, moves both, because the critic's goal moves with the generator.

Clipping is a rough way to bound a slope, as the paper says itself: with c too small gradients vanish from layer to
layer, with c too large they explode and the critic is slow to reach its optimum (section 3). docs/wgan.md says what was
found of both on points.

From the code of the authors (https://github.com/martinarjovsky/WassersteinGAN, read at its last version), not in the
paper: for each of the first 25 moves of the generator, and for every 500th later, the critic moves 100 times.

Departs from the paper:
- Kernels are 4x4 as in its code; pictures need not be square nor 64x64.
- Of points, which the paper has not, networks are fully connected. Points are brought to mean zero and an average
  variance per dimension of 1/2 before the critic sees them, and back after the generator, so that one ``clip`` serves
  clouds of every size. Both numbers are found on real points once.
- What samples is a running average of the generator's weights (``average_decay``; 0 samples from the last ones).
- The learning rate falls to 0 over the last part of the run (``decay_kimg``; 0 keeps it).
- ``optimizer=adam`` takes Adam, as compare_gan's code does (Lucic et al. 2018, https://github.com/google/compare_gan,
  tag v1); the paper found training with momentum unstable at times.
- Weights are clipped after each move (algorithm 1, line 7); the authors' code clips before it.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady, held_and_falling, held_then_linear
from ganvas.core.shapes import PerSample, Samples
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.augmentation import Augmentation, NoAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms, Turn
from ganvas.losses.games.latent_game import PictureOrPointGame
from ganvas.losses.optimizers import Adam, RMSprop
from ganvas.networks.adversarial.dcgan_networks import Norm
from ganvas.networks.adversarial.plain_pair import plain_discriminator, plain_generator


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game; the defaults are those of the paper and its code, for pictures."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    resolution: int = 64  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 64x96.
    channels: int = 3
    latent_size: int = 100
    features: int = 64  # Of pictures: feature maps of the largest hidden resolution; doubled with every halving ...
    features_max: int = 512  # ... up to this.
    critic_norm: Norm = "batch"  # Of pictures, between the critic's hidden layers.
    width: int = 128  # Of points: of every hidden layer.
    depth: int = 3  # Of points: hidden layers of each network.
    clip: float = 0.01  # The critic's weights stay in [-clip, clip].
    critic_moves: int = 5  # Of the critic for one of the generator; n_critic in the paper.
    burst_moves: int = 100  # Of the critic, for the generator's first moves and now and then.
    burst_first: int = 25  # First moves of the generator that get so many.
    burst_every: int = 500  # Later moves of the generator of which one gets so many; 0 for none.
    batch_size: int = 64
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    lr: float = 5e-5
    beta1: float = 0.5  # Of Adam, as the second.
    beta2: float = 0.999
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it.
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "width", "depth", "batch_size")
        at_least(self, 1, "critic_moves", "burst_moves")
        at_least(self, 0, "dims", "burst_first", "burst_every", "hold_kimg", "decay_kimg")
        above(self, 0, "clip", "lr")
        fractions(self, "average_decay", "beta1", "beta2")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that is 0 when the run ends."""
        hold_kimg, decay_kimg = held_and_falling(total_kimg)
        return replace(self, hold_kimg=hold_kimg, decay_kimg=decay_kimg)


POINTS = Config(dims=2, latent_size=2, clip=0.1, batch_size=128, lr=1e-3, average_decay=0.999)  # Ours, for points.
TINY = Config(
    resolution=16,
    latent_size=8,
    features=4,
    width=8,
    depth=2,
    batch_size=8,
    critic_moves=2,
    burst_moves=3,
    burst_first=1,
    burst_every=0,
)
TINY_POINTS = replace(TINY, dims=2, latent_size=2)


class Model(PictureOrPointGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.augmentation: Augmentation = NoAugmentation()
        self.generator = plain_generator(config)
        self.critic = plain_discriminator(config, norm=config.critic_norm)

    def schedule(self) -> Steady:
        """One batch size; a learning rate that is held and then falls."""
        config = self.config
        return held_then_linear(
            resolution=self.resolution,
            batch_size=config.batch_size,
            lr=config.lr,
            hold_kimg=config.hold_kimg,
            decay_kimg=config.decay_kimg,
        )

    def phases(self) -> list[Phase[Pictures | Points]]:
        """The critic at every step, the generator when the critic has had its moves (algorithm 1)."""
        config = self.config
        adam = config.optimizer == "adam"
        optimizer = Adam(beta1=config.beta1, beta2=config.beta2) if adam else RMSprop()
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=optimizer, after=self._clip),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=generator_turn(config),
                optimizer=optimizer,
                average=config.average_decay or None,
            ),
        ]

    def _critic_loss(self, batch: Pictures | Points) -> Terms:
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        reals, fakes = self.augmentation(self.reals(batch), batch), self.augmentation(fakes, batch)
        real, fake = self.scores(self.critic, reals, fakes)
        self.augmentation.notice(real - fake, batch)  # The level of a critic means nothing.
        return {"wasserstein": wasserstein_discriminator(real, fake)}

    def _generator_loss(self, batch: Pictures | Points) -> Terms:
        fakes = self.augmentation(self.generator(self.latents_of(batch)), batch)
        return {"wasserstein": wasserstein_generator(self.critic(fakes).flatten())}

    def _clip(self, batch: Pictures | Points, terms: Terms) -> None:
        """``w <- clip(w, -c, c)`` of every weight and bias (algorithm 1, line 7); then the augmentation adapts."""
        for weight in self.critic.parameters():
            weight.clamp_(-self.config.clip, self.config.clip)
        self.augmentation.adapt(batch, terms)

    def judge(self, images: Samples, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds samples as the data gives them; higher is more real."""
        return self.critic(self.inside(images)).flatten()


def generator_turn(config: Config) -> Turn:
    """When the critic has had its moves: a function of the steps done, each of which is one move of the critic.

    >>> turn = generator_turn(Config(critic_moves=2, burst_moves=4, burst_first=1, burst_every=3))
    >>> [step + 1 for step in range(20) if turn(step, 0)]
    [4, 6, 8, 12, 14, 16, 20]
    """
    few, many, first, every = config.critic_moves, config.burst_moves, config.burst_first, config.burst_every

    def plays(step: int, nimg: int) -> bool:
        moves = step + 1 - first * many  # Of the critic, after the first bursts.
        if moves <= 0:
            return (step + 1) % many == 0
        if not every:
            return moves % few == 0
        to_next = (-first) % every * few  # Until the move of the generator whose number is a multiple of ``every``.
        if moves <= to_next:
            return moves % few == 0
        within = (moves - to_next - 1) % (many + (every - 1) * few) + 1
        return within == many or (within > many and (within - many) % few == 0)

    return plays
