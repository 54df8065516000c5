"""A Wasserstein GAN converges near its solution.

Its discriminator is pushed by the generator's distance and the generator by the discriminator's slope, so that both
turn about the solution. A penalty on the discriminator's slope is what brings them in.
"""

from collections.abc import Iterator

from ganvas.claims.games._linear_game import growth
from ganvas.claims.judging.claim import Case, Identity, Source

STEPS = (0.01, 0.05, 0.25)


def cases() -> Iterator[Case]:
    """Both orders of moves and three steps, with R1 and without."""
    for step in STEPS:
        for alternating in (False, True):
            order = "alternating" if alternating else "simultaneous"
            for damping in (0.0, 0.3):
                factor = growth(step, damping=damping, alternating=alternating)
                name = f"{order}, steps of {step:g}, {'R1' if damping else 'no penalty'}"
                yield Case(name=name, error=float(factor > 1 - 1e-9), inside=damping > 0)


def twin() -> Iterator[Case]:
    """A penalty that rewards slopes."""
    yield Case(name="negative penalty", error=float(growth(0.05, damping=-0.3) > 1 - 1e-9))


CLAIM = Identity(
    statement="A Wasserstein GAN converges near its solution.",
    sources=(
        Source(who="a common reading of its smooth loss", stance="agrees"),
        Source(
            who="Mescheder et al. 2018, Which Training Methods for GANs do actually Converge?",
            stance="denies",
            link="https://arxiv.org/abs/1801.04406",
        ),
    ),
    scope="the Dirac-GAN, whose data and fakes are one point each",
    unit="1 where it does not converge",
    holds_when="the discriminator's slope is penalised",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
