"""Log-likelihood of pictures under a decoder, by annealed importance sampling, with a certificate of how tight it is.

Wu, Burda, Salakhutdinov, Grosse: On the Quantitative Analysis of Decoder-Based Generative Models (ICLR 2017),
https://arxiv.org/abs/1611.04273. A generator has no density of its own; with a small noise around its pictures,
``p(x | z) = N(G(z), sigma^2 I)`` with z of N(0, I), it has one, ``p(x) = E_z p(x | z)``, and held-out pictures tell
overfitting from missing modes. Chains walk from the prior to the posterior through the targets
``p(z) p(x | z)^beta``, by Hamiltonian Monte Carlo, and ``log w = sum (beta_{t+1} - beta_t) log p(x | z_t)``; the log
of the mean weight over chains is a lower bound of ``log p(x)`` in the mean (Neal 2001,
https://arxiv.org/abs/physics/9803008). Pictures that the model drew itself come with an exact posterior sample; a chain
that walks back from it gives an upper bound (bidirectional Monte Carlo: Grosse, Ghahramani, Adams 2015,
https://arxiv.org/abs/1511.02543). The gap between both, on such pictures, says how far the value may be too low.

``sigma^2`` is the variance. The value is in nats per picture. Standard error: deviation over pictures. It is that of
the bound; how tight the bound is, the gap says. Numbers that the paper leaves open are those of the authors' code,
https://github.com/tonywu95/eval_gen: acceptance of 0.65, steps in [1e-4, 0.5], a schedule of 4 to either side.

Departs from them:
- The length of HMC's steps is adapted in a pilot run, for every picture and temperature, and then frozen. A chain that
  adapts itself, as theirs, has no invariant distribution, and the bounds lose their proof.
- The pilot aims at the mean probability of acceptance, not at a running share of accepted proposals.
- One pass through the decoder per leapfrog step, and none besides: weights and energies take what is known already.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.core.seeds import stream
from ganvas.metrics.likelihood import hmc
from ganvas.metrics.likelihood.observation_models import Decoder, Likelihood, Observation

NAME = "ais"
TITLE = "AIS log-likelihood"
BETTER = "higher"
SEES = "decoder"
ALONE = True
MINIMUM = 2
COST = "chains x temperatures x 10 passes through the decoder, for every picture: minutes to days"
COMMAND = "ganvas likelihood RUN"

ERROR_METHOD = "deviation over pictures"
FIRST_STEP = 0.1
HASTE = 0.5  # Of the pilot: by how much log(step) moves when every proposal is refused, over the target.
SMOOTHED = 5  # Temperatures over which the pilot's steps are averaged.

Tick = Callable[[int], object]  # Told of passes of one row through the decoder and back.
PerPicture = Float[Tensor, " pictures"]
Steps = Float[Tensor, "pictures transitions"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value; the defaults are the paper's numbers and its authors'."""

    temperatures: int = 10_000  # Values of beta, 0 and 1 included.
    chains: int = 16  # Per picture.
    leapfrog_steps: int = 10
    pilot: int = 500  # Temperatures of the run that finds the length of steps.
    rad: float = 4.0  # Steepness of the schedule.
    acceptance: float = 0.65
    shortest: float = 1e-4
    longest: float = 0.5

    def __post_init__(self) -> None:
        for name, least in (("temperatures", 2), ("chains", 1), ("leapfrog_steps", 1), ("pilot", 2)):
            if getattr(self, name) < least:
                raise UserError(f"{name}={getattr(self, name)} must be at least {least}.")
        if not 0 < self.acceptance < 1 or not 0 < self.shortest <= self.longest or not self.rad > 0:
            raise UserError(
                f"acceptance={self.acceptance} must lie in (0, 1), rad={self.rad} above 0, and "
                f"shortest={self.shortest} above 0 and not above longest={self.longest}."
            )

    def passes(self, pictures: int, *, runs: int = 1) -> int:
        """Passes of one row through the decoder and back: ``runs`` annealings, and the pilot before them."""
        walks = [self.pilot, *[self.temperatures] * runs]
        return pictures * self.chains * sum(1 + self.leapfrog_steps * max(count - 2, 0) for count in walks)


TINY = Config(temperatures=20, chains=4, pilot=20)


@dataclass(frozen=True)
class Estimate:
    """A bound of ``log p(x)`` for every picture, and how the chains fared."""

    values: PerPicture  # Nats.
    effective: PerPicture  # Effective number of chains, 1 to all: the weights' (sum w)^2 / sum w^2.
    acceptance: PerPicture  # Mean probability of a proposal.


@dataclass(frozen=True)
class Sandwich:
    """Both bounds of the same pictures, which the model drew itself."""

    lower: Estimate
    upper: Estimate

    @property
    def gap(self) -> PerPicture:
        return self.upper.values - self.lower.values


