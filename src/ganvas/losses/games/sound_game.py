"""The game of "Adversarial Audio Synthesis": a Wasserstein critic with a penalty on its slope, of waves or spectra.

Donahue, McAuley, Puckette (ICLR 2019), https://arxiv.org/abs/1802.04208; the penalty is that of Gulrajani et al. 2017.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import PerSample, Waves
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.game import Phase, Terms, every
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.games.sound_config import SoundConfig
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty

Seen = Float[Tensor, "n 1 h w"]  # A sound as the networks see it: a wave of one row, or a spectrogram.


G = TypeVar("G", bound=SoundConfig)


class SoundGame(LatentGame[G, Sounds], ABC):
    """Critic and generator; a model says how they see a sound."""

    takes = (Sounds,)
    prior: Literal["normal", "uniform"] = "uniform"
    generator: nn.Module  # From latents to sounds as the critic sees them.
    critic: nn.Module

    def __init__(self, config: G) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def inside(self, waves: Waves) -> Seen:
        """Waves as the networks see them."""

    def one_pass(self, batch: Sounds) -> Callable[[Seen], PerSample]:
        """The critic as it is in one pass: whatever it draws is drawn here."""
        del batch
        return self.critic

    def schedule(self) -> Steady:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Sounds]]:
        """The critic at every step, the generator at every ``critic_moves``-th."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        turn, average = every(self.config.critic_moves), self.config.average_decay or None
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=adam),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=turn,
                optimizer=adam,
                average=average,
            ),
        ]

    def _critic_loss(self, batch: Sounds) -> Terms:
        with torch.no_grad():
            fakes, reals = self.generator(self.latents_of(batch)), self.inside(batch.waves)
        real, fake = self.one_pass(batch)(reals), self.one_pass(batch)(fakes)
        terms = {"wasserstein": wasserstein_discriminator(real, fake)}
        if weight := self.config.penalty_weight:
            terms["gradient_penalty"] = gradient_penalty(
                self.one_pass(batch), reals, fakes, batch.rand(), weight=weight
            )
        return terms

    def _generator_loss(self, batch: Sounds) -> Terms:
        fakes = self.generator(self.latents_of(batch))
        return {"wasserstein": wasserstein_generator(self.one_pass(batch)(fakes))}

    def judge(self, images: Waves, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds sounds; higher is more real."""
        return self.critic(self.inside(images))
