"""Game of models that learn to remove noise: one network, drawing by a solver, and a bound of the likelihood.

A model's file says what its network is asked (:meth:`DiffusionGame.denoised`), how it is taught (:meth:`loss_of`) and
along which equation it draws (:meth:`draw`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal, TypeVar

import torch
from torch import nn

from ganvas.core.schedule import Stage, Steady, ramped_decay
from ganvas.core.shapes import Labels, Latents, PerSample, Samples
from ganvas.losses.batches.picture_batch import HIDDEN, Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.diffusion.diffusion_config import DiffusionConfig
from ganvas.losses.diffusion.flow_density import flow_log_density
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.losses.diffusion.variational_bound import variational_bound
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import FramedGame, LatentGame
from ganvas.losses.likelihoods.bits import dequantised, of_whole_colours
from ganvas.losses.optimizers import Adam

BOUND_DRAWS = 8  # Noise levels per sample, from which a bound of its likelihood is computed.

D = TypeVar("D", bound=DiffusionConfig)


class DiffusionGame(FramedGame[D], LatentGame[D, Pictures | Points], ABC):
    """One network and one loss; a latent is the noise that drawing starts from, flattened."""

    density: Literal["lower bound"] = "lower bound"
    churns = False  # Whether its equation has a form with noise.
    network: nn.Module

    @abstractmethod
    def denoised(self, x: Samples, sigma: PerSample, labels: Labels | None) -> Samples:
        """The mean of the samples that ``x`` may be, with noise of deviation ``sigma`` added to them."""

    @abstractmethod
    def loss_of(self, x: Samples, labels: Labels | None, batch: Pictures | Points) -> Terms:
        """What the network descends, of samples as it sees them."""

    @abstractmethod
    def draw(
        self, noise: Samples, labels: Labels | None, options: SolverOptions, rng: torch.Generator | None
    ) -> Samples:
        """Samples as the network sees them, of standard normal noise."""

    def schedule(self) -> Steady:
        """One batch size; a learning rate that rises and stays."""
        config = self.config
        return Steady(batch_size=config.batch_size, lr=config.lr, warm_up_kimg=config.warm_up_kimg)

    def phases(self) -> list[Phase[Pictures | Points]]:
        """The network removes noise."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        return [Phase(name="N", player=self.network, loss=self._loss, optimizer=adam, average=self.average_decay)]

    def average_decay(self, nimg: int) -> float:
        """Of the averaged weights on the step at ``nimg``."""
        config = self.config
        return ramped_decay(
            nimg,
            half_life_kimg=config.average_half_life_kimg,
            ramp=config.average_ramp,
            batch_size=config.batch_size,
        )

    @property
    def guides(self) -> bool:
        """Whether it knows classes, and samples whose class is not told."""
        return self.config.num_classes > 0 and self.config.label_dropout > 0

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Samples:
        """Samples of latents as the settings say, without noise on the way: pictures in [-1, 1], points as the data."""
        return self.decode_by(z, labels, SolverOptions(churn=0.0 if self.churns else None))

    def adds_noise(self, options: SolverOptions) -> bool:
        """Whether there is noise on the way."""
        return False

    def decode_by(
        self, z: Latents, labels: Labels | None, options: SolverOptions, rng: torch.Generator | None = None
    ) -> Samples:
        """Samples of latents.

        Args:
            rng: Of the noise that is added on the way, where ``options`` say so.

        Raises:
            UserError: an option that this model has not.
        """
        options.check(guides=self.guides, churns=self.churns)
        drawn = self.outside(self.draw(z.view(-1, *self.sample_shape), labels, options, rng).to(z.dtype))
        return drawn if self.config.dims else drawn.clamp(-1, 1)

    def guided(self, ask: Callable[[Labels | None], Samples], labels: Labels | None, options: SolverOptions) -> Samples:
        """``none + g (class - none)``: what is asked of a class, less what is asked of none (Ho & Salimans 2022).

        https://arxiv.org/abs/2207.12598, eq. 6, with their ``1 + w`` as ``g``; 1 asks once, and of the class alone.
        """
        scale = self.config.guidance if options.guidance is None else options.guidance
        if scale == 1 or labels is None:
            return ask(labels)
        none = ask(torch.full_like(labels, HIDDEN))
        return none + scale * (ask(labels) - none)

    def told(self, samples: Samples) -> Labels | None:
        """A class for each sample that tells nothing; None of a model without classes."""
        return torch.full((len(samples),), HIDDEN, device=samples.device) if self.config.num_classes else None

    @property
    def density_details(self) -> str:
        """How the bound is found."""
        config = self.config
        return f"variational:levels{BOUND_DRAWS}:sigma{config.sigma_min:g}-{config.sigma_max:g}"

    @torch.no_grad()
    def log_prob(self, images: Samples, rng: torch.Generator) -> PerSample:
        """A lower bound of ``ln p(x)`` in nats per sample: of pictures of whole colours, of points their density.

        Of a model with classes it is the bound of a sample whose class is not told.
        """
        x = self.inside(images)
        found = variational_bound(
            lambda noisy, sigma: self.denoised(noisy, sigma, self.told(noisy)),
            x,
            rng,
            sigma_min=self.config.sigma_min,
            sigma_max=self.config.sigma_max,
            prior_std=self.config.sigma_max,
            draws=BOUND_DRAWS,
            whole_colours=not self.config.dims,
        )
        return self._in_data_units(found)

    @torch.no_grad()
    def flow_log_prob(self, images: Samples, rng: torch.Generator, steps: int) -> PerSample:
        """``ln p(x)`` in nats per sample by the flow: of whole colours with noise in their bins, of points."""
        x = self.inside(images if self.config.dims else dequantised(images, rng))
        found = flow_log_density(
            lambda noisy, sigma: self.denoised(noisy, sigma, self.told(noisy)),
            x,
            rng,
            sigma_min=self.config.sigma_min,
            sigma_max=self.config.sigma_max,
            steps=steps,
        )
        return self._in_data_units(found) if self.config.dims else of_whole_colours(found, images[0].numel())

    def _in_data_units(self, found: PerSample) -> PerSample:
        return found - self.config.dims * float(self.unit.double().log()) if self.config.dims else found

    def _loss(self, batch: Pictures | Points) -> Terms:
        x, labels = self.reals(batch), batch.labels if self.config.num_classes else None
        if labels is not None and self.config.label_dropout:
            labels = torch.where(batch.rand() < self.config.label_dropout, torch.full_like(labels, HIDDEN), labels)
        return self.loss_of(x, labels, batch)


def mean_square(difference: Samples) -> PerSample:
    """The mean over each sample's numbers of their squares."""
    return difference.square().flatten(1).mean(1)
