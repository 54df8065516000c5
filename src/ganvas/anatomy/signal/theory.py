"""The theory of a whole network: moments carried from operation to operation, forward and back.

Two predictions stand beside every measurement. The *step* starts from what was measured just before (behind, for
gradients), so it tests one layer. The *chain* starts from the network's input (its output) and goes on through every
operation that is understood; where one is not, such as a max pool, it takes up what was measured and says so.

Taken as independent: branches that meet in a sum, and units that a layer reads. Where that is wrong, as behind a max
pool or between neighbours that share what they read, the measurement differs, and that is worth seeing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from ganvas.anatomy.signal.layer_moments import Map, Moments, activated, back_through, scalar, squared_slope, through
from ganvas.anatomy.signal.probe import Readings
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.layer_kinds import ACTIVATIONS
from ganvas.anatomy.trace.operations import words

KEEPING = words("reshape permute getitem split pixel_shuffle pixel_unshuffle roll flip channel_shuffle expand repeat")


@dataclass
class Theory:
    """Second moments by operation. ``whole`` has those whose chain reaches back to the input (to the output)."""

    step: dict[int, Map] = field(default_factory=dict)
    chain: dict[int, Map] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)


def forward_theory(found: Readings) -> Theory:
    """Second moments of every operation's output."""
    theory = Theory()
    chain: dict[int, Moments] = {}
    for node in found.nodes:
        measured = found.moments.get(node.index)
        if measured is None:
            continue
        if node.op in ("input", "parameter", "constant"):
            chain[node.index] = measured
            theory.whole.add(node.index)
            continue
        known = [found.moments[i] for i in node.inputs if i in found.moments]
        carried = [chain[i] for i in node.inputs if i in chain]
        step, onward = (
            _of_places(node, _forward(node, before, found)) if len(before) == len(node.inputs) else None
            for before in (known, carried)
        )
        if step is not None:
            theory.step[node.index] = step[1]
        needed = node.inputs[:1] if _pixel_norm(node) else node.inputs  # Its norm follows from what it divides.
        if onward is not None and all(i in theory.whole for i in needed):
            theory.whole.add(node.index)
        chain[node.index] = measured if onward is None else onward
    theory.chain = {index: moments[1] for index, moments in chain.items()}
    return theory


def backward_theory(found: Readings) -> Theory:
    """Second moments of the gradient at every operation's output."""
    theory = Theory()
    readers: dict[int, list[Node]] = {node.index: [] for node in found.nodes}
    for node in found.nodes:
        for source in dict.fromkeys(node.inputs):
            readers[source].append(node)
    for node in reversed(found.nodes):
        measured = found.gradients.get(node.index)
        if measured is None:
            continue
        at_end = float(found.output.count(node.index))
        reading = [r for r in readers[node.index] if r.index in found.gradients]
        step = onward = None
        if not any(r.index in found.unwatched for r in readers[node.index]):
            step = _sum([_backward(r, node, found.gradients[r.index], found) for r in reading], at_end)
            onward = _sum([_backward(r, node, theory.chain[r.index], found) for r in reading], at_end)
        if step is not None:
            theory.step[node.index] = step
        if onward is not None and all(r.index in theory.whole for r in reading):
            theory.whole.add(node.index)
        theory.chain[node.index] = measured if onward is None else onward
    return theory


def _of_places(node: Node, moments: Moments | None) -> Moments | None:
    """Moments of an operation's output; None where they have other places than it has, and so are not its own."""
    if moments is None or not moments[1].dim() or tuple(moments[1].shape) == node.shape[2:]:
        return moments
    return None


def _sum(parts: Sequence[Map | None], start: float) -> Map | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not _fit(known):
        return None
    return torch.tensor(start, dtype=torch.float64) + sum(known)


def _fit(maps: Sequence[Map]) -> bool:
    """Whether maps can be added: those that have places have the same."""
    return len({tuple(one.shape) for one in maps if one.dim()}) < 2


def _forward(node: Node, before: Sequence[Moments], found: Readings) -> Moments | None:
    """Moments of an operation's output by those of its inputs; None where they do not follow."""
    op, index = node.op, node.index
    sources = [found.nodes[i] for i in node.inputs]
    if index in found.weights:
        if not _has_batch(node, sources[0].shape):
            return None
        weight, source = found.weights[index], before[0][1]
        full = source.expand(sources[0].shape[2:]) if op != "linear" else source
        second = weight.second * through(node, weight.shape, full) + weight.bias[1]
        return torch.full_like(second, weight.bias[0]), second
    if index in found.norms:
        norm, second = found.norms[index], before[0][1]
        kept = norm.kept * second / second.mean().clamp(min=1e-300)  # Borders stay as quiet as they were.
        return torch.full_like(kept, norm.shift[0]), kept + norm.shift[1]
    if op in ACTIVATIONS:
        return activated(node, before[0])
    if op in KEEPING:
        return before[0] if node.shape[2:] == sources[0].shape[2:] else _flat(before[0])
    if op == "interpolate" and str(node.attributes.get("mode")).startswith("nearest"):
        return _resized(before[0][0], node.shape[2:]), _resized(before[0][1], node.shape[2:])
    if op == "pad":
        return _padded(node, sources[0], before[0])
    if op == "cat":
        return _joined(sources, before)
    if _pixel_norm(node):
        return torch.zeros_like(before[0][0]), torch.ones_like(before[0][1])
    return _arithmetic(node, before, found)


