"""Named runs of the recurrent language model. Values that are not named here are the defaults of
``ganvas.models.text.mle.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.text.mle import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """Not the paper's: characters of short lines, two minutes of one core."""
    return Recipe(config=Config(length=32, hidden=128, embedding=32), plan=Plan(total_kimg=60, measure_n=512))
