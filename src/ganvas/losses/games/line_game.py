"""Games of text whose generator says lines token by token: how lines are drawn and how likely they are, written once.

:class:`LineGame` has one network that knows the probability of every next token. :class:`AdversarialLineGame` first
trains it by maximum likelihood, then against a discriminator; what the generator descends then, a model's file says. A
token is a choice without a slope, so that each such file has its own way around that.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.core.schedule import Schedule, Steady
from ganvas.core.shapes import Labels, PerSample, Tokens
from ganvas.losses.adversarial import non_saturating_discriminator
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Game, Phase, Terms, Turn
from ganvas.losses.games.line_config import AdversarialLineConfig, LineConfig
from ganvas.losses.likelihoods.bits import Kind
from ganvas.losses.likelihoods.line_likelihood import Logits, line_log_prob
from ganvas.losses.optimizers import Adam

NextLogits = Float[Tensor, "n v"]
NextTokens = Int[Tensor, " n"]


class Speaker(nn.Module, ABC):
    """A network that knows how likely every next token of a line is."""

    @abstractmethod
    def forward(self, tokens: Tokens) -> Logits:
        """The logits of every place of given lines, each place told of those before it."""

    @abstractmethod
    def say(
        self,
        n: int,
        choose: Callable[[NextLogits], NextTokens],
        *,
        start: Tokens | None = None,
        given: Int[Tensor, " n"] | None = None,
    ) -> Tokens:
        """``n`` lines of the whole length, each token chosen from its logits; of ``start`` so many are kept."""


L = TypeVar("L", bound=LineConfig)
A = TypeVar("A", bound=AdversarialLineConfig)


class LineGame(Game[L, Lines], ABC):
    """A game of text whose generator says lines token by token."""

    takes = (Lines,)
    density: Kind = "exact"
    generator: Speaker

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def log_prob(self, tokens: Tokens, rng: torch.Generator) -> PerSample:
        """``ln p(x)`` of lines, in nats, exactly."""
        return line_log_prob(self.generator(tokens), tokens)

    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> Tokens:
        """``n`` lines, token by token."""
        return self.sample_at(n, rng, 1.0)

    def sample_at(self, n: int, rng: torch.Generator, temperature: float) -> Tokens:
        """``n`` lines, each token from ``softmax(logits / temperature)``."""
        dice = lambda: torch.rand(n, generator=rng, device=rng.device)  # noqa: E731
        return self.generator.say(n, lambda logits: sampled(logits, dice(), temperature))

    def drawn_for(self, batch: Lines) -> Tokens:
        """A drawn line for each one of a batch, from the stream of its step."""
        return self.generator.say(batch.size, lambda logits: sampled(logits, batch.rand()))

    def likelihood_loss(self, batch: Lines) -> Terms:
        """Nats of each line."""
        return {"nll": -line_log_prob(self.generator(batch.tokens), batch.tokens)}

    @property
    def adam(self) -> Adam:
        """The generator's optimiser."""
        return Adam(beta1=self.config.beta1, beta2=self.config.beta2)


class AdversarialLineGame(LineGame[A], ABC):
    """Maximum likelihood first, then a game with a discriminator of lines.

    The discriminator plays from ``likelihood_kimg`` on, the generator ``discriminator_kimg`` later, once in
    ``discriminator_moves`` steps.
    """

    discriminator: nn.Module  # From tokens (n, l), or weights of tokens (n, l, v), to one logit of each line.

    def phases(self) -> list[Phase[Lines]]:
        """Likelihood, the discriminator, and the generator against it."""
        config = self.config
        learnt = round(1000 * config.likelihood_kimg)
        ready = learnt + round(1000 * config.discriminator_kimg)
        judging = Adam(beta1=config.beta1, beta2=config.beta2, lr_factor=config.discriminator_lr / config.lr)
        return [
            Phase(name="N", player=self.generator, loss=self.likelihood_loss, turn=_until(learnt), optimizer=self.adam),
            Phase(
                name="D", player=self.discriminator, loss=self.discriminator_loss, turn=_from(learnt), optimizer=judging
            ),
            Phase(
                name="G",
                player=self.generator,
                loss=self.generator_loss,
                turn=_from(ready, config.discriminator_moves),
                optimizer=self.adam,
            ),
        ]

    def discriminator_loss(self, batch: Lines) -> Terms:
        """Cross-entropy of real lines as such and of drawn ones as drawn (Goodfellow et al. 2014, eq. 1)."""
        real, fake = self.discriminator(batch.tokens), self.discriminator(self.drawn_for(batch))
        return {"cross_entropy": non_saturating_discriminator(real, fake)}

    @abstractmethod
    def generator_loss(self, batch: Lines) -> Terms:
        """What the generator descends in the game."""

    @torch.no_grad()
    def judge(self, tokens: Tokens) -> PerSample:
        """How real lines look; higher is more real."""
        return self.discriminator(tokens)


def sampled(logits: NextLogits, uniform: Float[Tensor, " n"], temperature: float = 1.0) -> NextTokens:
    """A token from ``softmax(logits / temperature)``: where the sum of probabilities first exceeds a uniform number.

    Args:
        uniform: In [0, 1), one for each row.
        temperature: 0 takes the most probable.
    """
    if temperature == 0:
        return logits.argmax(1)
    sums = (logits / temperature).softmax(1).cumsum(1)
    below = sums <= uniform.to(sums).unsqueeze(1) * sums[:, -1:]  # The last sum is 1 but for rounding.
    return below.sum(1).clamp_max(logits.shape[1] - 1)


def _until(nimg: int) -> Turn:
    return lambda step, shown: shown < nimg


def _from(nimg: int, every: int = 1) -> Turn:
    return lambda step, shown: shown >= nimg and (step + 1) % every == 0
