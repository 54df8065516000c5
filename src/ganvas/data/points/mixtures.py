"""Mixtures: points in one or two dimensions whose law is known. A built-in data set.

A generator of points can be judged by counting: how many modes it reaches, and how many of its samples lie at one.
The ring of eight and the grid of twenty-five are the sets on which losses of adversarial networks are compared:

- ring8: Metz et al. 2017, Unrolled Generative Adversarial Networks, appendix A (radius 2, standard deviation 0.02; with
  radius 1 and 0.01, as in PacGAN, it is the same set at half the size). https://arxiv.org/abs/1611.02163
- grid25: Srivastava et al. 2017, VEEGAN, and Lin et al. 2018, PacGAN (spacing 2, standard deviation 0.05).
  https://arxiv.org/abs/1705.07761, https://arxiv.org/abs/1712.04086

Two parallel lines that part are example 1 of Arjovsky et al. 2017, Wasserstein GAN
(https://arxiv.org/abs/1701.07875). Some laws have a setting: ``parallel_lines,gap=0.5``, ``ring8,sigma=0.1``.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.points.edged_laws import Boxes, Pareto
from ganvas.data.points.law import CellMasses, Centres, Dice, Edges, Gap, Marks, Mixture, normals, part_of
from ganvas.data.points.line_law import LineLaw, Numbers

EDGE = 3.0  # Standard deviations from its middle to what is called the edge of a Gaussian.


@dataclass(frozen=True, kw_only=True)
class Gaussians(Mixture):
    """Round normal distributions of one standard deviation at given centres."""

    centres: Centres
    sigma: float
    shares: Float64[np.ndarray, " k"]

    @property
    def gap(self) -> Gap | None:
        """Between the inner edges of two equal modes that stand side by side, three standard deviations from each."""
        if self.parts != 2 or self.shares[0] != self.shares[1] or (self.centres[0, 1:] != self.centres[1, 1:]).any():
            return None
        low, high = self.centres[:, 0]
        return Gap(low=float(low + EDGE * self.sigma), high=float(high - EDGE * self.sigma))

    def on_a_line(self) -> LineLaw | None:
        """Sums of normal distribution functions: ``E[X; X <= x] = sum_k share_k (m_k Phi(z_k) - s phi(z_k))``."""
        if self.dims != 1:
            return None
        middles, shares = self.centres[:, 0], self.shares

        def mean_below(x: Numbers) -> Numbers:
            z = (x[:, None] - middles) / self.sigma
            bell = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
            return (middles * normal_below(z) - self.sigma * bell) @ shares

        return LineLaw(
            below=lambda x: normal_below((x[:, None] - middles) / self.sigma) @ shares,
            mean_below=mean_below,
            mean=float(middles @ shares),
            reach=(-math.inf, math.inf),
        )

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """``log sum_k share_k N(x; centre_k, sigma^2)``."""
        squares = ((points[:, None, :] - self.centres) ** 2).sum(2) / self.sigma**2
        logs = np.log(self.shares) - squares / 2 - self.dims * math.log(self.sigma * math.sqrt(2 * math.pi))
        most = logs.max(1)
        return most + np.log(np.exp(logs - most[:, None]).sum(1))

    def cell_masses(self, x: Edges, y: Edges) -> CellMasses | None:
        """Sums of products of differences of the normal distribution function."""
        if self.dims != 2:
            return None
        across, upwards = (
            np.diff(normal_below((edges - self.centres[:, axis, None]) / self.sigma), axis=1)
            for axis, edges in enumerate((x, y))
        )
        return np.einsum("k,kr,kc->rc", self.shares, upwards, across)

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = part_of(dice(), self.shares)
        return self.centres[marks] + self.sigma * normals(dice, self.dims), marks


@dataclass(frozen=True, kw_only=True)
class Rings(Mixture):
    """Circles around the origin, all equally likely, with a normal radius."""

    radii: Float64[np.ndarray, " k"]
    sigma: float

    def log_density(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """Of radius r: ``log 1/k sum_k (phi((r - R_k)/s) + phi((r + R_k)/s)) / (2 pi r s)``.

        A radius below zero lies across the origin, at minus itself.
        """
        radius = np.sqrt((points**2).sum(1))
        offsets = np.concatenate([radius[:, None] - self.radii, radius[:, None] + self.radii], axis=1) / self.sigma
        logs = -(offsets**2) / 2 - math.log(self.sigma * math.sqrt(2 * math.pi) * self.parts)
        most = logs.max(1)
        return most + np.log(np.exp(logs - most[:, None]).sum(1)) - np.log(2 * np.pi * radius)

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = part_of(dice(), np.full(self.parts, 1 / self.parts))
        turn = 2 * np.pi * dice()
        radius = self.radii[marks] + self.sigma * normals(dice, 1)[:, 0]
        return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1), marks


@dataclass(frozen=True, kw_only=True)
class Spiral(Mixture):
    """Arms that wind outwards from the origin: radius and angle grow together. Round noise is added.

    A point's share of the way along its arm is uniform, so that points lie thinner further out.
    """

    turns: float  # Of each arm around the origin.
    inner: float  # Radius where an arm begins.
    outer: float
    sigma: float

    def _draw(self, dice: Dice) -> tuple[Float64[np.ndarray, "n d"], Marks]:
        marks = part_of(dice(), np.full(self.parts, 1 / self.parts))
        along = dice()
        angle = 2 * np.pi * (self.turns * along + marks / self.parts)
        radius = self.inner + (self.outer - self.inner) * along
        on_arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return on_arm + self.sigma * normals(dice, 2), marks


def _gaussians(summary: str, centres: object, sigma: float, shares: object = None) -> Gaussians:
    at = np.asarray(centres, np.float64)
    weights = np.ones(len(at)) if shares is None else np.asarray(shares, np.float64)
    return Gaussians(
        summary=summary, dims=at.shape[1], parts=len(at), centres=at, sigma=sigma, shares=weights / weights.sum()
    )


def _ring8(sigma: float) -> Gaussians:
    return _gaussians("Eight Gaussians on a circle of radius 2", _circle(8, 2.0), sigma)


def _pair(apart: float) -> Gaussians:
    return _gaussians(f"Two Gaussians on a line, {apart:g} apart", [[-apart / 2], [apart / 2]], 0.5)


def _circle(count: int, radius: float) -> Centres:
    turn = 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _grid(side: int, spacing: float) -> Centres:
    line = spacing * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def _segments(gap: float) -> Boxes:
    return _boxes("Two uniform segments of length 1 on a line", [1.0], gap)


def _squares(gap: float) -> Boxes:
    return _boxes("Two uniform unit squares side by side", [1.0, 1.0], gap)


def _parallel_lines(gap: float) -> Boxes:
    return _boxes("Two parallel uniform segments of length 1 in a plane", [0.0, 1.0], gap)


def _boxes(summary: str, sides: list[float], gap: float) -> Boxes:
    """A box of these sides to the left of the origin and one to the right, ``gap`` between them."""
    size = np.asarray(sides, np.float64)
    left = np.array([-gap / 2 - size[0], *(-size[1:] / 2)])
    right = np.array([gap / 2, *(-size[1:] / 2)])
    low = np.stack([left, right])
    return Boxes(summary=f"{summary}, {gap:g} apart", dims=len(size), parts=2, low=low, high=low + size)


def _pareto(alpha: float) -> Pareto:
    return Pareto(summary=f"A Pareto law on a line, P(X > x) = x^-{alpha:g}", dims=1, parts=1, alpha=alpha)


def _pareto_plane(alpha: float) -> Pareto:
    summary = f"All directions of a plane alike, with a Pareto distance, P(R > r) = r^-{alpha:g}"
    return Pareto(summary=summary, dims=2, parts=1, alpha=alpha)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The one setting of a law, a number, and the law for each of its values."""

    name: str
    default: float
    least: float
    most: float
    law: Callable[[float], Mixture]