def _has_batch(node: Node, shape: Sequence[int]) -> bool:
    """Whether a layer's input has a batch and channels before its places; torch takes it without a batch as well."""
    return node.op == "linear" or len(shape) == 2 + len(node.attributes["kernel_size"])


def _arithmetic(node: Node, before: Sequence[Moments], found: Readings) -> Moments | None:
    constant = found.constants.get(node.index)
    if constant is None and scalar(node) is not None:
        constant = float(scalar(node)), float(scalar(node)) ** 2
    if any(found.nodes[i].shape != node.shape for i in node.inputs):
        return None
    if len(before) == 1 and constant is not None:
        (a, aa), (b, bb) = before[0], constant
        if node.op == "mul":
            return a * b, aa * bb
        if node.op == "div":
            return (a / b, aa / bb) if scalar(node) else None
    elif len(before) == 2 and _fit([second for _, second in before]):
        (a, aa), (b, bb) = before
    else:
        return None
    if node.op not in ("add", "sub"):
        return None
    sign = 1 if node.op == "add" else -1
    return a + sign * b, aa + bb + 2 * sign * a * b


def _pixel_norm(node: Node) -> bool:
    """Whether it is the last operation of Ganvas's pixel norm."""
    return node.function == "pixel_norm" and node.op in ("mul", "div")


def _flat(moments: Moments) -> Moments:
    return moments[0].mean(), moments[1].mean()


def _resized(values: Map, places: Sequence[int]) -> Map:
    return F.interpolate(values[None, None], size=tuple(places))[0, 0] if values.dim() else values


def _joined(sources: Sequence[Node], before: Sequence[Moments]) -> Moments | None:
    """Of pieces one behind the other: their mean, each counted by its size."""
    if not _fit([second for _, second in before]):
        before = [_flat(moments) for moments in before]
    sizes = torch.tensor([float(math.prod(source.shape)) for source in sources], dtype=torch.float64)
    shares = sizes / sizes.sum()
    mean, second = (sum(share * moments[i] for share, moments in zip(shares, before, strict=True)) for i in (0, 1))
    return mean, second  # type: ignore[return-value]


def _padded(node: Node, source: Node, before: Moments) -> Moments | None:
    """Zeros around, or what a mode repeats there."""
    pads, mode = node.attributes.get("pad", ()), node.attributes.get("mode", "constant")
    if mode == "constant" and node.attributes.get("value") not in (0, 0.0, None):
        return None
    if node.shape[2:] == source.shape[2:] or not before[1].dim() or len(pads) > 2 * before[1].dim():
        share = math.prod(source.shape) / math.prod(node.shape) if mode == "constant" else 1.0
        kept = before if node.shape[2:] == source.shape[2:] else _flat(before)
        return kept[0] * share, kept[1] * share
    mean, second = (F.pad(values[None, None], pads, mode=mode)[0, 0] for values in before)
    return mean, second


def _backward(reader: Node, node: Node, gradient: Map, found: Readings) -> Map | None:
    """What a reader adds to the gradient's second moment at a node; None where it does not follow."""
    op, index = reader.op, reader.index
    ratio = math.prod(reader.shape) / max(math.prod(node.shape), 1)
    if index in found.weights:
        if not _has_batch(reader, node.shape):
            return None
        weight = found.weights[index]
        full = gradient.expand(reader.shape[2:]) if op != "linear" else gradient
        return weight.second * back_through(reader, weight.shape, full, node.shape[2:])
    if index in found.norms:
        return found.norms[index].backward * gradient
    if op in ACTIVATIONS:
        factor = squared_slope(reader, found.moments[node.index])
        return None if factor is None else factor * gradient
    if op in ("add", "sub"):
        return gradient if reader.shape == node.shape else None
    if op in ("mul", "div") and len(reader.inputs) == 1:
        return _scaled(reader, gradient, found)
    if op == "cat" or op in KEEPING - {"expand", "repeat"}:
        part = ratio if op in ("getitem", "split") else 1.0
        return part * (gradient if reader.shape[2:] == node.shape[2:] else gradient.mean())
    if op == "pad" and reader.attributes.get("mode", "constant") == "constant" and ratio >= 1:
        return gradient if reader.shape[2:] == node.shape[2:] else gradient.mean()
    if op == "mean" or ("pool" in op and _tiles(reader, node)):
        return _spread(gradient, node, ratio if "max_pool" in op else ratio**2)
    return None


def _spread(gradient: Map, node: Node, share: float) -> Map | None:
    """A reduction's gradient over what it reduced; None where that was an axis of channels, whose places moved."""
    if gradient.dim() not in (0, len(node.shape[2:])):
        return None
    return _resized(gradient, node.shape[2:]) * share


def _scaled(reader: Node, gradient: Map, found: Readings) -> Map | None:
    number = scalar(reader)
    if number:
        return gradient * float(number) ** (2 if reader.op == "mul" else -2)
    constant = found.constants.get(reader.index)
    return gradient * constant[1] if constant is not None and reader.op == "mul" else None


def _tiles(reader: Node, node: Node) -> bool:
    """Whether a pool's windows tile its input: no overlap, nothing left over."""
    attributes = reader.attributes
    if "output_size" in attributes:
        return all(big % small == 0 for big, small in zip(node.shape[2:], reader.shape[2:], strict=True))
    sizes = attributes.get("kernel_size", ())
    return (
        len(sizes) == len(node.shape[2:])
        and sizes == attributes.get("stride")
        and not any(attributes.get("padding", (0,)))
        and all(big == small * k for big, small, k in zip(node.shape[2:], reader.shape[2:], sizes, strict=True))
    )
