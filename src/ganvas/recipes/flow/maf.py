"""Named runs of masked autoregressive flows. Values that are not named here are the defaults of
``ganvas.models.flow.maf.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.flow.maf import Config
from ganvas.train.plan import Plan, Recipe


def mixtures() -> Recipe:
    """Not the paper's: points of a known law, two minutes of one core, and a learning rate that ends at 0."""
    return Recipe(config=Config(), plan=Plan(total_kimg=500, measure_n=4096), fitted=True)
