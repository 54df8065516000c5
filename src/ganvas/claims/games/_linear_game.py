"""The damped linear game: what its linear map does to a small distance from the solution, with delays.

Two numbers play ``x <- x - h y`` and ``y <- y + h x - h gamma y``. It is the Dirac-GAN of a Wasserstein loss with R1
(Mescheder et al. 2018, https://arxiv.org/abs/1801.04406); near a solution every smooth game is so along some axes.
"""

import numpy as np


def growth(step: float, *, damping: float, x_sees: int = 0, y_sees: int = 0, alternating: bool = False) -> float:
    """The factor by which the game moves away from its solution with every step: below 1 it converges.

    Args:
        x_sees: How many steps old the y is that x moves by.
        y_sees: How many steps old the x is that y moves by.
        alternating: y moves after x and sees it moved, unless what it sees is old.
    """
    length = max(x_sees, y_sees) + 1
    whole = np.zeros((2 * length, 2 * length))  # x and its past, y and its past.
    whole[1:length, : length - 1] = np.eye(length - 1)
    whole[length + 1 :, length : 2 * length - 1] = np.eye(length - 1)
    whole[0, 0], whole[0, length + x_sees] = 1, -step
    whole[length, length] = 1 - step * damping
    if alternating:
        seen = whole[0] if y_sees == 0 else np.eye(2 * length)[y_sees - 1]
        whole[length] += step * seen
    else:
        whole[length, y_sees] += step
    return float(np.abs(np.linalg.eigvals(whole)).max())


def largest_step(*, damping: float, x_sees: int = 0, y_sees: int = 0, alternating: bool = False) -> float:
    """The largest step at which the game converges, by halving."""
    low, high = 0.0, 4.0
    for _ in range(50):
        middle = (low + high) / 2
        stable = growth(middle, damping=damping, x_sees=x_sees, y_sees=y_sees, alternating=alternating) < 1
        low, high = (middle, high) if stable else (low, middle)
    return low
