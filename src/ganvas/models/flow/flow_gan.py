"""Flow-GAN: a flow that is trained as the generator of a GAN, so that the likelihood of a GAN is known exactly.

Grover, Dhar, Ermon: Flow-GAN: Combining Maximum Likelihood and Adversarial Learning in Generative Models (AAAI 2018),
https://arxiv.org/abs/1705.08868. The same network is trained by one of three objectives: the likelihood of pictures, a
critic of drawn ones (WGAN-GP), or both, ``min_G max_D V(G, D) - lambda E log p(x)`` (section 4). Trained by a critic
alone it draws what looks right and finds real pictures less probable than noise; annealed importance sampling, which is
what a GAN's likelihood has to be estimated by, can be held against the exact one
(``ganvas likelihood RUN SRC --variance 1e-3``).

Facts that the paper leaves open follow its code (https://github.com/ermongroup/flow-gan): Adam with 2e-4, .5 and .9,
batches of 64, a penalty of 10; the critic sees real pictures with noise within the bins of their colours, as the
density does. ``likelihood_weight`` is lambda, per nat of a picture.

Departs from the paper and its code:
- The flow is Real NVP as its authors have it (:mod:`ganvas.networks.real_nvp`), or NICE; the code's differ in detail.
  The code's couplings for CIFAR-10 normalise by the whole batch, so that a picture's density depends on the others,
  in training and after it; here there is no batch norm, or one with running statistics (``batch_norm``).
- The logit's alpha is a setting; the code has 1e-7, with which few colours near black or white decide a density.
- The critic is DCGAN's without normalisation: a gradient penalty forbids one over the batch.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Steady
from ganvas.core.shapes import Images
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.flow_game import PictureFlowGame
from ganvas.losses.likelihoods.bits import UniformNoise, spread
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty
from ganvas.networks.adversarial.dcgan_networks import DcganDiscriminator, dcgan_maps
from ganvas.networks.nice_network import Prior, nice
from ganvas.networks.real_nvp import NetworkStyle, real_nvp, real_nvp_reach
from ganvas.nn.invertible.bijection import Bijection


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the flow, the critic and their game; the moves and rates are those of the paper's code."""

    resolution: int = 32  # Of pictures, 4 * 2^k: how often the first resolution is doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the first resolution; (4, 6) becomes 32x48.
    channels: int = 3
    objective: Literal["likelihood", "adversarial", "hybrid"] = "hybrid"
    likelihood_weight: float = 1.0  # Of a nat of a picture beside the critic's score, where both count.
    network: Literal["realnvp", "nice"] = "realnvp"
    scales: int = 2  # Of realnvp.
    flow_features: int = 64  # Of realnvp: feature maps of the first scale; of nice: units of a hidden layer.
    blocks: int = 8  # Of realnvp: residual blocks of a coupling's network; of nice: hidden layers.
    couplings: int = 4  # Of nice.
    prior: Prior = "normal"  # Of nice.
    batch_norm: bool = False  # Of realnvp. With it densities and drawn pictures depend on the batch while training.
    alpha: float = 0.05  # Of realnvp: colours are kept so far from the ends of the logit.
    features: int = 64  # Of the critic: feature maps of the largest hidden resolution; doubled with every halving ...
    features_max: int = 512  # ... up to this.
    penalty_weight: float = 10.0
    critic_moves: int = 5  # Of the critic for one of the flow.
    batch_size: int = 64
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.9
    average_decay: float = 0.0  # Of the flow's weights, per move of the flow.

    def __post_init__(self) -> None:
        at_least(self, 1, "scales", "flow_features", "blocks", "couplings", "features", "features_max")
        at_least(self, 1, "critic_moves", "batch_size")
        at_least(self, 0, "penalty_weight")
        above(self, 0, "lr", "likelihood_weight")
        fractions(self, "beta1", "beta2", "average_decay")
        if not 0 < self.alpha < 0.5:
            raise UserError(f"alpha={self.alpha} must be in (0, 0.5): colours are kept so far from both ends.")
        self._check_scales()

    def _check_scales(self) -> None:
        halved = 2 ** (self.scales - 1)
        if self.network == "realnvp" and any(side % halved for side in self.picture.size):
            height, width = self.picture.size
            raise UserError(
                f"scales={self.scales}: pictures of {height}x{width} pixels cannot be halved {self.scales - 1} times. "
                "Take fewer scales."
            )

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


TINY = Config(resolution=8, flow_features=4, blocks=1, features=4, critic_moves=2, batch_size=8)


class Model(PictureFlowGame[Config]):
    """The flow, and the critic where the objective has one."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.noise = UniformNoise()
        self.flow = _flow(config)
        if config.network == "realnvp":
            self.reach = real_nvp_reach(config.alpha)
        self.critic: DcganDiscriminator | None = None
        if config.objective != "likelihood":
            maps = dcgan_maps(config.picture, features=config.features, features_max=config.features_max)
            self.critic = DcganDiscriminator(config.picture, maps, norm="none")

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """The critic at every step and the flow at every ``critic_moves``-th; without a critic the flow alone."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        average = config.average_decay or None
        if self.critic is None:
            return [Phase(name="G", player=self.flow, loss=self.likelihood_terms, optimizer=adam, average=average)]
        loss = self._hybrid_loss if config.objective == "hybrid" else self._adversarial_loss
        turn = every(config.critic_moves)
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=adam),
            Phase(name="G", player=self.flow, loss=loss, turn=turn, optimizer=adam, average=average),
        ]

    def _critic_loss(self, batch: Pictures) -> Terms:
        assert self.critic is not None
        reals = spread(batch.images, batch.rand(*batch.images.shape[1:]))
        with torch.no_grad():
            fakes = self.decode(batch.randn(self.latent_size))
        terms = {"wasserstein": wasserstein_discriminator(self.critic(reals), self.critic(fakes))}
        if self.config.penalty_weight:
            weight = self.config.penalty_weight
            terms["gradient_penalty"] = gradient_penalty(self.critic, reals, fakes, batch.rand(), weight=weight)
        return terms

    def _adversarial_loss(self, batch: Pictures) -> Terms:
        assert self.critic is not None
        fakes: Images = self.decode(batch.randn(self.latent_size))
        return {"wasserstein": wasserstein_generator(self.critic(fakes))}

    def _hybrid_loss(self, batch: Pictures) -> Terms:
        """``V(G, D) - lambda log p(x)``, in nats of a picture."""
        adversarial = self._adversarial_loss(batch)
        nats = self.latent_size * math.log(2) * self.likelihood_terms(batch)["bits_per_dimension"]
        return dict(adversarial) | {"likelihood": self.config.likelihood_weight * nats}


def _flow(config: Config) -> Bijection:
    """Pictures to latents."""
    if config.network == "nice":
        return nice(
            config.picture,
            couplings=config.couplings,
            width=config.flow_features,
            depth=config.blocks,
            prior=config.prior,
        )
    style = NetworkStyle(features=config.flow_features, blocks=config.blocks, batch_norm=config.batch_norm)
    return real_nvp(config.picture, style, scales=config.scales, alpha=config.alpha)
