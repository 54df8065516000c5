"""Units that a mean or an attention over all places lets read the whole input.

The textbook's interval lies on a plane without borders, and such a plane has no mean: a squeeze and excitation, a self
attention or a decoder behind a bottleneck reads all that there is, however many pixels an interval would add to it. A
vector that a network ends in is no such unit: its mean is a window as large as the map.
"""

from collections.abc import Sequence
from enum import Enum, auto

from ganvas.anatomy.fields.axes import TensorAxes
from ganvas.anatomy.fields.axis_maps import NOTHING, All
from ganvas.anatomy.fields.dependence import Dependence, Link
from ganvas.anatomy.trace.graph import Graph, Node


class _Reads(Enum):
    NOTHING = auto()  # Of the input.
    PLACES = auto()
    POOLED = auto()  # All places, and has none itself.
    EVERYWHERE = auto()


def everywhere(
    graph: Graph, layouts: Sequence[TensorAxes], links: Sequence[list[Dependence]], source: int
) -> frozenset[int]:
    """The nodes with places whose units each read all places of a map, or of a part that it was cut in.

    Args:
        layouts: Of every node's output.
        links: How every node depends on each of its inputs.
        source: The input that is meant.
    """
    wide = [any(size > 1 for size in here.places(node.shape)) for here, node in zip(layouts, graph.nodes, strict=True)]
    found = [_Reads.NOTHING] * len(graph.nodes)
    found[source] = _Reads.PLACES
    for node in graph.nodes[source + 1 :]:
        every = [
            _through(found[i], graph.nodes[i], layouts[i], each, wide=wide[node.index])
            for i, each in zip(node.inputs, links[node.index], strict=True)
        ]
        found[node.index] = max(every, key=lambda reads: reads.value, default=_Reads.NOTHING)
    return frozenset(index for index, reads in enumerate(found) if reads is _Reads.EVERYWHERE)


def _through(reads: _Reads, source: Node, here: TensorAxes, dependence: Dependence, *, wide: bool) -> _Reads:
    maps = [mapped for _, mapped in dependence.axes] if isinstance(dependence, Link) else []
    if reads is _Reads.NOTHING or NOTHING in maps:
        return _Reads.NOTHING
    if not wide:
        return _Reads.POOLED
    if reads is not _Reads.PLACES:
        return _Reads.EVERYWHERE
    places = [axis for axis in range(len(source.shape)) if axis not in (here.batch, here.features)]
    whole = any(isinstance(maps[axis], All) and source.shape[axis] > 1 for axis in places if maps)
    return _Reads.EVERYWHERE if whole else _Reads.PLACES
