"""A game of points in a plane that is played step by step, forwards and back, beside divergences known exactly.

The law is one with a closed form for its mass in a cell; the generator's mass there is that of a lattice of latents of
equal mass, so that neither side is drawn at random. Kahng et al. 2018, GAN Lab, show a game of this kind.
https://arxiv.org/abs/1809.01587

Everything is a function of (game, law, seed, step). States on the way are kept, and what comes after the nearest of
them is played once more: a step that is gone back to is the same to the bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from ganvas.core import catalogue
from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream as random_stream
from ganvas.data.points.law import Mixture
from ganvas.data.points.mixtures import MIXTURES
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.capabilities import Calibrates, HasLatents
from ganvas.losses.game import Game
from ganvas.metrics.maths.distances.cell_divergences import (
    CellDivergences,
    Masses,
    cell_divergences,
    masses_of_points,
    with_outside,
)
from ganvas.nn.layers.initialise import initialise
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.pictures.scatter import Span, equal_spans, span_of
from ganvas.train.execution.executors import Eager
from ganvas.train.feeds.feed import Feed
from ganvas.train.loop import CALIBRATION_IMAGES, advance
from ganvas.train.point_moments import point_moment
from ganvas.train.state import State, new_state

GAMES = ("gan/gan", "gan/lsgan", "gan/wgan", "gan/wgan_gp", "gan/sngan")
CELLS = 24  # Along each side of the plane that is shown.
LATTICE = 128  # Latents along each side.
DIRECTIONS = 16  # Of the sliced distance, evenly around.
SHOWN = 800  # Points of each cloud.
APART, MOST_KEPT = 64, 48  # Steps between states that are kept, and how many are.


def known_laws() -> dict[str, str]:
    """Laws of a plane whose mass in a cell is known, with what they are."""
    edges = np.array([0.0, 1.0])
    plane = {name: law for name, law in MIXTURES.items() if law.dims == 2}
    return {name: law.summary for name, law in plane.items() if law.cell_masses(edges, edges) is not None}


@dataclass(frozen=True, kw_only=True)
class Distances:
    """How far a cloud of points of equal mass is from the law."""

    of_cells: CellDivergences
    wasserstein: float  # W1 along a direction, the mean over directions.


@dataclass(frozen=True, kw_only=True, eq=False)
class ToyMoment:
    """What is seen at one step."""

    step: int
    seen: PointMoment
    distances: Distances
    moves: Mapping[str, int]  # How often each player has moved.


@dataclass(kw_only=True)
class ToyGame:
    """A game that stands at some step."""

    state: State
    stage: Stage
    law: "KnownLaw"
    seed: int
    execute: Eager
    feed: "LawFeed"
    floor: Distances  # Of as many points of the law itself.
    kept: dict[int, tuple[dict[str, Tensor], dict[str, Any]]] = field(default_factory=dict)

    def go(self, step: int) -> None:
        """Plays to a step; back to it, where it has been passed."""
        if step < self.state.step:
            self.state.restore(*self.kept[max(kept for kept in self.kept if kept <= step)])
        while self.state.step < step:
            self._keep()
            advance(self.state, self.execute, self.feed, self.stage)

    def moment(self) -> ToyMoment:
        """What the players are and do now; none of them is moved by being looked at."""
        model = self.state.model
        model.eval()
        seen = point_moment(model, self.stage, nimg=self.state.nimg, n=SHOWN, spans=self.law.spans, seed=self.seed)
        assert isinstance(model, HasLatents)
        with torch.no_grad():
            points = model.decode(lattice(), stage=self.stage).double().numpy()
        model.train()
        distances = self.law.distances(points)
        return ToyMoment(step=self.state.step, seen=seen, distances=distances, moves=dict(self.state.counts))

    def _keep(self) -> None:
        """The state as it is, where it is one that is kept; where there are too many, every other one goes."""
        step = self.state.step
        if step % APART or step in self.kept:
            return
        tensors = {name: tensor.clone() for name, tensor in self.state.tensors().items()}
        self.kept[step] = (tensors, self.state.numbers() | {"counts": dict(self.state.counts)})
        if len(self.kept) > MOST_KEPT:
            self.kept = {at: kept for place, (at, kept) in enumerate(sorted(self.kept.items())) if place % 2 == 0}


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownLaw:
    """A law with what is shown of it, and its masses in the cells of that plane."""

    law: Mixture
    points: Float64[np.ndarray, "n 2"]  # As many as there are latents on the lattice.
    spans: tuple[Span, Span]
    edges: tuple[np.ndarray, np.ndarray]
    masses: Masses

    def distances(self, points: Float64[np.ndarray, "n 2"]) -> Distances:
        """Of points of equal mass, as many as its own."""
        of_cells = cell_divergences(self.masses, masses_of_points(points, *self.edges))
        apart = np.abs(np.sort(points @ _around(), axis=0) - np.sort(self.points @ _around(), axis=0))
        return Distances(of_cells=of_cells, wasserstein=float(apart.mean()))


class LawFeed(Feed):
    """Fresh points of a law, which never come twice."""

    def __init__(self, law: Mixture, *, seed: int) -> None:
        self.law, self.seed = law, seed

    def batch(self, nimg: int, stage: Stage) -> Points:
        """The points after ``nimg`` others."""
        points, labels = self.law.points(np.arange(nimg, nimg + stage.batch_size), seed=self.seed)
        return Points(points=torch.from_numpy(points), labels=torch.from_numpy(labels))

    def close(self) -> None:
        """Nothing is read ahead."""


def toy_game(game: str, law: str, *, seed: int) -> ToyGame:
    """A game before its first step, with the settings that its model has for points.

    Raises:
        UserError: there is no such game, or no such law with a closed form for the mass of a cell.
    """
    if game not in GAMES:
        raise UserError(f"There is no game '{game}'.{did_you_mean(game, GAMES)} Games: {', '.join(GAMES)}.")
    laws = known_laws()
    if law not in laws:
        raise UserError(f"There is no law '{law}' to play on.{did_you_mean(law, laws)} Laws: {', '.join(laws)}.")
    known = _known(law)
    module = catalogue.load("models", game)
    model: Game = module.Model(module.POINTS)
    initialise(model, random_stream(seed, "weights"))
    feed, stage = LawFeed(known.law, seed=seed), model.schedule().at(0)
    if isinstance(model, Calibrates):
        model.calibrate(feed.batch(0, replace(stage, batch_size=CALIBRATION_IMAGES)))
    state = new_state(model)
    execute = Eager(state, seed=seed, ranks=Ranks(), precision=torch.float32)
    fresh = known.law.points(np.arange(LATTICE**2), seed=derive_seed(seed, "floor"))[0].astype(np.float64)
    return ToyGame(
        state=state, stage=stage, law=known, seed=seed, execute=execute, feed=feed, floor=known.distances(fresh)
    )


def _known(name: str) -> KnownLaw:
    law = MIXTURES[name]
    points = law.points(np.arange(LATTICE**2))[0].astype(np.float64)
    across, upwards = equal_spans([span_of(points[:, axis]) for axis in (0, 1)])
    edges = tuple(np.linspace(*span, CELLS + 1) for span in (across, upwards))
    masses = law.cell_masses(*edges)
    assert masses is not None, "known_laws() lists no other"
    return KnownLaw(
        law=law, points=points, spans=(across, upwards), edges=(edges[0], edges[1]), masses=with_outside(masses)
    )


def lattice() -> Tensor:
    """Normal latents (n, 2) of equal mass: the middles of equal shares along either axis."""
    along = torch.special.ndtri((torch.arange(LATTICE, dtype=torch.float64) + 0.5) / LATTICE).float()
    return torch.stack(torch.meshgrid(along, along, indexing="xy"), dim=2).flatten(0, 1)


def _around() -> Float64[np.ndarray, "2 k"]:
    """Directions evenly over half a turn."""
    turn = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
    return np.stack([np.cos(turn), np.sin(turn)])
