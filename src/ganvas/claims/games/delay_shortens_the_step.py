"""The largest stable step of a damped game is its damping by the delay of the loop.

The loop is what passes until a move comes back to its player: with both players' views tau steps old, 2 tau + 1 steps
in a simultaneous game; with one view old tau + 1, and tau in an alternating one. So old views cost what they add to it.
"""

from collections.abc import Iterator

from ganvas.claims.games._linear_game import largest_step
from ganvas.claims.judging.claim import Case, Identity, Source

DAMPING, DELAYS = 0.3, (1, 2, 4, 8, 16)


def cases() -> Iterator[Case]:
    """Largest steps of three games and five delays, against damping by loop."""
    for tau in DELAYS:
        both = largest_step(damping=DAMPING, x_sees=tau, y_sees=tau)
        yield Case(name=f"both views {tau} old", error=_error(both, 2 * tau + 1))
        yield Case(name=f"one view {tau} old", error=_error(largest_step(damping=DAMPING, x_sees=tau), tau + 1))
        alternating = largest_step(damping=DAMPING, y_sees=tau, alternating=True)
        yield Case(name=f"alternating, one view {tau} old", error=_error(alternating, tau))


def twin() -> Iterator[Case]:
    """A loop that is counted one step too long."""
    yield Case(name="loop of 3", error=_error(largest_step(damping=DAMPING, x_sees=1), 3))


def _error(step: float, loop: int) -> float:
    return abs(step / (DAMPING / loop) - 1)


CLAIM = Identity(
    statement="The largest stable step of a damped game is its damping by the delay of the loop.",
    sources=(
        Source(
            who="Mescheder et al. 2018, Which Training Methods for GANs do actually Converge? (without delay)",
            stance="agrees",
            link="https://arxiv.org/abs/1801.04406",
        ),
    ),
    scope=f"the linear game with damping {DAMPING:g}, delays of {DELAYS[0]} to {DELAYS[-1]}",
    cases=cases,
    twin=twin,
    smallest_effect=0.03,
)
