"""Views of one memory: whether they share values, and where in one another lies."""

from torch import Tensor


def memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def same_view(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.stride() == b.stride() and a.storage_offset() == b.storage_offset()


def starts(part: Tensor, whole: Tensor) -> tuple[int, ...] | None:
    """Where in one view another begins, axis by axis, if it is a box of it; else None."""
    if part.dim() != whole.dim() or part.stride() != whole.stride() or 0 in whole.stride():
        return None
    rest, found = int(part.storage_offset()) - int(whole.storage_offset()), [0] * part.dim()
    for axis in sorted(range(part.dim()), key=lambda d: -whole.stride(d)):
        found[axis], rest = divmod(rest, whole.stride(axis))
    inside = all(at >= 0 and at + size <= of for at, size, of in zip(found, part.shape, whole.shape, strict=True))
    return tuple(found) if inside and rest == 0 else None


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
