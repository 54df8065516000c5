"""The random factors that a scene is made of, as a pure function of (seed, index).

Every number is hashed from (seed, index, column) by SplitMix64, so that any picture can be made alone, in any order and
on any machine. From there on only sums, products, quotients, comparisons and floors are used, which IEEE 754 rounds
alike everywhere.

Units: ``x`` is a fraction of the picture's width, ``horizon`` and ``shore`` are fractions of its height, sizes are in
short sides of the picture. ``depth`` runs from 0 at the horizon to 1 at the lower edge.
"""

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float32, Int64, UInt64

from ganvas.core.hashes.splitmix import mix

LANDSCAPES = ("meadow", "desert", "winter", "coast")
TIMES = ("day", "dusk", "night")
KINDS = ("none", "round tree", "fir", "palm", "house", "bush", "rock", "cactus")

CLOUDS, RIDGES, OBJECTS, BOATS = 3, 3, 4, 2

Column = Float32[np.ndarray, " n"]
Factors = Mapping[str, Column]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_TIME_SHARES = (0.62, 0.20, 0.18)
_CLOUD_SHARES = (0.22, 0.33, 0.30, 0.15)
_RIDGE_SHARES = {"meadow": (0.35, 0.2, 0.25, 0.2), "desert": (0.3, 0.4, 0.3, 0.0)}
_RIDGE_SHARES |= {"winter": (0.1, 0.2, 0.35, 0.35), "coast": (0.6, 0.3, 0.1, 0.0)}
_KIND_SHARES = {
    "meadow": {"round tree": 0.52, "fir": 0.14, "bush": 0.24, "rock": 0.10},
    "desert": {"cactus": 0.58, "rock": 0.30, "bush": 0.12},
    "winter": {"fir": 0.80, "rock": 0.20},
    "coast": {"palm": 0.62, "rock": 0.20, "bush": 0.18},
}
_HOUSE_SHARE = {"meadow": 0.5, "desert": 0.12, "winter": 0.45, "coast": 0.2}
_COUNT_SHARES = {"meadow": (0.3, 0.35, 0.25, 0.1), "desert": (0.35, 0.35, 0.2, 0.1)}
_COUNT_SHARES |= {"winter": (0.2, 0.3, 0.3, 0.2), "coast": (0.5, 0.35, 0.15, 0.0)}  # Of 1, 2, 3, 4 objects.
_SIZES = {"round tree": (0.38, 0.60), "fir": (0.40, 0.62), "palm": (0.46, 0.66), "house": (0.30, 0.42)}
_SIZES |= {"none": (0.1, 0.2), "bush": (0.16, 0.26), "rock": (0.15, 0.26), "cactus": (0.30, 0.48)}


def draw(seed: int, indices: Int64[np.ndarray, " n"]) -> dict[str, Column]:
    """The factors of the pictures ``indices``: one float32 column of length n per factor."""
    dice = Dice(seed, indices)
    factors = _setting(dice)
    landscape = factors["landscape"]
    return factors | _sky(dice) | _land(dice, landscape) | _objects(dice, landscape) | _boats(dice, landscape)