def schedule(temperatures: int, *, rad: float = 4.0) -> list[float]:
    """``beta_t`` from 0 to 1: a logistic function on ``[-rad, rad]``, moved and stretched to these ends.

    >>> schedule(3)
    [0.0, 0.5, 1.0]
    """
    curve = torch.sigmoid(torch.linspace(-rad, rad, temperatures, dtype=torch.float64))
    return ((curve - curve[0]) / (curve[-1] - curve[0])).tolist()


def log_likelihood(
    decoder: Decoder,
    pictures: Tensor,
    observation: Observation,
    *,
    config: Config | None = None,
    seed: int = 0,
    rows: int | None = None,
    tick: Tick | None = None,
) -> Estimate:
    """A lower bound, in the mean over runs, of ``log p(x)`` of every picture.

    Args:
        pictures: In the units of the decoder's means.
        rows: Of a pass through the decoder; as many as fit into memory where left out. Changes rounding alone.
        tick: Told how many passes were done, now and then.

    Raises:
        UserError: the pictures have another size than the decoder's, or what it makes is not finite.
    """
    config = config or Config()
    likelihood = Likelihood(decoder, pictures, observation, chains=config.chains, rows=rows)
    steps = pilot(likelihood, config, seed=seed, tick=tick)
    return forward(likelihood, steps, config, seed=seed, tick=tick)


def sandwich(
    decoder: Decoder,
    observation: Observation,
    *,
    n: int,
    config: Config | None = None,
    seed: int = 0,
    rows: int | None = None,
    tick: Tick | None = None,
) -> Sandwich:
    """Both bounds on ``n`` pictures of the model's own: ``z ~ N(0, I)``, ``x ~ p(x | z)``."""
    config = config or Config()
    rng = stream(seed, NAME, "simulated")
    z = torch.randn(n, decoder.latent_size, generator=rng, dtype=torch.float64).to(decoder.device)
    with torch.no_grad():
        means = torch.cat([decoder.decode(part.to(decoder.dtype)) for part in z.split(rows or 64)])
    pictures = observation.draw(means, rng)
    likelihood = Likelihood(decoder, pictures, observation, chains=config.chains, rows=rows)
    steps = pilot(likelihood, config, seed=seed, tick=tick)
    return Sandwich(
        lower=forward(likelihood, steps, config, seed=seed, tick=tick),
        upper=backward(likelihood, z, steps, config, seed=seed, tick=tick),
    )


def forward(likelihood: Likelihood, steps: Steps, config: Config, *, seed: int, tick: Tick | None = None) -> Estimate:
    """From the prior to the posterior: ``log mean w``, at most ``log p(x)`` in the mean."""
    rng = stream(seed, NAME, "forward")
    betas = schedule(config.temperatures, rad=config.rad)
    walked = _walk(likelihood, _prior(likelihood, rng), betas, steps, config, rng=rng, tick=tick)
    return _estimate(*walked)


def backward(
    likelihood: Likelihood, z: Tensor, steps: Steps, config: Config, *, seed: int, tick: Tick | None = None
) -> Estimate:
    """From an exact sample of the posterior of each picture to the prior: at least ``log p(x)`` in the mean.

    All chains of a picture start from its one sample: their weights are dependent, and the mean of ``1 / w`` is still
    ``1 / p(x)``.
    """
    rng = stream(seed, NAME, "backward")
    betas = schedule(config.temperatures, rad=config.rad)[::-1]
    start = z.double().repeat_interleave(likelihood.chains, dim=0)
    walked = _walk(likelihood, start, betas, steps.flip(1), config, rng=rng, tick=tick)
    upper = _estimate(*walked)
    return Estimate(-upper.values, upper.effective, upper.acceptance)


def pilot(likelihood: Likelihood, config: Config, *, seed: int, tick: Tick | None = None) -> Steps:
    """The length of a step for every picture and transition, from a shorter run on random numbers of its own.

    ``log step`` moves by ``HASTE (probability - target)``, with the mean probability of the picture's chains.
    """
    rng = stream(seed, NAME, "pilot")
    pictures = len(likelihood.pictures)
    log_step = torch.full((pictures,), math.log(FIRST_STEP), dtype=torch.float64, device=likelihood.decoder.device)
    limits = {"min": math.log(config.shortest), "max": math.log(config.longest)}
    points = _start(likelihood, _prior(likelihood, rng), tick)
    used = []
    for beta in schedule(config.pilot, rad=config.rad)[1:-1]:
        points, probability = _move(likelihood, points, beta, log_step.clamp(**limits).exp(), config, rng, tick)
        log_step = (log_step + HASTE * (probability - config.acceptance)).clamp(**limits)
        used.append(log_step)
    return _stretched(torch.stack(used or [log_step.clamp(**limits)], dim=1), max(config.temperatures - 2, 0))


