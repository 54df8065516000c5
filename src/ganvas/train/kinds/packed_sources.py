"""Sources of pictures packed as a run asks for them."""

from ganvas.data.packed import Packed
from ganvas.data.packing import prepare
from ganvas.train.kinds.kind import SourceRequest


def packed_pictures(spec: str, request: SourceRequest, *, size: tuple[int, int], channels: int) -> Packed:
    """The pictures of a source at a size, as the request says."""
    return prepare(
        spec,
        size=size,
        channels=channels,
        fit=request.fit,
        background=request.background,
        broken=request.broken,
        quiet=request.quiet,
    )
