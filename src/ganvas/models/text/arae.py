"""ARAE: an autoencoder of lines, and a game over its codes, so that what draws lines needs no choice of tokens.

Zhao, Kim, Zhang, Rush, LeCun: Adversarially Regularized Autoencoders (ICML 2018), https://arxiv.org/abs/1706.04223,
with the settings of the authors' code (https://github.com/jakezhaojb/ARAE, lang/run_snli.py). A line becomes a code on
the unit sphere, and again the line. A generator makes codes of latents; a critic, whose slope is held, tells them from
codes of lines; and the encoder is moved too, a little, so that its codes look generated (algorithm 1)::

    autoencoder:  min  -ln p(x | c(x) + noise)
    critic:       max  E D(c(x)) - E D(G(z))
    encoder:      min  weight E D(c(x))
    generator:    max  E D(G(z))

Noise of the code makes lines that lie near each other alike; it fades as training goes on. What is drawn is the most
probable token of every place, given a generated code.

Departs from the authors' code:
- The autoencoder moves by Adam, where theirs moves by gradient descent of rate 1 with clipped gradients; and at every
  step, as the critic does, where theirs moves once for five moves of the critic.
- Generator and critic are fully connected without batch norm, which under a penalty would mix the slopes of a batch.
- The noise fades at every move, to where theirs is after every hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.schedule import Schedule, Stage, Steady
from ganvas.core.shapes import Labels, Latents, PerSample, Tokens
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.games.line_config import LineConfig
from ganvas.losses.likelihoods.line_likelihood import Logits, line_log_prob
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty
from ganvas.networks.fully_connected import FullyConnected
from ganvas.networks.sequences.recurrent_lines import RecurrentLines
from ganvas.networks.sequences.recurrent_readers import LineEncoder

MOVES = 100  # Of the autoencoder, over which ``noise_decay`` is said.


@dataclass(frozen=True, kw_only=True)
class Config(LineConfig):
    """Every setting of the networks and their game; the defaults are the authors', but for the autoencoder's Adam."""

    length: int = 15
    embedding: int = 300
    hidden: int = 300  # Of the decoder.
    code_size: int = 300
    latent_size: int = 100
    width: int = 300  # Of every hidden layer of generator and critic.
    depth: int = 2  # Hidden layers of each.
    penalty_weight: float = 1.0
    encoder_weight: float = 0.1  # Of what the critic says, in the encoder's move.
    noise: float = 0.05  # Deviation of what is added to a code before it is decoded, at the start ...
    noise_decay: float = 0.9995  # ... times this after every hundred moves of the autoencoder.
    critic_moves: int = 5  # For each move of the generator, and of the encoder against the critic.
    lr: float = 1e-3  # Of the autoencoder, as beta1.
    game_lr: float = 1e-4  # Of generator and critic, as game_beta1.
    game_beta1: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "embedding", "hidden", "code_size", "latent_size", "width", "depth", "critic_moves")
        at_least(self, 0, "penalty_weight", "encoder_weight", "noise")
        above(self, 0, "game_lr", "noise_decay")
        fractions(self, "game_beta1")


TINY = Config(
    length=4,
    alphabet=6,
    embedding=3,
    hidden=6,
    code_size=5,
    latent_size=4,
    width=8,
    depth=1,
    critic_moves=2,
    batch_size=8,
)


class LineAutoencoder(nn.Module):
    """From lines to codes, and from codes to the logits of lines."""

    def __init__(self, line: LineSize, *, embedding: int, hidden: int, code: int) -> None:
        super().__init__()
        self.encoder = LineEncoder(line, embedding=embedding, code=code)
        self.decoder = RecurrentLines(line, embedding=embedding, hidden=hidden, code=code)

    def forward(self, tokens: Tokens, noise: Latents) -> Logits:
        """The logits of every place of lines, given the tokens before and the code with noise added."""
        return self.decoder(tokens, self.encoder(tokens) + noise)


class Model(LatentGame[Config, Lines]):
    """The autoencoder, and the generator and critic of its codes."""

    takes = (Lines,)
    noise: Tensor  # The deviation that is added to codes now, ().

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.autoencoder = LineAutoencoder(
            config.line, embedding=config.embedding, hidden=config.hidden, code=config.code_size
        )
        width, depth = config.width, config.depth
        self.generator = FullyConnected(config.latent_size, config.code_size, width=width, depth=depth)
        self.critic = FullyConnected(config.code_size, 1, width=width, depth=depth, last_bias=False)
        self.register_buffer("noise", torch.tensor(config.noise))

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def memory(self) -> Sequence[str]:
        """How far the noise has faded."""
        return ("noise",)

    def phases(self) -> list[Phase[Lines]]:
        """Autoencoder and critic at every step, encoder and generator at every ``critic_moves``-th.

        Both moves of the encoder share one optimiser: with moments apart, the weight of the second would say nothing.
        """
        config, moves = self.config, every(self.config.critic_moves)
        own = Adam(beta1=config.beta1, beta2=config.beta2)
        game = Adam(beta1=config.game_beta1, beta2=config.beta2, lr_factor=config.game_lr / config.lr)
        return [
            Phase(name="A", player=self.autoencoder, loss=self._line_loss, optimizer=own, after=self._fade),
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=game),
            Phase(
                name="E",
                player=self.autoencoder,
                loss=self._encoder_loss,
                turn=moves,
                weight=config.encoder_weight,
                optimizer=own,
            ),
            Phase(name="G", player=self.generator, loss=self._generator_loss, turn=moves, optimizer=game),
        ]

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Tokens:
        """The most probable token of every place, given the code that is made of a latent."""
        return self.autoencoder.decoder.say(len(z), lambda logits: logits.argmax(1), code=self.generator(z))

    def judge(self, tokens: Tokens, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds the codes of lines; higher is more real."""
        return self._verdicts(self.autoencoder.encoder(tokens))

    def _line_loss(self, batch: Lines) -> Terms:
        """``-ln p(x | c(x) + noise)`` over the length of a line: nats per place."""
        noise = self.noise * batch.randn(self.config.code_size)
        logits = self.autoencoder(batch.tokens, noise)
        return {"nll": -line_log_prob(logits, batch.tokens) / self.config.length}

    def _critic_loss(self, batch: Lines) -> Terms:
        with torch.no_grad():
            reals, fakes = self.autoencoder.encoder(batch.tokens), self.generator(self.latents_of(batch))
        terms = {"wasserstein": wasserstein_discriminator(self._verdicts(reals), self._verdicts(fakes))}
        if weight := self.config.penalty_weight:
            terms["gradient_penalty"] = gradient_penalty(self._verdicts, reals, fakes, batch.rand(), weight=weight)
        return terms

    def _encoder_loss(self, batch: Lines) -> Terms:
        """``D(c(x))``: codes of lines are to look generated, as generated ones are to look real."""
        return {"wasserstein": self._verdicts(self.autoencoder.encoder(batch.tokens))}

    def _generator_loss(self, batch: Lines) -> Terms:
        return {"wasserstein": wasserstein_generator(self._verdicts(self.generator(self.latents_of(batch))))}

    def _verdicts(self, codes: Latents) -> PerSample:
        return self.critic(codes).squeeze(1)

    def _fade(self, batch: Lines, terms: Terms) -> None:
        self.noise.mul_(self.config.noise_decay ** (1 / MOVES))
