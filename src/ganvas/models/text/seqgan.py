"""SeqGAN: a generator of text that is rewarded for lines that a discriminator takes for real, token by token.

Yu, Zhang, Wang, Yu: SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient (AAAI 2017),
https://arxiv.org/abs/1609.05473. A token is a choice without a slope, so that the generator is moved by REINFORCE
(Williams 1992): a choice becomes more probable by its reward, which is what the discriminator says on average of lines
that the generator finishes from there (eq. 4 and 8)::

    grad = E sum_t grad ln G(y_t | y_<t) Q(y_<=t)        Q(y_<=t) = mean over rollouts of D(y_<=t, rest)

Departs from the paper:
- Rollouts are finished by the generator as it is, not by an average of older ones (the authors' code, 0.8 to 0.2).
- The discriminator has neither dropout nor a penalty of its weights, and the same number of filters of each width.
- ``baseline`` subtracts the mean reward of each place, which changes no mean and less noise; the authors have none.
- Gradients of the generator are not clipped.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.checks import at_least
from ganvas.core.shapes import Tokens
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Terms
from ganvas.losses.games.line_config import AdversarialLineConfig
from ganvas.losses.games.line_game import AdversarialLineGame, sampled
from ganvas.losses.likelihoods.line_likelihood import said, token_log_probs
from ganvas.networks.sequences.line_classifier import LineClassifier
from ganvas.networks.sequences.recurrent_lines import RecurrentLines

Rewards = Float[Tensor, "n l"]


@dataclass(frozen=True, kw_only=True)
class Config(AdversarialLineConfig):
    """Every setting of the two networks and their game."""

    rollouts: int = 16  # Of every beginning.
    baseline: Literal["none", "mean"] = "none"  # What rewards are held against.
    lr: float = 1e-2
    discriminator_lr: float = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "rollouts")


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
    rollouts=2,
    batch_size=8,
)


class Model(AdversarialLineGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = RecurrentLines(config.line, embedding=config.embedding, hidden=config.hidden)
        self.discriminator = LineClassifier(
            config.line, embedding=config.embedding, widths=config.widths, filters=config.filters
        )

    def generator_loss(self, batch: Lines) -> Terms:
        """``-sum_t ln G(y_t | y_<t) Q(y_<=t)`` of lines that it draws (eq. 8); rewards have no slope."""
        tokens = self.drawn_for(batch)
        rewards = self.rewards(tokens, batch)
        if self.config.baseline == "mean":
            rewards = rewards - _mean_of_places(rewards, batch)
        return {"policy": -(token_log_probs(self.generator(tokens), tokens) * rewards).sum(1)}

    @torch.no_grad()
    def rewards(self, tokens: Tokens, batch: Lines) -> Rewards:
        """``Q(y_<=t)`` of every place: what the discriminator says on average of lines finished from there (eq. 4).

        All beginnings of all lines are finished at once, ``rollouts`` times each.
        """
        n, length = tokens.shape
        times = self.config.rollouts
        rows = n * times * length
        start = tokens[:, None, None].expand(n, times, length, length).reshape(rows, length)
        given = torch.arange(1, length + 1, device=tokens.device).repeat(n * times)
        dice = lambda: batch.rand(times * length).flatten()  # noqa: E731
        finished = self.generator.say(rows, lambda logits: sampled(logits, dice()), start=start, given=given)
        real = self.discriminator(finished).sigmoid()
        return torch.where(said(tokens), real.view(n, times, length).mean(1), 0.0)


def _mean_of_places(rewards: Rewards, batch: Lines) -> Float[Tensor, " l"]:
    """Over the whole batch."""
    mean = rewards.mean(0)
    batch.ranks.average_([mean])
    return mean
