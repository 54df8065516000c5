"""Language model: an LSTM that is told the tokens of a line one by one, trained by maximum likelihood.

Mikolov, Karafiat, Burget, Cernocky, Khudanpur: Recurrent neural network based language model (Interspeech 2010),
https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html. It is the baseline of every model that draws
text: it knows the exact probability of a line, and at temperatures below 1 it draws fewer kinds of better lines (Caccia
et al.: Language GANs falling short, 2020, https://arxiv.org/abs/1811.02549), so that a model of text is worth its cost
where it lies above this curve.

Departs from the paper:
- An LSTM in the place of a plain recurrent network, whole lines in the place of an endless text, Adam in the place of
  gradient descent, and no dynamic model that goes on learning on the test text.
- What is measured and draws is a running average of the weights.
"""

from dataclasses import dataclass

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.line_size import LineSize, Unit
from ganvas.core.schedule import Schedule, Steady
from ganvas.core.shapes import Labels, PerSample, Tokens
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.bits import Kind
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.line_likelihood import line_log_prob
from ganvas.losses.optimizers import Adam
from ganvas.networks.recurrent_lines import RecurrentLines, sampled


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training."""

    length: int = 64  # Tokens of a line; longer ones are cut. At most that of the longest line of the data.
    alphabet: int = 100  # Numbers of tokens, two of them special. Taken from the data.
    unit: Unit = "characters"  # What a token is.
    closed: bool = False  # Lines never end before, and know all of their tokens. Taken from the data.
    embedding: int = 64
    hidden: int = 256
    layers: int = 1
    batch_size: int = 64
    lr: float = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    average_decay: float = 0.99  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "embedding", "hidden", "layers", "batch_size")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        assert self.line

    @property
    def line(self) -> LineSize:
        """The size of a line."""
        return LineSize(length=self.length, alphabet=self.alphabet, unit=self.unit, closed=self.closed)


TINY = Config(length=5, alphabet=6, embedding=3, hidden=8, batch_size=8)


class Model(Game[Config, Lines]):
    """One network, which says how likely every next token is."""

    takes = (Lines,)
    density: Kind = "exact"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = RecurrentLines(
            config.line, embedding=config.embedding, hidden=config.hidden, layers=config.layers
        )

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Lines]]:
        """One player."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        return [Phase(name="N", player=self.network, loss=self._loss, optimizer=adam, average=config.average_decay)]

    def log_prob(self, tokens: Tokens, rng: torch.Generator) -> PerSample:
        """``ln p(x)`` of lines, in nats, exactly."""
        return line_log_prob(self.network(tokens), tokens)

    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> Tokens:
        """``n`` lines, token by token."""
        return self.sample_at(n, rng, 1.0)

    def sample_at(self, n: int, rng: torch.Generator, temperature: float) -> Tokens:
        """``n`` lines, each token from ``softmax(logits / temperature)``."""
        shape = (n, self.config.alphabet)
        choose = lambda logits: sampled(  # noqa: E731
            logits, torch.rand(shape, generator=rng, device=rng.device, dtype=logits.dtype), temperature
        )
        return self.network.say(n, choose)

    def _loss(self, batch: Lines) -> Terms:
        """Nats of a line."""
        return {"nll": -line_log_prob(self.network(batch.tokens), batch.tokens)}
