"""Tells what the samples of a source are from its name and first bytes, before anything of it is read."""

from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.data.graphs.opening_graphs import is_graphs
from ganvas.data.points.opening_points import is_points
from ganvas.data.sound.opening_sounds import is_sounds
from ganvas.data.text.opening_text import is_text


def unit_of_source(spec: str) -> SampleUnit:
    """What the samples of a source are; pictures where nothing says otherwise, whose reader says what is wrong.

    >>> unit_of_source("mixtures:ring8"), unit_of_source("notes:20"), unit_of_source("pydoc"), unit_of_source("scenes")
    ('points', 'sounds', 'lines', 'pictures')
    >>> unit_of_source("graphs:trees")
    'graphs'
    """
    if is_graphs(spec):
        return "graphs"
    if is_points(spec):
        return "points"
    if is_sounds(spec):
        return "sounds"
    return "lines" if is_text(spec) else "pictures"
