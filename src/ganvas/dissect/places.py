"""Places of the units of a network: the outputs of its operations, found by the names that ``receptive-field`` uses.

A module alone is not enough: what follows a convolution is often a function in somebody's ``forward`` (in Ganvas's own
ProGAN the activation and the pixel norm are), and a hook on modules never sees it. So a place is an operation: the
``call``-th function of torch that runs while the network does. It is numbered once, on a copy, by the recorder that
traces networks, and found again in any later pass of the same network by counting.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.anatomy.fields.receptive_field import find
from ganvas.anatomy.trace import operations
from ganvas.anatomy.trace.graph import Graph, Node
from ganvas.anatomy.trace.layer_kinds import with_kinds
from ganvas.anatomy.trace.recorder import Recorder, tensors
from ganvas.core.errors import UserError

MOST_LAYERS = 8  # That are chosen where none are named.
FEWEST_UNITS, SMALLEST_SIDE = 4, 2  # Of a layer that is chosen.


@dataclass(frozen=True, kw_only=True)
class Place:
    """The units of one layer: the channels of what an operation gives, (n, units, h, w)."""

    name: str  # "#11": the operation's number in the graph.
    label: str  # "leaky_relu after blocks.1.0", or the module's own name.
    op: str
    call: int  # Which of torch's functions it is, counted from the beginning of the network's forward.
    units: int
    size: tuple[int, int]  # Height and width of a map.

    @property
    def title(self) -> str:
        """For a table."""
        return f"{self.name} {self.label} ({self.units} at {self.size[0]}x{self.size[1]})"


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """The operations of a network's forward, and which call of torch's functions each of them was."""

    graph: Graph
    calls: Mapping[int, int]  # Node -> call. Not of inputs, nor of what TorchScript runs unseen.

    def place(self, layer: str) -> Place:
        """The layer of that name: a module (its last operation), "#7", or "output".

        Raises:
            UserError: there is none, or it has no maps of units.
        """
        node = find(self.graph, layer)
        if not self._has_units(node):
            shape = "x".join(map(str, node.shape)) or "a scalar"
            raise UserError(
                f"Layer {layer} gives {shape}, and units are the channels of a map: pictures, channels, height, width. "
                f"Layers that have them: {', '.join(self._known())}."
            )
        return self._placed(node)

    def chosen(self) -> tuple[Place, ...]:
        """Layers worth a look where none are named: what activations give, else convolutions; eight at the most.

        Raises:
            UserError: the network has no maps.
        """
        maps = [node for node in self.graph.nodes if self._has_units(node)]
        maps = [node for node in maps if node.shape[1] >= FEWEST_UNITS and min(node.shape[2:]) >= SMALLEST_SIDE]
        found = [node for node in maps if node.kind == "activation"]
        found = found or [node for node in maps if node.op.startswith("conv")] or maps
        if not found:
            raise UserError(f"{self.graph.model} has no layer whose units are channels of a map, so none to dissect.")
        step = max(len(found) / MOST_LAYERS, 1)
        return tuple(self._placed(found[int(at * step)]) for at in range(min(len(found), MOST_LAYERS)))

    def _has_units(self, node: Node) -> bool:
        """Whether it gives a map for each picture. One grouped convolution for all pictures at once does not."""
        return len(node.shape) == 4 and node.shape[0] == self.graph.input_shapes[0][0] and node.index in self.calls

    def _placed(self, node: Node) -> Place:
        _, units, height, width = node.shape
        return Place(
            name=f"#{node.index}",
            label=self._label(node),
            op=node.op,
            call=self.calls[node.index],
            units=units,
            size=(height, width),
        )

    def _label(self, node: Node) -> str:
        """The module that does nothing else; else the operation, and the last layer with weights that it follows."""
        alone = node.module and sum(other.module == node.module for other in self.graph.nodes) == 1
        if node.parameters or node.shared or alone or node.op.startswith("conv"):
            return node.module or node.op
        before: Node | None = node
        while before is not None and not (before.parameters or before.shared or before.op.startswith("conv")):
            before = self.graph.nodes[before.inputs[0]] if before.inputs else None
        return f"{node.op} after {before.label}" if before is not None else node.label

    def _known(self) -> Sequence[str]:
        return [f"{place.name} ({place.label})" for place in self.chosen()]


def numbered(network: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], *, name: str) -> Numbered:
    """Runs a copy of the network once and numbers its operations.

    Raises:
        UserError: it fails.
    """
    twin = copy.deepcopy(network)
    calls: dict[int, int] = {}
    recorder = _Counting(twin, calls)
    recorder.watch(twin)
    given, named = _marked(args, recorder), _marked(kwargs, recorder)
    try:
        with torch.no_grad(), recorder:
            output = twin(*given, **named)
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{name} fails: {type(error).__name__}: {reason}. Mend it, or give another --input.") from error
    nodes = with_kinds(recorder.nodes, dict(twin.named_modules()))
    values = [recorder.value(tensor) for tensor in tensors(output)]
    graph = Graph(
        nodes=nodes,
        output=tuple(value.node for value in values if value is not None and value.node is not None),
        model=name,
        input_shapes=tuple(tuple(tensor.shape) for tensor in tensors((args, kwargs))),
        parameters=sum(recorder.sizes.values()),
    )
    return Numbered(graph=graph, calls=calls)


class _Counting(Recorder):
    """A recorder that also counts torch's functions as an instrument does, which sees no deeper ones."""

    def __init__(self, model: nn.Module, calls: dict[int, int]) -> None:
        super().__init__(model, input_gradients=False, on_node=self._made)
        self.count, self.calls_of_nodes = -1, calls

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        outermost = not self.inside and not self.dispatched
        output = super().__torch_function__(func, types, args, kwargs)
        self.count += outermost and counts(output)
        return output

    def _made(self, node: Node, _: Tensor) -> None:
        if node.op not in ("input", "constant", "parameter", "setitem") and not self.dispatched:
            self.calls_of_nodes[node.index] = self.count + 1


def counts(output: Any) -> bool:
    """Whether a function of torch is counted: one that gives tensors. Questions, such as ``x.shape``, are not."""
    return isinstance(output, Tensor) or (isinstance(output, (tuple, list)) and any(map(torch.is_tensor, output)))


def same_operation(func: Any, place: Place) -> bool:
    """Whether a function of torch is the one that a place was numbered at."""
    op = operations.canonical(func)
    return op == place.op or op in operations.SPLITTING or place.op in ("conv2d", "conv_transpose2d", "linear")


def _marked(value: Any, recorder: Recorder) -> Any:
    """The same arguments, their tensors as inputs of the graph."""
    if isinstance(value, Tensor):
        return recorder.input(value)
    if isinstance(value, Mapping):
        return {key: _marked(item, recorder) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_marked(item, recorder) for item in value)
    return value
