"""Gumbel-softmax GAN: tokens that are drawn softly, so that a discriminator's slope reaches the generator.

Kusner, Hernandez-Lobato: GANs for Sequences of Discrete Elements with the Gumbel-softmax Distribution (2016),
https://arxiv.org/abs/1611.04051. In the place of a choice, ``y = softmax((logits + g) / tau)`` with Gumbel noise g
(eq. 3): weights of tokens that come near a choice as tau falls, with a slope everywhere. They are what the generator
reads next and what the discriminator sees (``straight_through=False``); or both see the choice itself, and only the
slope is that of the weights (Jang et al. 2017, section 2.2, https://arxiv.org/abs/1611.01144). Either slope is biased.

Departs from the paper:
- Maximum likelihood comes first, as in the other games of tokens here, and tau does not fall during training.
- The discriminator is that of text/seqgan, not recurrent; the generator's loss is the non-saturating one.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.checks import above
from ganvas.core.sample_sizes.line_size import END
from ganvas.losses.adversarial import non_saturating_generator
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Terms
from ganvas.losses.games.line_config import AdversarialLineConfig
from ganvas.losses.games.line_game import AdversarialLineGame
from ganvas.losses.likelihoods.line_likelihood import said
from ganvas.networks.sequences.line_classifier import LineClassifier, Weights
from ganvas.networks.sequences.recurrent_lines import RecurrentLines
from ganvas.nn.soft_choice import soft_choice


@dataclass(frozen=True, kw_only=True)
class Config(AdversarialLineConfig):
    """Every setting of the two networks and their game."""

    tau: float = 1.0  # Temperature of the soft choice; the lower, the steeper and the less biased.
    straight_through: bool = True  # Choices are seen, and only their slope is soft.
    lr: float = 1e-3
    discriminator_lr: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        above(self, 0, "tau")


TINY = Config(
    length=4,
    alphabet=6,
    embedding=3,
    hidden=6,
    widths=(1, 2),
    filters=3,
    likelihood_kimg=0.008,
    discriminator_kimg=0.0,
    discriminator_moves=1,
    batch_size=8,
)


class Model(AdversarialLineGame[Config]):
    """The two networks and their game."""

    generator: RecurrentLines

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = RecurrentLines(config.line, embedding=config.embedding, hidden=config.hidden)
        self.discriminator = LineClassifier(
            config.line, embedding=config.embedding, widths=config.widths, filters=config.filters
        )

    def generator_loss(self, batch: Lines) -> Terms:
        """``-ln sigmoid(D(y))`` of softly drawn lines, whose slope reaches the generator."""
        return {"non_saturating": non_saturating_generator(self.discriminator(self.soft_lines(batch)))}

    def soft_lines(self, batch: Lines) -> Weights:
        """Weights of tokens of a drawn line for each one of a batch; END alone behind its end."""
        logits, memories = self.generator.start(batch.size)
        drawn: list[Tensor] = []
        for place in range(self.config.length):
            drawn.append(self._drawn(logits, batch))
            if place + 1 < self.config.length:
                logits, memories = self.generator.step(self.generator.embed.mixed(drawn[-1]), memories)
        weights = torch.stack(drawn, 1)
        end = F.one_hot(torch.full((), END, device=weights.device), self.config.alphabet).to(weights.dtype)
        return torch.where(said(weights.argmax(2)).unsqueeze(2), weights, end)

    def _drawn(self, logits: Float[Tensor, "n v"], batch: Lines) -> Float[Tensor, "n v"]:
        """Weights of one token, or a choice with their slope."""
        config = self.config
        uniform = batch.rand(config.alphabet)
        return soft_choice(logits, uniform, tau=config.tau, straight_through=config.straight_through)
