"""Skill rating: a tournament of generators against discriminators, of one run's snapshots or of several runs.

Olsson et al. 2018, Skill Rating for Generative Models. https://arxiv.org/abs/1808.04888

Every generator's pictures are shown to every discriminator. A discriminator's score against a generator is the chance
that it finds a real picture more real than a generated one (ties count half): the area under its ROC curve. From the
table of scores come each player's win rate, its rating by Glicko-2, and by Bradley-Terry's maximum likelihood, in
points like those of chess. A generator that rises through training fools the discriminators of other moments too.
Ratings are of this tournament only; those of another do not compare, and a league of weak players looks as strong as
one of strong players.

Standard error: the deviation of ratings over blocks of pictures, each block a tournament of its own, by the square root
of their number.

Departs from the paper: a match is decided by ranks, not by a threshold on the discriminator's output, because critics
have no threshold and the outputs of two discriminators are not calibrated; the tournament is one rating period in which
everybody is rated against what the others turn out to be, so no order of matches exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.tournament.ratings import TAU, bradley_terry, glicko2_tournament

NAME = "skill"
TITLE = "Skill rating"
BETTER = "higher"
SEES = "players"
MINIMUM = 8
COST = "every generator's pictures through every discriminator"
COMMAND = "ganvas skill RUN ..."

ERROR_METHOD = "deviation over blocks of pictures"
Outputs = Float[np.ndarray, " _"]  # One per picture, of a discriminator: higher for more real.


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the ratings but the players."""

    tau: float = TAU  # Of Glicko-2.
    pseudo: float = 0.5  # Games that everyone is given, half won, so that who won all has a finite rating.
    blocks: int = 8  # Of pictures, for the standard error.


TINY = Config(blocks=2)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One player after the tournament."""

    name: str
    role: str  # "generator" or "discriminator".
    win_rate: float  # Mean score over its matches.
    rating: Result  # Bradley-Terry's, with its error.
    glicko: float
    glicko_deviation: float


@dataclass(frozen=True, kw_only=True)
class Tournament:
    """The table and the standings, best first within each role."""

    generators: tuple[str, ...]
    discriminators: tuple[str, ...]
    scores: Float[np.ndarray, "discriminators generators"]  # Of the discriminator.
    standings: tuple[Standing, ...]


def score(real: Outputs, fake: Outputs) -> float:
    """``P(real > fake) + P(real = fake) / 2`` over all pairs: Mann and Whitney's U by the number of pairs.

    >>> score(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    0.875
    """
    both = np.concatenate([real, fake])
    _, places, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # Equal values share their mean rank.
    return float((ranks[: len(real)].sum() - len(real) * (len(real) + 1) / 2) / (len(real) * len(fake)))


def tournament(
    real: Mapping[str, Outputs],
    fake: Mapping[tuple[str, str], Outputs],
    *,
    config: Config | None = None,
    seed: int = 0,
    pictures_of: str = "",
) -> Tournament:
    """Rates everyone from the discriminators' outputs.

    Args:
        real: By discriminator, what it says of the real pictures.
        fake: By discriminator and generator, what it says of the generated ones; a pair that is left out did not meet.
        pictures_of: A part of the protocol: the players' fingerprints and the reals'.

    Raises:
        UserError: fewer pictures than blocks can be made of, outputs that are not finite, or nobody met.
    """
    config = config or Config()
    judges = tuple(real)
    makers = tuple(dict.fromkeys(maker for _, maker in fake))
    for name, outputs in [*real.items(), *fake.items()]:
        if not np.isfinite(outputs).all():
            raise UserError(f"The outputs of {' on '.join([name] if isinstance(name, str) else name)} are not finite.")
    n = min(map(len, [*real.values(), *fake.values()]), default=0)
    if n < max(MINIMUM, 2 * config.blocks):
        raise UserError(f"{TITLE} needs at least {max(MINIMUM, 2 * config.blocks)} pictures and was given {n}.")

    def table(start: int, step: int) -> np.ndarray:
        found = np.full((len(judges), len(makers)), np.nan)
        for i, judge in enumerate(judges):
            for j, maker in enumerate(makers):
                if (judge, maker) in fake:
                    found[i, j] = score(real[judge][start::step], fake[judge, maker][start::step])
        return found

    scores = table(0, 1)
    strong = bradley_terry(scores, pseudo=config.pseudo)
    spread = [bradley_terry(table(block, config.blocks), pseudo=config.pseudo) for block in range(config.blocks)]
    rated = glicko2_tournament(scores, tau=config.tau)
    protocol = f"{NAME}:n{n}:judges{len(judges)}:makers{len(makers)}:pseudo{config.pseudo:g}:{pictures_of}"
    standings = []
    for side, (names, role) in enumerate(((judges, "discriminator"), (makers, "generator"))):
        rates = np.nanmean(scores if side == 0 else 1 - scores, axis=1 - side)
        errors = np.std([one[side] for one in spread], axis=0, ddof=1) / config.blocks**0.5
        standings += [
            Standing(
                name=name,
                role=role,
                win_rate=float(rates[at]),
                rating=Result(
                    metric=f"{NAME}.{role}.{name}",
                    value=float(strong[side][at]),
                    standard_error=float(errors[at]),
                    error_method=ERROR_METHOD,
                    n=n,
                    seed=seed,
                    better=BETTER,
                    protocol=protocol,
                ),
                glicko=rated[side][at].rating,
                glicko_deviation=rated[side][at].deviation,
            )
            for at, name in enumerate(names)
        ]
    standings.sort(key=lambda one: (one.role != "generator", -one.rating.value))
    return Tournament(generators=makers, discriminators=judges, scores=scores, standings=tuple(standings))
