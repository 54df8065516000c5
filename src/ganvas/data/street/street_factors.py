"""The random factors of a street, as a pure function of (seed, index), and where its things stand.

Units: ``horizon`` is a fraction of the height, everything else is in short sides of the picture. A thing that is
nearer is taller and stands lower, as seen by somebody who stands on the same street: its foot lies ``eyes`` times the
height of a person of its distance below the horizon. The inverse of that height is uniform, as of distances.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32, Int64

from ganvas.data.scenes.factors import Dice

Column = Float32[np.ndarray, " n"]
Factors = Mapping[str, Column]

THINGS = 12  # Painted from far to near.
KINDS = ("none", "person", "crowd", "car", "tree", "post", "poster")
HOUSES = 4
MEMBERS = 5  # Of a crowd.
ASPECT = np.float32(0.41)  # Width of a person's box by its height, as annotators of pedestrians draw it.

_APART = 0x57AEE7
_QUIET = 0.12  # Share of streets that nobody walks on.
_OTHERS = {"none": 0.44, "crowd": 0.06, "car": 0.12, "tree": 0.12, "post": 0.14, "poster": 0.12}
_LEAST, _MOST = 0.17, 0.8  # Heights of people.
_LOWEST = 0.985  # Where a foot may stand, of the height.


def draw(seed: int, indices: Int64[np.ndarray, " n"], *, breadth: float, tallness: float, tight: bool) -> Factors:
    """The factors of the streets ``indices``: one float32 column of length n each.

    Args:
        breadth: Width of the picture in short sides.
        tallness: Its height in short sides.
        tight: Whether every person has a width of their own; else all are :data:`ASPECT` as wide as tall.
    """
    dice = Dice(seed, indices, apart=_APART)
    found = _setting(dice) | _houses(dice)
    busy = np.where(dice.uniform() < _QUIET, np.float32(0), dice.uniform(0.1, 0.75))
    things = [_thing(dice, busy, found, tallness) for _ in range(THINGS)]
    order = np.argsort(np.stack([thing["size"] for thing in things]), axis=0, kind="stable")
    for name in things[0]:
        column = np.take_along_axis(np.stack([thing[name] for thing in things]), order, 0)
        found |= {f"thing{k}_{name}": column[k] for k in range(THINGS)}
    for k in range(THINGS):
        found |= _placed(found, k, breadth=breadth, tallness=tallness, tight=tight)
    return found


def _setting(dice: Dice) -> dict[str, Column]:
    return {
        "horizon": dice.uniform(0.28, 0.40),
        "eyes": dice.uniform(0.72, 1.0),
        "light": dice.uniform(0.55, 1.0),  # What is left of every colour.
        "warmth": dice.uniform(),
        "pavement": dice.uniform(0.25, 0.6),  # Of the way from the horizon to the lower edge.
    }


def _houses(dice: Dice) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for k in range(HOUSES):
        found |= {f"house{k}_top": dice.uniform(0.02, 0.24), f"house{k}_tint": dice.uniform()}
        found |= {f"house{k}_hue": dice.uniform(), f"house{k}_edge": (k + dice.uniform(0.0, 0.5)) / HOUSES}
    return found


def _thing(dice: Dice, busy: Column, setting: Factors, tallness: float) -> dict[str, Column]:
    other = np.array([KINDS.index(name) for name in _OTHERS], np.float32)
    kind = np.where(
        dice.uniform() < busy, np.float32(KINDS.index("person")), other[dice.choice(_OTHERS.values()).astype(int)]
    )
    room = (np.float32(_LOWEST) - setting["horizon"]) * np.float32(tallness) / setting["eyes"]
    far, near = np.float32(1 / _LEAST), 1 / np.minimum(np.float32(_MOST), room)
    found = {"kind": kind, "size": 1 / (far + dice.uniform() * (near - far)), "across": dice.uniform()}
    names = ("aspect", "pose", "skin", "coat", "cloth", "shade")
    return found | {name: dice.uniform() for name in names}


def _placed(found: Factors, k: int, *, breadth: float, tallness: float, tight: bool) -> dict[str, Column]:
    """The middle of the foot of a thing, and half of its width; people stand wholly in the picture."""
    size = found[f"thing{k}_size"]
    aspect = 0.3 + 0.25 * found[f"thing{k}_aspect"] if tight else np.full_like(size, ASPECT)
    half = size * aspect / 2
    return {
        f"thing{k}_half": half,
        f"thing{k}_x": half + found[f"thing{k}_across"] * (np.float32(breadth) - 2 * half),
        f"thing{k}_foot": found["horizon"] * np.float32(tallness) + found["eyes"] * size,
    }
