"""The two forms of the Lipschitz condition agree: slopes of at most 1, and differences of at most the distance.

Where the way between two points lies in the set, the difference is the slope summed along it. Between two islands
nothing is on the way: a function that is flat on each can jump.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from ganvas.claims.judging.claim import Case, Identity, Source

Places = Float[np.ndarray, " places"]
COUNT = 401


def cases() -> Iterator[Case]:
    """The steepest chord beyond the steepest slope, of functions on an interval and on two."""
    whole = np.linspace(-3, 3, COUNT)
    islands = whole[np.abs(whole) > 0.5]
    for name, function, slope in (("sine", np.sin, np.cos), ("tanh", np.tanh, lambda x: 1 / np.cosh(x) ** 2)):
        yield Case(name=f"{name} on an interval", error=_beyond(whole, function, slope))
    yield Case(name="a step on two intervals", error=_beyond(islands, np.sign, np.zeros_like), inside=False)


def twin() -> Iterator[Case]:
    """The slope of another function."""
    yield Case(name="a slope halved", error=_beyond(np.linspace(-3, 3, COUNT), np.sin, lambda x: np.cos(x) / 2))


def _beyond(places: Places, function: Callable[[Places], Places], slope: Callable[[Places], Places]) -> float:
    values = function(places)
    far = np.abs(places[:, None] - places[None]) + np.eye(len(places))
    steepest = float((np.abs(values[:, None] - values[None]) / far).max())
    return max(0.0, steepest - float(np.abs(slope(places)).max()))


CLAIM = Identity(
    statement="A slope of at most 1 everywhere means differences of at most the distance.",
    sources=(Source(who="a common step from Lipschitz critics to gradient penalties", stance="agrees"),),
    scope="differentiable functions of one variable, on one interval and on two",
    holds_when="the set is convex",
    unit="steepness of a chord beyond the steepest slope",
    cases=cases,
    twin=twin,
    smallest_effect=1e-9,
)