def unit(state: UInt64[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """The upper 24 bits as a number in [0, 1), exact in float32."""
    return (state >> np.uint64(40)).astype(np.float32) / 16777216.0


class Dice:
    """Hands out uniform columns in a fixed order: the k-th is hashed from (seed, index, k).

    ``apart`` gives another set the numbers of another stream.
    """

    def __init__(self, seed: int, indices: Int64[np.ndarray, " n"], *, apart: int = 0) -> None:
        start = mix(np.array([(seed + apart) % 2**64], dtype=np.uint64) + _GOLDEN)
        self._key = mix(start ^ mix((indices.astype(np.uint64) + np.uint64(1)) * _GOLDEN))
        self._drawn = 0

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Column:
        """Uniform in [low, high)."""
        self._drawn += 1
        step = np.array([self._drawn], dtype=np.uint64) * _GOLDEN
        return low + (high - low) * unit(mix(self._key + step))

    def choice(self, shares: Iterable[float]) -> Column:
        """Position k with probability ``shares[k]``."""
        return _pick(self.uniform(), shares)


def _pick(uniform: Column, shares: Iterable[float]) -> Column:
    """The position of the share into which ``uniform`` falls."""
    edges = np.cumsum(np.array(list(shares), dtype=np.float64))[:-1].astype(np.float32)
    return (uniform[:, None] >= edges).sum(1).astype(np.float32)


def _by_landscape(landscape: Column, options: Mapping[str, Column]) -> Column:
    """From one column per landscape, each picture's own."""
    return np.choose(landscape.astype(np.int64), [options[name] for name in LANDSCAPES])


def _setting(dice: Dice) -> dict[str, Column]:
    landscape = np.floor(dice.uniform() * len(LANDSCAPES))
    position = dice.uniform()
    horizon = _by_landscape(
        landscape,
        {
            "meadow": 0.50 + 0.16 * position,
            "desert": 0.52 + 0.16 * position,
            "winter": 0.52 + 0.16 * position,
            "coast": 0.42 + 0.14 * position,
        },
    )
    return {
        "landscape": landscape,
        "time": dice.choice(_TIME_SHARES),
        "sky_tint": dice.uniform(-1, 1),
        "ground_tint": dice.uniform(-1, 1),
        "horizon": horizon,
    }


def _sky(dice: Dice) -> dict[str, Column]:
    """Light, stars and clouds."""
    sky = {
        "light": (dice.uniform() < 0.85).astype(np.float32),  # Whether the sun or the moon is in the picture.
        "light_x": dice.uniform(0.14, 0.86),
        "light_height": dice.uniform(),
        "light_size": dice.uniform(0.075, 0.115),
        "moon_phase": dice.uniform(0.3, 0.75),
        "star_seed": np.floor(dice.uniform() * 16777216.0),
        "cloud_count": dice.choice(_CLOUD_SHARES),
    }
    for k in range(CLOUDS):
        sky |= {
            f"cloud{k}_x": dice.uniform(0.05, 0.95),
            f"cloud{k}_y": dice.uniform(0.25, 0.72),  # Of the way from the upper edge to the horizon.
            f"cloud{k}_size": dice.uniform(0.26, 0.46),
            f"cloud{k}_shape": dice.uniform(),
        }
    return sky


def _land(dice: Dice, landscape: Column) -> dict[str, Column]:
    """What lies still: ridges at the horizon, the swell of the ground, the shore, a pond."""
    land = {
        "ridge_count": _by_landscape(landscape, _each(dice.uniform(), _RIDGE_SHARES)),
        "relief": dice.uniform(0.0, 0.022),
        "relief_phase": dice.uniform(),
        "near_edge": dice.uniform(0.35, 0.75),  # Depth at which the nearer ground begins.
        "near_phase": dice.uniform(),
        "shore": dice.uniform(0.74, 0.88),
        "shore_slope": dice.uniform(-0.16, 0.16),
        "pond": (dice.uniform() < 0.3).astype(np.float32),  # In meadows only.
        "pond_x": dice.uniform(0.2, 0.8),
        "pond_size": dice.uniform(0.20, 0.34),
    }
    for k in range(RIDGES):
        land |= {
            f"ridge{k}_x": (k + dice.uniform(0.1, 0.9)) / RIDGES,
            f"ridge{k}_height": dice.uniform(0.16, 0.34),
            f"ridge{k}_width": dice.uniform(1.1, 1.7),  # Half the foot, in heights.
        }
    return land


def _objects(dice: Dice, landscape: Column) -> dict[str, Column]:
    """Things on the ground, from far to near, each in a strip of its own so that few hide one another."""
    count = 1 + _by_landscape(landscape, _each(dice.uniform(), _COUNT_SHARES))
    house_share = _by_landscape(landscape, {name: np.full_like(landscape, _HOUSE_SHARE[name]) for name in LANDSCAPES})
    house_at = np.where(dice.uniform() < house_share, np.floor(dice.uniform() * count), -1)
    strips = _orders()[np.floor(dice.uniform() * 24).astype(np.int64)]
    found: dict[str, Column] = {"object_count": count}
    for k in range(OBJECTS):
        kind = _kind(dice.uniform(), landscape)
        kind = np.where(house_at == k, np.float32(KINDS.index("house")), kind)
        kind = np.where(k < count, kind, np.float32(0))
        depth = (k + dice.uniform()) / OBJECTS
        low, high = (np.array([_SIZES[name][side] for name in KINDS], dtype=np.float32) for side in (0, 1))
        which = kind.astype(np.int64)
        size = low[which] + (high - low)[which] * dice.uniform()
        found |= {
            f"object{k}_kind": kind,
            f"object{k}_x": (strips[:, k] + dice.uniform(0.2, 0.8)) / OBJECTS,
            f"object{k}_depth": depth,
            f"object{k}_size": size * (0.8 + 0.3 * depth),
            f"object{k}_tint": dice.uniform(-1, 1),
            f"object{k}_style": dice.uniform(),
        }
    return found


def _boats(dice: Dice, landscape: Column) -> dict[str, Column]:
    """Boats sail at the coast only."""
    at_coast = landscape == LANDSCAPES.index("coast")
    found = {"boat_count": np.where(at_coast, dice.choice((0.2, 0.55, 0.25)), np.float32(0))}
    for k in range(BOATS):
        found |= {
            f"boat{k}_x": (k + dice.uniform(0.2, 0.8)) / BOATS,
            f"boat{k}_depth": (k + dice.uniform()) / BOATS,
            f"boat{k}_size": dice.uniform(0.20, 0.30) + 0.05 * k,
            f"boat{k}_tint": dice.uniform(-1, 1),
        }
    return found


def _each(uniform: Column, shares: Mapping[str, Iterable[float]]) -> dict[str, Column]:
    return {name: _pick(uniform, shares[name]) for name in LANDSCAPES}


def _kind(uniform: Column, landscape: Column) -> Column:
    options = {}
    for name in LANDSCAPES:
        kinds = np.array([KINDS.index(kind) for kind in _KIND_SHARES[name]], dtype=np.float32)
        options[name] = kinds[_pick(uniform, _KIND_SHARES[name].values()).astype(np.int64)]
    return _by_landscape(landscape, options)


def _orders() -> Float32[np.ndarray, "24 4"]:
    """The 24 orders of four strips."""
    return np.array(list(itertools.permutations(range(OBJECTS))), dtype=np.float32)