SETTINGS: Final[Mapping[str, Setting]] = {
    "ring8": Setting(name="sigma", default=0.02, least=1e-6, most=1e3, law=_ring8),
    "pair": Setting(name="apart", default=4.0, least=0.0, most=1e6, law=_pair),
    "segments": Setting(name="gap", default=2.0, least=0.0, most=1e6, law=_segments),
    "squares": Setting(name="gap", default=2.0, least=0.0, most=1e6, law=_squares),
    "parallel_lines": Setting(name="gap", default=1.0, least=0.0, most=1e6, law=_parallel_lines),
    "pareto": Setting(name="alpha", default=2.0, least=0.2, most=100.0, law=_pareto),
    "pareto_plane": Setting(name="alpha", default=2.0, least=0.2, most=100.0, law=_pareto_plane),
}


MIXTURES: Final[Mapping[str, Mixture]] = {
    **{name: setting.law(setting.default) for name, setting in SETTINGS.items()},
    "ring8_wide": _gaussians("Eight broad Gaussians on a circle of radius 2", _circle(8, 2.0), 0.2),
    "ring8_unequal": _gaussians(
        "Eight Gaussians on a circle of radius 2, each half as likely as the one before",
        _circle(8, 2.0),
        0.02,
        0.5 ** np.arange(8),
    ),
    "grid25": _gaussians("Twenty-five Gaussians on a grid of five by five", _grid(5, 2.0), 0.05),
    "line8": _gaussians("Eight Gaussians on a line", 2.0 * (np.arange(8) - 3.5)[:, None], 0.1),
    "circle": Rings(summary="A circle with a hole", dims=2, parts=1, radii=np.array([2.0]), sigma=0.1),
    "rings": Rings(
        summary="Three circles around one centre", dims=2, parts=3, radii=np.array([1.0, 2.0, 3.0]), sigma=0.05
    ),
    "spiral": Spiral(
        summary="Two arms that wind outwards", dims=2, parts=2, turns=1.5, inner=0.2, outer=4.0, sigma=0.08
    ),
    "swiss_roll": Spiral(
        summary="One sheet rolled up, seen from its end", dims=2, parts=1, turns=1.5, inner=1.0, outer=4.0, sigma=0.1
    ),
}


