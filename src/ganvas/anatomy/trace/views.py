"""Views of one memory: whether they share values, and where in one another lies."""

from torch import Tensor


def memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def same_view(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.stride() == b.stride() and a.storage_offset() == b.storage_offset()


def starts(part: Tensor, whole: Tensor) -> tuple[tuple[int, int | None], ...] | None:
    """Where in one view another begins, if it is a box of it; else None.

    Returns:
        Per axis of ``whole``: the index at which the part begins, and which axis of the part lies along it; None for an
        axis that the part has not, as where one channel was taken.
    """
    along = _axes(part, whole)
    if along is None:
        return None
    rest, found = int(part.storage_offset()) - int(whole.storage_offset()), [0] * whole.dim()
    for axis in sorted(range(whole.dim()), key=lambda d: -whole.stride(d)):
        found[axis], rest = divmod(rest, whole.stride(axis))
    sizes = [1 if axis is None else part.shape[axis] for axis in along]
    inside = all(at >= 0 and at + size <= of for at, size, of in zip(found, sizes, whole.shape, strict=True))
    return tuple(zip(found, along, strict=True)) if inside and rest == 0 else None


def _axes(part: Tensor, whole: Tensor) -> list[int | None] | None:
    """For each axis of one view the axis of another that has its stride, in order; None where some are left over."""
    if part.dim() > whole.dim() or 0 in whole.stride():
        return None
    if part.dim() == whole.dim():
        return list(range(whole.dim())) if part.stride() == whole.stride() else None
    found: list[int | None] = []
    axis = 0
    for stride in whole.stride():
        same = axis < part.dim() and part.stride(axis) == stride
        found.append(axis if same else None)
        axis += same
    return found if axis == part.dim() else None


def overlap(a: Tensor, b: Tensor) -> bool:
    """Whether two views of one memory can have a value in common; exact for boxes cut out of one tensor."""
    if a.stride() != b.stride():
        return True
    at_a, at_b = int(a.storage_offset()), int(b.storage_offset())
    for axis in sorted(range(a.dim()), key=lambda d: -a.stride(d)):
        stride = max(a.stride(axis), 1)
        first_a, at_a = divmod(at_a, stride)
        first_b, at_b = divmod(at_b, stride)
        if first_a >= first_b + b.shape[axis] or first_b >= first_a + a.shape[axis]:
            return False
    return True
