"""Layout of small graphs: places of nodes whose distances are as near as can be to the steps between them.

Stress majorisation (Gansner, Koren, North 2004, https://doi.org/10.1007/978-3-540-31843-9_25): every round moves each
node to the weighted mean of where the others want it, which never raises ``sum (|x_i - x_j| - d_ij)^2 / d_ij^2``. It
begins from the classical scaling of the distances, so that the same graph always gets the same places; parts that no
path joins lie a little apart.
"""

import numpy as np
from jaxtyping import Bool, Float64

ROUNDS = 60
APART = 2.0  # Steps between parts that no path joins, beside half of what they reach.

Places = Float64[np.ndarray, "v 2"]
Joined = Bool[np.ndarray, "v v"]


def steps_between(joined: Joined) -> Float64[np.ndarray, "v v"]:
    """The length of the shortest path between any two nodes; infinite where there is none."""
    steps = np.where(np.eye(len(joined), dtype=bool), 0.0, np.inf)
    front = np.eye(len(joined), dtype=bool)
    for length in range(1, len(joined)):
        front = ((front.astype(np.float32) @ joined.astype(np.float32)) > 0) & np.isinf(steps)
        if not front.any():
            break
        steps[front] = length
    return steps


def layout(joined: Joined) -> Places:
    """Places of the nodes of a graph, a step about 1 long, around their middle."""
    steps = steps_between(joined)
    known = steps[np.isfinite(steps)]
    wanted = np.where(np.isfinite(steps), steps, known.max(initial=0.0) / 2 + APART)
    places = _scaled(wanted)
    weights = np.divide(1.0, wanted**2, out=np.zeros_like(wanted), where=wanted > 0)
    laplacian = np.diag(weights.sum(1)) - weights
    inverse = np.linalg.pinv(laplacian)
    for _ in range(ROUNDS if len(joined) > 1 else 0):
        places = inverse @ _pull(places, wanted, weights)
    return _turned(places - places.mean(0))


def _pull(places: Places, wanted: Float64[np.ndarray, "v v"], weights: Float64[np.ndarray, "v v"]) -> Places:
    """The right side of the majorising system."""
    away = places[:, None] - places[None]
    length = np.linalg.norm(away, axis=2)
    share = np.divide(weights * wanted, length, out=np.zeros_like(length), where=length > 1e-9)
    return (share[:, :, None] * away).sum(1)


def _scaled(wanted: Float64[np.ndarray, "v v"]) -> Places:
    """Classical scaling to two dimensions; nodes that would lie on one spot are set a little apart."""
    v = len(wanted)
    centre = np.eye(v) - 1 / v
    values, vectors = np.linalg.eigh(-0.5 * centre @ wanted**2 @ centre)
    found = vectors[:, -2:] * np.sqrt(values[-2:].clip(0)) if v > 1 else np.zeros((v, 2))
    turn = 2 * np.pi * np.arange(v) * 0.618034
    return found + 0.05 * np.stack([np.cos(turn), np.sin(turn)], 1)


def _turned(places: Places) -> Places:
    """The longest reach lies across."""
    values, vectors = np.linalg.eigh(places.T @ places)
    return places @ vectors[:, np.argsort(-values)]
