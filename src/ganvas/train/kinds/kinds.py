"""The kind of sample of a run, by the batches that the model takes and by the source."""

from collections.abc import Sequence

from ganvas.data.points.opening_points import is_points
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.game import Batch
from ganvas.train.kinds.box_kind import BoxKind
from ganvas.train.kinds.domain_kind import DomainKind
from ganvas.train.kinds.graph_kind import GraphKind
from ganvas.train.kinds.kind import Kind
from ganvas.train.kinds.picture_kind import PictureKind
from ganvas.train.kinds.point_kind import PointKind
from ganvas.train.kinds.sound_kind import SoundKind
from ganvas.train.kinds.text_kind import TextKind

KINDS: dict[type[Batch], Kind] = {
    Pictures: PictureKind(),
    Domains: DomainKind(),
    Points: PointKind(),
    Sounds: SoundKind(),
    Lines: TextKind(),
    Graphs: GraphKind(),
    BoxedPictures: BoxKind(),
}


def kind_of(takes: Sequence[type[Batch]], source: str) -> Kind:
    """The kind of a run: what the model takes; of a model that takes several, points where the source holds points.

    Args:
        takes: The kinds of batch that a model's class takes.
        source: What the person named after ``--data``.
    """
    if len(takes) > 1:
        takes = [kind for kind in takes if (kind is Points) == is_points(source)]
    return KINDS[takes[0]]
