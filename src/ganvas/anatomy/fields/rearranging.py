"""Operations that put elements to other places along an axis: rolls, repeats, flips, shuffles, unpooling.

Each says, per axis of its input, which axis of the output it follows and how; None where it is not known.
"""

from ganvas.anatomy.fields.axis_maps import IDENTITY, Follows, Padding, Table, TransposedWindow, Window, resize
from ganvas.anatomy.trace.graph import Node

Shape = tuple[int, ...]


def roll(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """What leaves at one end comes in at the other, as padding round about does."""
    shifts, dims = node.attributes.get("shifts"), node.attributes.get("dims")
    if dims in (None, ()) or shifts is None:
        return None
    shifts, dims = (one if isinstance(one, tuple) else (one,) for one in (shifts, dims))
    found: list[Follows] = [(d, IDENTITY) for d in range(len(source))]
    for shift, dim in zip(shifts, dims, strict=True):
        axis, size = dim % len(source), source[dim]
        rows = tuple(((place - shift) % size,) for place in range(size))
        found[axis] = (axis, Padding(rows, size, before=shift))
    return tuple(found)


def repeat(node: Node, source: Shape) -> tuple[Follows, ...]:
    """The whole once more, behind itself; new axes come in front."""
    front = len(node.shape) - len(source)
    found: list[Follows] = []
    for axis, size in enumerate(source):
        times = node.shape[axis + front]
        same = times == size
        found.append((axis + front, IDENTITY if same else Padding(tuple((o % size,) for o in range(times)), size)))
    return tuple(found)


def repeat_interleave(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """Every element so many times, as an up-sampling to the nearest."""
    times, dim = node.attributes.get("repeats"), node.attributes.get("dim")
    if not isinstance(times, int) or not isinstance(dim, int):
        return None
    found: list[Follows] = [(d, IDENTITY) for d in range(len(source))]
    found[dim] = (dim, resize(source[dim], source[dim] * times, mode="nearest", align_corners=None))
    return tuple(found)


def channel_shuffle(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """``(g n) -> (n g)`` of the channels."""
    groups = node.attributes.get("groups")
    if not isinstance(groups, int):
        return None
    width = source[1] // groups
    rows = tuple((place % groups * width + place // groups,) for place in range(source[1]))
    return tuple((d, Table(rows, source[1]) if d == 1 else IDENTITY) for d in range(len(source)))


def max_unpool(node: Node, source: Shape) -> tuple[Follows, ...]:
    """A place may be filled by any window that it lies in: the values decide by which."""
    at, axes = node.attributes, int(node.op[-2])
    lead = len(source) - axes
    windows = zip(at["kernel_size"], at["stride"], at["padding"], strict=True)
    found: list[Follows] = [(d, IDENTITY) for d in range(lead)]
    return (*found, *((lead + n, TransposedWindow(k, s, p)) for n, (k, s, p) in enumerate(windows)))


def glu(node: Node, source: Shape) -> tuple[Follows, ...]:
    """``a * sigmoid(b)`` of the halves of an axis: the same place in both."""
    dim = node.attributes.get("dim", -1) % len(source)
    halves = Window(2, dilation=source[dim] // 2)
    return tuple((d, halves if d == dim else IDENTITY) for d in range(len(source)))


def windows(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """``x.unfold(dimension, size, step)``: windows along an axis, their elements on a new last one."""
    at = node.attributes
    if not all(isinstance(at.get(name), int) for name in ("dimension", "size", "step")):
        return None
    dim = at["dimension"] % len(source)
    window = Window(at["size"], at["step"])
    return tuple((d, window if d == dim else IDENTITY) for d in range(len(source)))
