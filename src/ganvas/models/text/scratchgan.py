"""ScratchGAN: a generator of text that is trained by a game from the first step on, without maximum likelihood before.

De Masson d'Autume, Rosca, Rae, Mohamed: Training Language GANs from Scratch (NeurIPS 2019),
https://arxiv.org/abs/1905.09922, with the settings of the authors' code
(https://github.com/google-deepmind/deepmind-research, scratchgan). The discriminator has a logit for every place of a
line, so that every token has a reward of its own; the generator is moved by REINFORCE (Williams 1992), with discounted
sums of rewards that are held against a moving mean of themselves (section 2.2 and 2.3)::

    grad = E sum_t (R_t - b) grad ln G(y_t | y_<t)      R_t = sum_{s >= t} gamma^(s - t) r_s      r_s = 2 D_s - 1

Departs from the authors' code:
- Embeddings are learnt, where theirs stand beside frozen ones of GloVe; those of the generator's outputs are weights
  of their own, and its upper LSTM alone is heard by them.
- Dropout is of embedded tokens, where theirs drops numbers of the whole table of embeddings.
- LSTMs begin with biases of 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.shapes import PerSample, Tokens
from ganvas.losses.adversarial import non_saturating_discriminator
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.line_config import LineConfig
from ganvas.losses.games.line_game import LineGame
from ganvas.losses.likelihoods.line_likelihood import said, token_log_probs
from ganvas.losses.optimizers import Adam
from ganvas.networks.sequences.recurrent_lines import RecurrentLines
from ganvas.networks.sequences.recurrent_readers import PlaceClassifier
from ganvas.nn.layers.across_ranks import all_ranks_mean
from ganvas.nn.layers.stream_dropout import dropping


@dataclass(frozen=True, kw_only=True)
class Config(LineConfig):
    """Every setting of the two networks and their game; the defaults are the authors'."""

    length: int = 52
    embedding: int = 64
    hidden: int = 512  # Of the generator.
    layers: int = 2  # Of the generator.
    discriminator_hidden: int = 512
    dropout: float = 0.1  # Of embedded tokens that the discriminator sees.
    weight_decay: float = 1e-6  # Of the discriminator.
    discount: float = 0.23  # gamma in the paper.
    baseline_decay: float = 0.08  # What the moving mean of returns keeps of itself in a step.
    batch_size: int = 512
    lr: float = 9.59e-5
    discriminator_lr: float = 9.38e-3
    beta1: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "embedding", "hidden", "layers", "discriminator_hidden")
        at_least(self, 0, "weight_decay")
        fractions(self, "dropout", "baseline_decay")
        above(self, 0, "discriminator_lr")
        if not 0 <= self.discount <= 1:
            raise UserError(f"discount={self.discount} must be from 0, the token's own reward, to 1, all that follow.")


TINY = Config(length=4, alphabet=6, embedding=3, hidden=6, layers=1, discriminator_hidden=6, lr=1e-3, batch_size=8)


class Model(LineGame[Config]):
    """The two networks and their game."""

    baseline: Tensor  # The moving mean of returns, ().

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = RecurrentLines(
            config.line, embedding=config.embedding, hidden=config.hidden, layers=config.layers
        )
        self.discriminator = PlaceClassifier(
            config.line, embedding=config.embedding, hidden=config.discriminator_hidden
        )
        self.register_buffer("baseline", torch.zeros(()))

    def memory(self) -> Sequence[str]:
        """The moving mean of returns."""
        return ("baseline",)

    def phases(self) -> list[Phase[Lines]]:
        """Both at every step."""
        config = self.config
        judging = Adam(
            beta1=config.beta1,
            beta2=config.beta2,
            weight_decay=config.weight_decay,
            lr_factor=config.discriminator_lr / config.lr,
        )
        return [
            Phase(name="D", player=self.discriminator, loss=self.discriminator_loss, optimizer=judging),
            Phase(name="G", player=self.generator, loss=self.generator_loss, optimizer=self.adam, after=self._remember),
        ]

    def discriminator_loss(self, batch: Lines) -> Terms:
        """Cross-entropy of every place of a real line as such and of a drawn one as drawn, each by half."""
        drawn, drop = self.drawn_for(batch), dropping(batch.rand, self.config.dropout)
        real, fake = (self.discriminator(tokens, drop) for tokens in (batch.tokens, drawn))
        return {"cross_entropy": non_saturating_discriminator(real, fake) / 2}

    def generator_loss(self, batch: Lines) -> Terms:
        """``-sum_t (R_t - b) ln G(y_t | y_<t) / length`` of lines that it draws; returns have no slope."""
        tokens = self.drawn_for(batch)
        returns = self.returns(tokens, batch)
        baseline = batch.keep("baseline", self._moved_baseline(returns))
        held = token_log_probs(self.generator(tokens), tokens) * (returns - baseline)
        return {"policy": -held.mean(1)}

    @torch.no_grad()
    def returns(self, tokens: Tokens, batch: Lines) -> Float[Tensor, "n l"]:
        """``R_t`` of every place: its reward ``2 D_t - 1``, and the discounted ones of the places after it."""
        logits = self.discriminator(tokens, dropping(batch.rand, self.config.dropout))
        return discounted(2 * logits.sigmoid() - 1, self.config.discount)

    @torch.no_grad()
    def judge(self, tokens: Tokens) -> PerSample:
        """The mean logit of the places of a line; higher is more real."""
        return self.discriminator(tokens).sum(1) / said(tokens).sum(1)

    def _moved_baseline(self, returns: Float[Tensor, "n l"]) -> Tensor:
        """The moving mean with the returns of this batch, of all ranks, in it."""
        mean = all_ranks_mean(returns).mean()
        return torch.lerp(mean, self.baseline.to(mean), self.config.baseline_decay)

    def _remember(self, batch: Lines, terms: Terms) -> None:
        self.baseline.copy_(batch.kept["baseline"])


def discounted(rewards: Float[Tensor, "n l"], discount: float) -> Float[Tensor, "n l"]:
    """``R_t = sum_{s >= t} gamma^(s - t) r_s``.

    >>> discounted(torch.tensor([[1.0, 2.0, 4.0]]), 0.5)
    tensor([[3., 4., 4.]])
    """
    found = [rewards[:, -1]]
    for reward in rewards[:, :-1].flip(1).unbind(1):
        found.append(reward + discount * found[-1])
    return torch.stack(found[::-1], 1)
