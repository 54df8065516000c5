"""MaliGAN: a generator of text that learns from its own lines as from data, each weighed by how real it looks.

Che, Li, Zhang, Hjelm, Li, Song, Bengio: Maximum-Likelihood Augmented Discrete Generative Adversarial Networks (2017),
https://arxiv.org/abs/1702.07983. A discriminator that tells all apart has ``D / (1 - D) = p(x) / q(x)``: lines of the
generator, weighed by it, have the law of the data. Weights are normalised over the batch and held against a baseline
(section 3.2)::

    grad = sum_i (r_i / sum_j r_j - b / m) grad ln G(x_i)        r = D / (1 - D)

Copies of this model that are found weigh by D alone, which is another method.

Departs from the paper:
- Whole lines are weighed, in one stage: no real beginnings (mixed MLE), no tree of rollouts, a constant baseline b.
- The networks are those of text/seqgan, without dropout.
"""

from dataclasses import dataclass

from ganvas.core.checks import at_least
from ganvas.core.shapes import PerSample
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Terms
from ganvas.losses.games.line_config import AdversarialLineConfig
from ganvas.losses.games.line_game import AdversarialLineGame
from ganvas.losses.likelihoods.line_likelihood import line_log_prob
from ganvas.networks.sequences.line_classifier import LineClassifier
from ganvas.networks.sequences.recurrent_lines import RecurrentLines

MOST_LOGIT = 20.0  # A line that looks e^20 times more real than drawn has the batch to itself already.


@dataclass(frozen=True, kw_only=True)
class Config(AdversarialLineConfig):
    """Every setting of the two networks and their game."""

    baseline: float = 1.0  # b: 1 moves nothing where all lines look equally real.
    lr: float = 1e-3
    discriminator_lr: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "baseline")


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

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = RecurrentLines(config.line, embedding=config.embedding, hidden=config.hidden)
        self.discriminator = LineClassifier(
            config.line, embedding=config.embedding, widths=config.widths, filters=config.filters
        )

    def generator_loss(self, batch: Lines) -> Terms:
        """``-(m r_i / sum_j r_j - b) ln G(x_i)`` of lines that it draws; weights have no slope."""
        tokens = self.drawn_for(batch)
        weights = self.weights(self.discriminator(tokens).detach(), batch)
        return {"weighed": -(weights - self.config.baseline) * line_log_prob(self.generator(tokens), tokens)}

    def weights(self, logits: PerSample, batch: Lines) -> PerSample:
        """``m r_i / sum_j r_j`` with ``r = D / (1 - D) = exp(logit)``, over the lines of all ranks: 1 on average."""
        ratios = logits.clamp(-MOST_LOGIT, MOST_LOGIT).exp()
        mean = ratios.mean()
        batch.ranks.average_([mean])
        return ratios / mean
