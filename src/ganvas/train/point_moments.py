"""Moments of a game of points in a plane: what its players do, asked without moving them or any random stream."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.capabilities import HasLatents, Judges
from ganvas.losses.game import Game
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.pictures.scatter import Span

GRID = 61  # Places along each side at which the critic is asked.
PUSHED = 90  # Samples at which its gradient is shown.
LINES, PLACES = 17, 61  # Of a grid of latents, and latents along each line.
REACH = {"normal": 2.5, "uniform": 0.999}  # Of that grid, by the prior.


def point_moment(model: Game, stage: Stage, *, nimg: int, n: int, spans: tuple[Span, Span], seed: int) -> PointMoment:
    """A model of points in a plane as it is now.

    Args:
        model: With latents; in evaluation mode.
        n: Samples.
        spans: From left to right, and from bottom to top.
    """
    assert isinstance(model, HasLatents)
    device = next(model.parameters()).device
    with torch.no_grad():
        samples = model.decode(model.latents(n, stream(seed, "sheet")).to(device), stage=stage)
        lines = model.decode(_latent_grid(model).to(device), stage=stage)
    return PointMoment(
        nimg=nimg,
        samples=_plain(samples),
        span=np.array([*spans[0], *spans[1]], np.float32),
        levels=_levels(model, stage, spans, device),
        pushed=_pushes(model, stage, samples[:PUSHED]),
        latent_lines=_plain(lines).reshape(-1, LINES, PLACES, 2),
    )


def _latent_grid(model: Game) -> Float[Tensor, "n z"]:
    """Latents along lines: of the first with the second held, and the other way round; all others are 0."""
    assert isinstance(model, HasLatents)
    size = model.latents(1, stream(0, "size")).shape[1]
    reach = REACH.get(model.prior, 1.0)
    along, held = torch.linspace(-reach, reach, PLACES), torch.linspace(-reach, reach, LINES)
    grid = torch.zeros(min(size, 2), LINES, PLACES, size)
    grid[0, :, :, 0] = along
    if size > 1:
        grid[0, :, :, 1] = held[:, None]
        grid[1, :, :, 1] = along
        grid[1, :, :, 0] = held[:, None]
    return grid.flatten(0, 2)


def _levels(model: Game, stage: Stage, spans: tuple[Span, Span], device: torch.device) -> np.ndarray:
    if not isinstance(model, Judges):
        return np.zeros((0, 0), np.float32)
    x, y = (torch.linspace(*span, GRID) for span in spans)
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=2).flatten(0, 1).to(device)
    with torch.no_grad():
        return _plain(model.judge(places, stage=stage)).reshape(GRID, GRID)


def _pushes(model: Game, stage: Stage, samples: Tensor) -> np.ndarray:
    """Samples and the critic's gradient at each, (m, 2, 2)."""
    if not isinstance(model, Judges):
        return np.zeros((0, 2, 2), np.float32)
    places = samples.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(model.judge(places, stage=stage).sum(), places)
    return np.stack([_plain(places.detach()), _plain(gradient)], axis=1)


def _plain(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
