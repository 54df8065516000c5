"""The kind of sample of a model, by the batch that its losses take."""

from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Batch
from ganvas.train.kinds.domain_kind import DomainKind
from ganvas.train.kinds.kind import Kind
from ganvas.train.kinds.picture_kind import PictureKind
from ganvas.train.kinds.point_kind import PointKind

KINDS: dict[type[Batch], Kind] = {Pictures: PictureKind(), Domains: DomainKind(), Points: PointKind()}


def kind_of(takes: type[Batch]) -> Kind:
    """The kind that a model takes."""
    return KINDS[takes]
