"""Language model: an LSTM that is told the tokens of a line one by one, trained by maximum likelihood.

Mikolov, Karafiat, Burget, Cernocky, Khudanpur: Recurrent neural network based language model (Interspeech 2010),
https://doi.org/10.21437/Interspeech.2010-343. It is the baseline of every model that draws
text: it knows the exact probability of a line, and at temperatures below 1 it draws fewer kinds of better lines (Caccia
et al.: Language GANs falling short, 2020, https://arxiv.org/abs/1811.02549), so that a model of text is worth its cost
where it lies above this curve.

Departs from the paper:
- An LSTM in the place of a plain recurrent network, whole lines in the place of an endless text, Adam in the place of
  gradient descent, and no dynamic model that goes on learning on the test text.
- What is measured and draws is a running average of the weights.
"""

from dataclasses import dataclass

from ganvas.core.checks import at_least, fractions
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Phase
from ganvas.losses.games.line_config import LineConfig
from ganvas.losses.games.line_game import LineGame
from ganvas.networks.sequences.recurrent_lines import RecurrentLines


@dataclass(frozen=True, kw_only=True)
class Config(LineConfig):
    """Every setting of the network and its training."""

    length: int = 64
    embedding: int = 64
    hidden: int = 256
    layers: int = 1
    lr: float = 2e-3
    average_decay: float = 0.99  # Of the weights, per step.

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "embedding", "hidden", "layers")
        fractions(self, "average_decay")


TINY = Config(length=5, alphabet=6, embedding=3, hidden=8, batch_size=8)


class Model(LineGame[Config]):
    """One network, which says how likely every next token is."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = RecurrentLines(
            config.line, embedding=config.embedding, hidden=config.hidden, layers=config.layers
        )

    def phases(self) -> list[Phase[Lines]]:
        """One player."""
        average = self.config.average_decay
        likelihood = Phase(
            name="N", player=self.generator, loss=self.likelihood_loss, optimizer=self.adam, average=average
        )
        return [likelihood]