def law_of(spelled: str) -> Mixture:
    """The law that ``NAME`` or ``NAME,SETTING=NUMBER`` spells.

    Raises:
        UserError: there is no such law, it has no such setting, or the number is out of its range.

    >>> law_of("parallel_lines,gap=0.5").gap
    Gap(low=-0.25, high=0.25)
    """
    name, _, word = spelled.partition(",")
    if name not in MIXTURES:
        raise UserError(f"There is no mixture '{name}'.{did_you_mean(name, MIXTURES)} Known: {', '.join(MIXTURES)}.")
    if not word:
        return MIXTURES[name]
    setting = SETTINGS.get(name)
    match = re.fullmatch(r"([a-z]+)=(\d{1,9}(?:\.\d{1,9})?)", word)
    if setting is None or match is None or match[1] != setting.name:
        known = f"is set as in {name},{setting.name}={setting.default:g}" if setting else "has no settings"
        raise UserError(f"'{word}' is not understood: the mixture {name} {known}.")
    number = float(match[2])
    if not setting.least <= number <= setting.most:
        raise UserError(
            f"{word}: the mixture {name} takes a {setting.name} from {setting.least:g} to {setting.most:g}."
        )
    return setting.law(number)


def normal_below(z: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """The standard normal distribution function, ``Phi(z)``."""
    import torch  # Of all that this file does, this alone needs it; a source is described without.

    return torch.special.ndtr(torch.from_numpy(np.ascontiguousarray(z))).numpy()
