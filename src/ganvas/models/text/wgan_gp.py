"""WGAN-GP of text: a critic of characters whose slope is held, and a generator of weights of characters.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs (NIPS 2017), section 5.4,
https://arxiv.org/abs/1704.00028. A generator says every place of a line at once, as a softmax; the critic sees these
weights, and of real lines choices, so that slopes reach the generator without any choice. The penalty is taken on lines
between a choice and weights. What is drawn is the most probable token of every place.

Departs from the paper:
- What stands behind the first END of a drawn line is END. The authors pad short lines with a sign of the alphabet, and
  leave it where the generator puts it.
- What is drawn may be of a running average of the generator's weights (``average_decay``); 0 is the paper's.
- Weights start normal, where the authors' are uniform of the same variance.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ganvas.core.checks import at_least, fractions
from ganvas.core.schedule import Schedule, Stage, Steady
from ganvas.core.shapes import Labels, Latents, PerSample, Tokens
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.games.line_config import LineConfig
from ganvas.losses.likelihoods.line_likelihood import ended
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty
from ganvas.networks.sequences.line_classifier import Weights
from ganvas.networks.sequences.residual_lines import LineCritic, LineGenerator


@dataclass(frozen=True, kw_only=True)
class Config(LineConfig):
    """Every setting of the two networks and their game; the defaults are the authors'."""

    length: int = 32
    alphabet: int = 96
    latent_size: int = 128
    features: int = 512  # Channels of both networks.
    blocks: int = 5
    penalty_weight: float = 10.0
    critic_moves: int = 10  # For each move of the generator.
    lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.9
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "latent_size", "features", "blocks", "critic_moves")
        at_least(self, 0, "penalty_weight")
        fractions(self, "average_decay")


TINY = Config(length=4, alphabet=6, latent_size=4, features=4, blocks=1, critic_moves=2, batch_size=8)


class Model(LatentGame[Config, Lines]):
    """The two networks and their game."""

    takes = (Lines,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        sizes = {"features": config.features, "blocks": config.blocks}
        self.generator = LineGenerator(config.line, latent_size=config.latent_size, **sizes)
        self.critic = LineCritic(config.line, **sizes)

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Lines]]:
        """The critic at every step, the generator at every ``critic_moves``-th."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        moves, average = every(config.critic_moves), config.average_decay or None
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=adam),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=moves,
                optimizer=adam,
                average=average,
            ),
        ]

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Tokens:
        """The most probable token of every place."""
        return ended(self.generator(z).argmax(2))

    def judge(self, tokens: Tokens, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds lines; higher is more real."""
        return self.critic(self._choices(tokens))

    def _critic_loss(self, batch: Lines) -> Terms:
        with torch.no_grad():
            fakes = self.generator(self.latents_of(batch))
        reals = self._choices(batch.tokens)
        terms = {"wasserstein": wasserstein_discriminator(self.critic(reals), self.critic(fakes))}
        if self.config.penalty_weight:
            mix, weight = batch.rand(), self.config.penalty_weight
            terms["gradient_penalty"] = gradient_penalty(self.critic, reals, fakes, mix, weight=weight)
        return terms

    def _generator_loss(self, batch: Lines) -> Terms:
        return {"wasserstein": wasserstein_generator(self.critic(self.generator(self.latents_of(batch))))}

    def _choices(self, tokens: Tokens) -> Weights:
        """A weight of 1 on every token."""
        return F.one_hot(tokens, self.config.alphabet).to(torch.get_default_dtype())