def results(
    found: Estimate, observation: Observation, *, dimensions: int, simulated: Sandwich | None, protocol: str, seed: int
) -> list[Result]:
    """Mean nats per picture, bits per dimension, and the gap on simulated pictures."""
    mean, error = _mean(found.values)
    bits = observation.bits_per_dim(mean, dimensions)
    scale = 1 / dimensions / math.log(2)
    n = len(found.values)
    rows = [(NAME, mean, error, n, BETTER), (f"{NAME}.bits_per_dim", bits, error * scale, n, "lower")]
    if simulated is not None:
        drawn = {"gap": simulated.gap, "simulated.lower": simulated.lower.values}
        drawn["simulated.upper"] = simulated.upper.values
        better = {"gap": "lower"}
        rows += [(f"{NAME}.{k}", *_mean(v), len(v), better.get(k, "neither")) for k, v in drawn.items()]
    return [
        Result(
            metric=metric,
            value=value,
            standard_error=spread if count > 1 else None,
            error_method=ERROR_METHOD,
            n=count,
            seed=seed,
            better=better,  # type: ignore[arg-type]
            protocol=protocol,
        )
        for metric, value, spread, count, better in rows
    ]


def _walk(
    likelihood: Likelihood,
    z: Tensor,
    betas: list[float],
    steps: Steps,
    config: Config,
    *,
    rng: torch.Generator,
    tick: Tick | None,
) -> tuple[Tensor, PerPicture]:
    """``log w`` of every chain along the temperatures in the order given, and the mean probability of proposals.

    The weight counts every temperature at the latents before the move to it; the last needs no move.
    """
    points = _start(likelihood, z, tick)
    log_weights = torch.zeros_like(points.log_likelihood)
    accepted = torch.zeros(len(likelihood.pictures), dtype=torch.float64, device=z.device)
    for index in range(len(betas) - 1):
        log_weights += (betas[index + 1] - betas[index]) * points.log_likelihood
        if index < len(betas) - 2:
            points, probability = _move(likelihood, points, betas[index + 1], steps[:, index], config, rng, tick)
            accepted += probability / (len(betas) - 2)
    return log_weights.view(-1, likelihood.chains), accepted


def _move(
    likelihood: Likelihood,
    points: hmc.ChainPoints,
    beta: float,
    step: PerPicture,
    config: Config,
    rng: torch.Generator,
    tick: Tick | None,
) -> tuple[hmc.ChainPoints, PerPicture]:
    points, probability = hmc.transition(
        points,
        beta=beta,
        step=step.repeat_interleave(likelihood.chains),
        steps=config.leapfrog_steps,
        evaluate=likelihood,
        rng=rng,
    )
    if tick is not None:
        tick(len(probability) * config.leapfrog_steps)
    return points, probability.view(-1, likelihood.chains).mean(1)


def _start(likelihood: Likelihood, z: Tensor, tick: Tick | None) -> hmc.ChainPoints:
    points = hmc.points_at(z, likelihood)
    if not points.log_likelihood.isfinite().all():
        raise UserError(
            "The decoder makes pictures whose colours are not finite numbers, so they have no likelihood. "
            "Training has diverged: take an earlier model of the run (--kimg)."
        )
    if tick is not None:
        tick(len(z))
    return points


def _prior(likelihood: Likelihood, rng: torch.Generator) -> Tensor:
    shape = (len(likelihood.pictures) * likelihood.chains, likelihood.decoder.latent_size)
    return torch.randn(shape, generator=rng, dtype=torch.float64).to(likelihood.decoder.device)


def _stretched(log_steps: Tensor, transitions: int) -> Steps:
    """A pilot's steps, smoothed, at as many transitions as a run has: both schedules have one shape."""
    if transitions == 0:
        return log_steps[:, :0]
    around = min(SMOOTHED, log_steps.shape[1])
    padded = torch.nn.functional.pad(log_steps, ((around - 1) // 2, around // 2), mode="replicate")
    smooth = padded.unfold(1, around, 1).mean(-1)
    places = torch.linspace(0, smooth.shape[1] - 1, transitions, dtype=torch.float64, device=smooth.device)
    below = places.floor().long().clamp(max=max(smooth.shape[1] - 2, 0))
    above = (below + 1).clamp(max=smooth.shape[1] - 1)
    return torch.lerp(smooth[:, below], smooth[:, above], places - below).exp()


def _estimate(log_weights: Tensor, acceptance: PerPicture) -> Estimate:
    total = log_weights.logsumexp(1)
    effective = (2 * total - (2 * log_weights).logsumexp(1)).exp()
    values = total - math.log(log_weights.shape[1])
    return Estimate(values.cpu(), effective.cpu(), acceptance.cpu())


def _mean(values: PerPicture) -> tuple[float, float]:
    """With its standard error."""
    spread = float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), spread
