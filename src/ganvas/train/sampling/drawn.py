"""Samples of a model as training and trained models draw them: from latents where it has them, else from streams."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Labels, Latents
from ganvas.losses.capabilities import (
    Detects,
    Draws,
    DrawsAtTemperature,
    Fills,
    HasLatents,
    HasTemperature,
    Segments,
    Solves,
    Translates,
    Truncates,
)
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.losses.game import Game
from ganvas.train.state import State

ROWS_OF_A_STREAM = 16  # Samples that a model without latents draws from one stream, whatever the batch.


def can_draw(model: Game) -> bool:
    """Whether a model draws samples of its own."""
    return isinstance(model, HasLatents | Draws)


@torch.no_grad()
def drawn_samples(
    model: Game,
    n: int,
    *,
    seed: int,
    purpose: str,
    labels: Labels | None = None,
    stage: Stage | None = None,
    truncation: float | None = None,
    temperature: float | None = None,
    solver: SolverOptions | None = None,
    batch: int = 64,
    start: int = 0,
) -> Iterator[Tensor]:
    """``n`` samples in batches, on the model's device; the same seed and purpose give the same ones.

    Latents are drawn whole before the first batch, so the batch size changes nothing. A model without latents, or with
    noise on the way, draws ``ROWS_OF_A_STREAM`` samples from each of a series of streams, for the same reason.

    Args:
        truncation: The share of its distance from the mean that an intermediate latent keeps; None is all of it.
        temperature: Of a model that has one; None is 1.
        solver: How an equation is solved, by a model that draws so; None is as its settings have it.
        start: So many of the first are left out; they are not computed, but for the rest of a batch.

    Raises:
        UserError: the model draws nothing, cannot truncate, has no temperature, or solves nothing.
    """
    device = next(model.parameters()).device
    how = {"stage": stage, "truncation": truncation, "temperature": temperature}
    options = solver or SolverOptions()
    if options.given and not isinstance(model, Solves):
        raise _no_solver(model, options)
    plainly = truncation is None and temperature is None
    if isinstance(model, Solves) and isinstance(model, HasLatents) and plainly:
        z = model.latents(n, stream(seed, purpose))
        yield from _solved(model, z, labels, options, (seed, purpose), batch, start)
    elif isinstance(model, HasLatents):
        z = model.latents(n, stream(seed, purpose))
        for first in range(start, n, batch):
            chosen = None if labels is None else labels[first : first + batch].to(device)
            yield decoded(model, z[first : first + batch].to(device), chosen, **how)
    elif truncation is not None:
        raise _no_truncation(model, truncation)
    elif temperature is not None and not isinstance(model, DrawsAtTemperature):
        raise _no_temperature(model, temperature)
    elif isinstance(model, Draws):
        for number in range(start // ROWS_OF_A_STREAM, math.ceil(n / ROWS_OF_A_STREAM)):
            first = number * ROWS_OF_A_STREAM
            rows = min(ROWS_OF_A_STREAM, n - first)
            rng = torch.Generator(device).manual_seed(derive_seed(seed, purpose, number))
            chosen = None if labels is None else labels[first : first + rows].to(device)
            yield _from_stream(model, rows, rng, chosen, temperature)[max(start - first, 0) :]
    else:
        raise UserError(f"{_file_of(model)} draws no samples of its own.{_instead(model)}")


def _instead(model: Game) -> str:
    """What a model is good for that draws nothing; a sentence with a space before it."""
    if isinstance(model, Translates):
        return " `ganvas translate RUN SRC -o OUT` translates pictures, and `ganvas measure OUT REALS` measures them."
    if isinstance(model, Fills):
        return (
            " `ganvas inpaint RUN SRC --masks MASKS -o OUT --truth ORIGINALS` fills holes, and measures what it fills."
        )
    if isinstance(model, Segments):
        return (
            " `ganvas segment RUN SRC -o OUT --truth LABELS` names the class of every pixel, and scores what it names."
        )
    if isinstance(model, Detects):
        return " `ganvas detect RUN SRC -o boxes.json` finds boxes; what is missed is measured on --held-out pictures."
    return ""


def _from_stream(
    model: Draws, rows: int, rng: torch.Generator, labels: Labels | None, temperature: float | None
) -> Tensor:
    if temperature is None or not isinstance(model, DrawsAtTemperature):
        return model.sample(rows, rng, labels=labels)
    return model.sample_at(rows, rng, _checked_temperature(temperature))


def _solved(
    model: Solves,
    z: Latents,
    labels: Labels | None,
    options: SolverOptions,
    named: tuple[int, str],
    batch: int,
    start: int,
) -> Iterator[Tensor]:
    """The samples of latents, noise on the way from streams of ``ROWS_OF_A_STREAM`` samples each."""
    assert isinstance(model, Game)
    device = next(model.parameters()).device
    noisy = model.adds_noise(options)
    rows = ROWS_OF_A_STREAM if noisy else batch
    for number in range(start // rows, math.ceil(len(z) / rows)):
        first = number * rows
        rng = torch.Generator(device).manual_seed(derive_seed(*named, "on the way", number)) if noisy else None
        chosen = None if labels is None else labels[first : first + rows].to(device)
        drawn = model.decode_by(z[first : first + rows].to(device), chosen, options, rng)
        yield drawn[max(start - first, 0) :]


def decoded(
    model: HasLatents,
    z: Latents,
    labels: Labels | None,
    *,
    stage: Stage | None,
    truncation: float | None,
    temperature: float | None = None,
) -> Tensor:
    """The samples of latents, truncated or at a temperature where that is asked for.

    Raises:
        UserError: the model cannot truncate, or has no temperature.
    """
    if temperature is not None and truncation is not None:
        raise UserError("--temperature and --truncation both draw samples that vary less. Give one of them.")
    if temperature is not None:
        return _at_temperature(model, z, labels, temperature)
    if truncation is None:
        return model.decode(z, labels, stage=stage)
    if not isinstance(model, Truncates):
        raise _no_truncation(model, truncation)
    if not 0 <= truncation < math.inf:
        raise UserError(f"--truncation {truncation:g} must be at least 0. 1 changes nothing, and at 0 all are alike.")
    return model.decode_truncated(z, truncation, labels)


def _at_temperature(model: HasLatents, z: Latents, labels: Labels | None, temperature: float) -> Tensor:
    if not isinstance(model, HasTemperature):
        raise _no_temperature(model, temperature)
    return model.decode_at(z, _checked_temperature(temperature), labels)


def _checked_temperature(temperature: float) -> float:
    if not 0 <= temperature < math.inf:
        raise UserError(f"--temperature {temperature:g} must be at least 0. At 0 all samples are alike.")
    return temperature


def _no_temperature(model: object, temperature: float) -> UserError:
    return UserError(
        f"--temperature {temperature:g}: {_file_of(model)} has none; flows, models of text and graphs/autoregressive "
        "have. Leave it out, or train flow/glow or text/mle."
    )


def _no_truncation(model: object, truncation: float) -> UserError:
    return UserError(
        f"--truncation {truncation:g}: {_file_of(model)} has no intermediate latents with a mean to draw them towards. "
        "Leave it out, or train gan/stylegan2."
    )


def _no_solver(model: object, options: SolverOptions) -> UserError:
    name = options.given[0]
    return UserError(
        f"--{name} {vars(options)[name]}: {_file_of(model)} solves no equation to draw. Leave it out, or train "
        "diffusion/edm or diffusion/flow_matching."
    )


def _file_of(model: object) -> str:
    """As a person names it: "gan/dcgan"."""
    return "/".join(type(model).__module__.split(".")[-2:])


def drawn_labels(n: int, *, seed: int, counts: Sequence[int]) -> Labels:
    """``n`` classes at random, each with the share that it has in the data.

    In random order, because metrics of pairs, such as MS-SSIM, pair neighbours.

    Args:
        counts: Samples of the data by class.
    """
    shares = torch.tensor(counts, dtype=torch.float64)
    return torch.multinomial(shares, n, replacement=True, generator=stream(seed, "labels"))


@contextmanager
def averaged_players(state: State) -> Iterator[Game]:
    """The model with its averaged players in the place of the training ones, in evaluation mode, while inside."""
    averaged = [player for player in state.players if player.average is not None]
    whole = next((player for player in averaged if not player.path), None)
    if whole is not None:  # The model is its own only player.
        assert isinstance(whole.average, Game)
        yield whole.average.eval()
        return
    try:
        for player in averaged:
            assert player.average is not None
            state.model.set_submodule(player.path, player.average)
        yield state.model.eval()
    finally:
        for player in averaged:
            state.model.set_submodule(player.path, player.module)
        state.model.train()
