"""The first weight, output and gradient of a network that is nan or infinite: where a signal stops being a number.

One nan makes everything behind it nan, so only the first is worth a name. Minus infinity that goes no further than a
softmax is how attention is masked, and no fault.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ganvas.anatomy.signal.probe import Readings

What = Literal["weight", "output", "gradient"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The first nan or infinity of its kind, and in how many draws it was there."""

    what: What
    layer: str  # Of a weight, the parameter or buffer.
    op: str  # Of a gradient, what it comes back through.
    value: str  # "nan", "inf" or "-inf".
    draws: int
    of: int

    def __str__(self) -> str:
        when = "" if self.draws == self.of else f" in {self.draws} of {self.of} draws"
        if self.what == "weight":
            return f"{self.layer} holds {self.value} before anything goes through{when}"
        if self.what == "output":
            name = self.layer if self.layer == self.op else f"{self.layer} ({self.op})"
            return f"the output of {name} is the first to hold {self.value}{when}"
        return f"the gradient is first {self.value} at the output of {self.layer}, coming back through {self.op}{when}"


def faults(passes: Sequence[Readings]) -> tuple[Fault, ...]:
    """The first weight, output and gradient that is not finite, each of the draw where it comes first.

    A gradient is named where the outputs are finite: of those that are not, it says nothing new.
    """
    found = list[Fault]()
    weights = [next(iter(reading.bad_weights.items())) for reading in passes if reading.bad_weights]
    outputs = [at for reading in passes if (at := first_output(reading)) is not None]
    sound = [reading for reading in passes if first_output(reading) is None]
    gradients = [max(reading.bad_gradients) for reading in sound if reading.bad_gradients]
    if weights:
        (name, value), _ = Counter(weights).most_common(1)[0]
        found.append(Fault(what="weight", layer=name, op="", value=value, draws=len(weights), of=len(passes)))
    if outputs:
        at = min(outputs)
        node = passes[0].nodes[at]
        value = next(reading.bad_outputs[at] for reading in passes if first_output(reading) == at)
        found.append(
            Fault(what="output", layer=node.label, op=node.op, value=value, draws=len(outputs), of=len(passes))
        )
    if gradients:
        at = max(gradients)
        nodes, reading = passes[0].nodes, next(r for r in sound if r.bad_gradients and max(r.bad_gradients) == at)
        through = ", ".join(dict.fromkeys(node.label for node in nodes if at in node.inputs))
        layer, value = nodes[at].label, reading.bad_gradients[at]
        found.append(Fault(what="gradient", layer=layer, op=through, value=value, draws=len(gradients), of=len(passes)))
    return tuple(found)


def first_output(reading: Readings) -> int | None:
    """The first operation whose output is not finite, if that goes anywhere: a mask of -inf ends at its softmax."""
    bad, ends = set[int](), set(reading.output)
    for node in reversed(reading.nodes):
        kind = reading.bad_outputs.get(node.index)
        if kind is None:
            continue
        readers = {later.index for later in reading.nodes if node.index in later.inputs}
        if kind != "-inf" or node.index in ends or bad & readers:
            bad.add(node.index)
    return min(bad, default=None)
