"""Named runs of the recurrent model of graphs. Values that are not named here are the defaults of
``ganvas.models.graphs.autoregressive.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.graphs.autoregressive import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """Not the paper's: graphs of up to about ten nodes, two minutes of one core."""
    return Recipe(config=Config(hidden=64, edge_hidden=32), plan=Plan(total_kimg=60, measure_n=1024))
