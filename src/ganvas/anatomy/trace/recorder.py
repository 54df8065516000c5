"""The recorder of a trace: sees every torch function while a network runs, and writes down which are layers.

What TorchScript runs inside of a network (a scripted part, a scripted function) calls operators below Python's torch
functions; these are seen where they are dispatched.

A value is known by its tensor. What is computed from parameters alone (a weight times its scale, a spectral norm's
power iteration, a kernel summed over shifts) is no layer: its parameters belong to the operation that lets them meet
data.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from types import FrameType, MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.anatomy.trace import arguments, learnt_products, macs, operations, product_equations, views
from ganvas.anatomy.trace.graph import Node

_MARK = "_ganvas_value"
_LAYERS = ("conv", "linear", "batch_norm", "embedding", "addmm")  # With a learnt input even these are layers.


@dataclass(frozen=True)
class Value:
    """What is known of a tensor: the node that made it, or else the parameters that it is computed from."""

    node: int | None = None
    parameters: tuple[str, ...] = ()
    needs_gradient: bool = False


@dataclass(frozen=True)
class Call:
    """An operation that ran: its one name, the call, the operands that carried something, and what it made."""

    op: str
    func: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    before: Sequence[tuple[Tensor, Value]]
    outputs: Sequence[Tensor]


@dataclass(frozen=True)
class Answer:
    """What is given in the place of an operation, which then does not run."""

    value: Any


class Recorder(TorchFunctionMode):
    """Records nodes while it is entered; ``stack`` names the modules whose forward is running.

    Args:
        before_call: Called before every torch function, nested ones too; an :class:`Answer` takes its place.
        on_node: Called with every node and its output once it is recorded.
        on_layer: Called with every recorded operation once it ran: the index of its last node, and the call.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        input_gradients: bool,
        before_call: Callable[[Callable[..., Any], Any, Any], Answer | None] | None = None,
        on_node: Callable[[Node, Tensor], None] | None = None,
        on_layer: Callable[[int, "Call"], None] | None = None,
    ) -> None:
        super().__init__()
        self.before_call, self.on_node, self.on_layer = before_call, on_node, on_layer
        self.inside = False  # Of a torch function: what it calls below is not another operation.
        self.below = _Dispatched(self)
        self.dispatched = False  # Whether the operation that is recorded was only seen below.
        self.modules = dict(model.named_modules())
        named = list(model.named_parameters())
        self.values: dict[int, Value] = {
            id(p): Value(parameters=(name,), needs_gradient=p.requires_grad) for name, p in named
        }
        self.sizes = {name: p.numel() for name, p in named}
        self.used: dict[str, int] = {}  # Parameter -> the node that counts it.
        self.nodes: list[Node] = []
        self.stack: list[tuple[str, str, nn.Module | None]] = [("", type(model).__name__, model)]
        self.calls = 0
        self.call_of = [0]  # Beside ``stack``: which call of a module it is.
        self.frame: FrameType | None = None
        self.function_calls = 0
        self.written: dict[int, list[tuple[Tensor, int]]] = {}  # Memory -> what was written into it, and by which node.
        self.last_named: str | None = None
        self.last: tuple[str, list[tuple[int, ...]]] = ("", [])
        self.failing: tuple[Callable[..., Any], Any, Any] | None = None
        self.input_gradients = input_gradients

    def watch(self, model: nn.Module) -> None:
        """Hooks that keep ``stack``; a module that appears twice is known by its first name."""
        for name, module in model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            module.register_forward_pre_hook(self._enter(name), prepend=True)
            module.register_forward_hook(self._leave, prepend=False)

    def _enter(self, name: str) -> Callable[..., None]:
        def enter(module: nn.Module, _: Any) -> None:
            self.calls += 1
            self.stack.append((name, type(module).__name__, module))
            self.call_of.append(self.calls)

        return enter

    def _leave(self, module: nn.Module, *_: Any) -> None:
        while len(self.stack) > 1:  # Deeper ones are left over when the network caught an error of its own.
            last = self.stack.pop()[2]
            self.call_of.pop()
            if last is module:
                return

    def input(self, tensor: Tensor) -> Tensor:
        """A tensor of the network's input, as a node; the tensor itself stays as it is."""
        tensor = tensor.detach()
        grad = self.input_gradients and tensor.is_floating_point()
        self.begin_at(tensor, needs_gradient=grad)
        return tensor

    def begin_at(self, tensor: Tensor, *, needs_gradient: bool) -> None:
        """A tensor of the network's input, which is not made anew, as a node."""
        node = self._append("input", tensor, (), {}, (), 0, 0)
        self._mark_as_node(tensor, node.index, needs_gradient=needs_gradient)

    def __enter__(self) -> "Recorder":
        self.below.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.below.__exit__(*error)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.before_call is not None:
            answer = self.before_call(func, args, kwargs)
            if answer is not None:
                return answer.value
        if self.inside:
            return func(*args, **kwargs)
        func, args = operations.in_order(func, args)
        self.inside = True
        try:
            return self._run(func, args, kwargs)
        finally:
            self.inside = False

    def _run(self, func: Any, args: Any, kwargs: Any) -> Any:
        before = self._sources(args, kwargs)
        try:
            output = func(*args, **kwargs)
        except Exception:
            self.last = operations.canonical(func), [tuple(tensor.shape) for tensor in tensors((args, kwargs))]
            self.failing = func, args, kwargs
            raise
        if before:
            self._record(func, args, kwargs, before, output)
        return output

    def _sources(self, args: Any, kwargs: Any) -> list[tuple[Tensor, Value]]:
        """The operands that carry something, read before the function runs, which may overwrite them."""
        found = []
        for tensor in tensors((args, kwargs)):
            value = self.value(tensor)
            if value is not None:
                found.append((tensor, value))
        return found

    def value(self, tensor: Tensor) -> Value | None:
        """What is known of a tensor; what was last written into its memory, if that is newer."""
        value = self.values.get(id(tensor)) or getattr(tensor, _MARK, None)
        if self.written and tensor.layout is torch.strided:
            made = -1 if value is None or value.node is None else value.node
            newer = [
                (written, writer)
                for written, writer in self.written.get(views.memory(tensor), [])
                if writer > made and views.overlap(written, tensor)
            ]
            if newer:
                needs = value is None or value.needs_gradient
                whole = views.same_view(newer[-1][0], tensor)
                node = newer[-1][1] if whole else self._patched(tensor, value, newer)
                return Value(node=node, needs_gradient=needs)
        return value

    def _patched(self, tensor: Tensor, old: Value | None, newer: Sequence[tuple[Tensor, int]]) -> int:
        """What is in a tensor of whose memory parts were written through other views: a node that reads old and new."""
        before = [(tensor, old.node)] if old is not None and old.node is not None else []
        sources = [*before, *newer]
        starts = tuple(views.starts(written, tensor) for written, _ in sources)
        inputs = tuple(writer for _, writer in sources)
        node = self._append("setitem", tensor, inputs, {"index": ("other",), "starts": starts}, (), 0, 0)
        self._mark_as_node(tensor, node.index, needs_gradient=old is None or old.needs_gradient)
        return node.index

    def _mark(self, tensor: Tensor, value: Value) -> None:
        if id(tensor) not in self.values:
            setattr(tensor, _MARK, value)

    def _record(self, func: Any, args: Any, kwargs: Any, before: list[tuple[Tensor, Value]], output: Any) -> None:
        op = operations.canonical(func)
        outputs = list(tensors(output))
        in_place = op == "setitem" or (bool(outputs) and any(outputs[0] is tensor for tensor, _ in before[:1]))
        if op == "setitem":
            outputs = [next(tensors(args))]
        if not outputs:
            return
        if op in operations.PASSING:
            value = self.value(next(tensors((args, kwargs))))
            if value is None:  # Made by forward itself; another tensor only gave the precision.
                return
            stopped = op in ("detach", "data") or not outputs[0].is_floating_point()
            self._mark(outputs[0], replace(value, needs_gradient=False) if stopped else value)
            return
        needs = any(value.needs_gradient for _, value in before)
        if all(value.node is None for _, value in before):
            if not op.startswith(_LAYERS) or not self._own_input(op, func, args, kwargs):
                value = Value(parameters=_names(value for _, value in before), needs_gradient=needs)
                for tensor in outputs:
                    self._mark(tensor, value)
                return
            before = self._sources(args, kwargs)
        self._layer(op, func, args, kwargs, before, outputs, needs=needs)
        if self.on_layer is not None:
            self.on_layer(len(self.nodes) - 1, Call(op, func, args, kwargs, before, outputs))
        if in_place:
            # A tensor of its own is kept, with the memory, so that no other memory comes to have this address.
            self.written.setdefault(views.memory(outputs[0]), []).append((outputs[0].detach(), len(self.nodes) - 1))

    def _own_input(self, op: str, func: Any, args: Any, kwargs: Any) -> bool:
        """A layer on what the network holds itself: a learnt constant (as StyleGAN's first), noise, coordinates.

        It becomes a node of its own. Whole numbers do not: what is looked up by places is a learnt constant.
        """
        bound = arguments.bind(op, func, args, kwargs)
        x, weight = bound.get("input"), bound.get("weight")
        if (
            not isinstance(x, Tensor)
            or not isinstance(weight, Tensor)
            or x is weight
            or (op == "linear" and x.dim() < 2)
        ):
            return False
        value, learnt = self.value(x), self.value(weight)
        if learnt is None or learnt.node is not None or (value is not None and value.node is not None):
            return False
        if value is None:
            if not x.is_floating_point():
                return False
            node = self._append("constant", x, (), {}, (), 0, 0)
        else:
            owner = value.parameters[0].rpartition(".")[0]  # It belongs to whom it is kept by, not to who reads it.
            with self.named(owner, type(self.modules[owner]).__name__):
                node = self._append("parameter", x, (), {}, value.parameters, 0, 0)
        self._mark_as_node(x, node.index, needs_gradient=value is not None and value.needs_gradient)
        return True

    @contextmanager
    def named(self, name: str, kind: str) -> Iterator[None]:
        """What runs inside belongs to the module of this name and class."""
        if self.last_named != name:
            self.calls += 1
            self.last_named = name
        self.stack.append((name, kind, None))
        self.call_of.append(self.calls)
        try:
            yield
        finally:
            self.stack.pop()
            self.call_of.pop()

    def _mark_as_node(self, tensor: Tensor, node: int, *, needs_gradient: bool) -> None:
        value = Value(node=node, needs_gradient=needs_gradient)
        if id(tensor) in self.values:
            self.values[id(tensor)] = value
        else:
            setattr(tensor, _MARK, value)

    def _layer(
        self,
        op: str,
        func: Any,
        args: Any,
        kwargs: Any,
        before: list[tuple[Tensor, Value]],
        outputs: list[Tensor],
        *,
        needs: bool,
    ) -> None:
        if op == "convolution":  # ATen's one name for all of them.
            op, func, args, kwargs = _convolution(args)
        inputs = tuple(value.node for _, value in before if value.node is not None)
        parameters = _names(value for _, value in before)
        if op in operations.SPLITTING and len(outputs) >= 1 and isinstance(outputs, list):
            whole = before[0][0]
            name = "getitem" if operations.canonical(func) == "unbind" else "split"
            for number, piece in enumerate(outputs):
                node = self._append(
                    name, piece, inputs, arguments.split_index(outputs, number, whole), parameters, 0, 0
                )
                self._mark(piece, Value(node=node.index, needs_gradient=needs))
            return
        bound = arguments.bind(op, func, args, kwargs)
        self._check(op, bound)
        if op == "max" and len(before) > 1:
            op = "maximum"
        operands = list(tensors((args, kwargs)))
        carried = self._which(operands)
        if op == "addmm" and carried == (1,) and parameters:  # What ATen makes of a linear layer.
            op = "linear"
        attributes = arguments.attributes(op, func, args, kwargs, outputs[0])
        if op in product_equations.EQUATIONS:
            bound["equation"] = attributes["equation"] = product_equations.equation(op, bound, operands)
        if op in learnt_products.PRODUCTS or op.endswith("attention") or op in ("addmm", "addbmm"):
            attributes["operands"] = carried
        if op in learnt_products.PRODUCTS and parameters:
            attributes |= self._weight(op, bound, operands)
        if op == "setitem":
            attributes["roles"] = _roles(carried, operands, args)
        if op in ("cat", "stack"):
            attributes["offsets"] = _offsets(op, attributes["dim"], carried, operands)
        forward = macs.forward("addmm" if "mat1" in bound else op, bound, operands, outputs[0])
        inner = macs.interior(op, operands, forward)
        backward = (forward - inner) * self._gradients(bound, before, len(inputs)) + 2 * inner * needs
        node = self._append(op, outputs[0], inputs, attributes, parameters, forward, backward)
        for tensor in outputs:
            self._mark(tensor, Value(node=node.index, needs_gradient=needs and tensor.is_floating_point()))

    def _which(self, operands: list[Tensor]) -> tuple[int, ...]:
        """Which of an operation's operands its node's inputs are; the others are parameters and constants."""
        values = map(self.value, operands)
        return tuple(n for n, value in enumerate(values) if value is not None and value.node is not None)

    def _weight(self, op: str, bound: Mapping[str, Any], operands: list[Tensor]) -> dict[str, Any]:
        """Which factor of a product is learnt, and the axes it reads and makes."""
        values = [self.value(operand) for operand in operands]
        weight = next((n for n, value in enumerate(values) if value is not None and value.parameters), None)
        equation = bound.get("equation", "")
        if weight is None or not isinstance(equation, str):
            return {}
        ranks = [operand.dim() for operand in operands]
        return {"weight": weight, "acts_on": learnt_products.acts_on(op, equation, ranks, weight)}

    def _check(self, op: str, bound: Mapping[str, Any]) -> None:
        """Refuses what torch refuses on values and lets pass on shapes: a transposed convolution of other channels."""
        x, weight = bound.get("input"), bound.get("weight")
        if not op.startswith("conv_transpose") or not isinstance(x, Tensor) or not isinstance(weight, Tensor):
            return
        given = x.shape[x.dim() - weight.dim() + 1]
        if given != weight.shape[0]:
            self.last = op, [tuple(x.shape), tuple(weight.shape)]
            raise RuntimeError(f"expected input to have {weight.shape[0]} channels, but got {given} channels instead")

    def _gradients(self, bound: Mapping[str, Any], before: list[tuple[Tensor, Value]], data: int) -> int:
        """How many operands of the product need a gradient; each costs the forward once more."""
        weight = bound.get("weight")
        if isinstance(weight, Tensor):
            x = bound.get("input", bound.get("input1"))
            values = [self.value(t) for t in (x, weight) if isinstance(t, Tensor)]
            return sum(value is not None and value.needs_gradient for value in values)
        if data == 1 or any(value.node is None for _, value in before):
            data_needs = any(value.needs_gradient for _, value in before if value.node is not None)
            own = any(value.needs_gradient for _, value in before if value.node is None)
            return data_needs + own
        return min(sum(value.needs_gradient for _, value in before), 2)

    def _append(
        self,
        op: str,
        tensor: Tensor,
        inputs: tuple[int, ...],
        attributes: dict[str, Any],
        parameters: tuple[str, ...],
        forward: int,
        backward: int,
    ) -> Node:
        name, module_type, _ = self.stack[-1]
        if self.dispatched and parameters:  # Calls of its modules are not seen; whose weights are.
            name = parameters[0].rpartition(".")[0]
            module_type = getattr(self.modules[name], "original_name", module_type)
        index = len(self.nodes)
        first = {p: self.sizes[p] for p in parameters if p not in self.used}
        self.used.update(dict.fromkeys(first, index))
        again = tuple(p for p in parameters if p not in first)
        function, call = self._function()
        node = Node(
            index=index,
            op=op,
            kind="other",
            module=name,
            module_type=module_type,
            inputs=inputs,
            shape=tuple(tensor.shape),
            attributes=MappingProxyType(attributes),
            parameters=MappingProxyType(first),
            shared=again,
            macs=forward,
            macs_backward=backward,
            note=_shared_note(again, self.used, self.nodes),
            function=function,
            call=(self.call_of[-1], call),
        )
        self.nodes.append(node)
        if self.on_node is not None:
            self.on_node(node, tensor)
        return node

    def _function(self) -> tuple[str, int]:
        """The network's own plain function, outside any class, in which the operation runs, and which call of it.

        It is what makes a pixel norm of ``square``, ``mean``, ``add``, ``rsqrt`` and ``mul``.
        """
        found = None
        frame = sys._getframe(2)
        while frame is not None:
            package = frame.f_globals.get("__name__", "").partition(".")[0]
            if frame.f_code.co_qualname == "Module._call_impl":
                break
            plain = "." not in frame.f_code.co_qualname and frame.f_code.co_name != "<module>"
            if plain and package not in _NOT_OURS and not frame.f_code.co_filename.startswith(_MADE_BY_BEARTYPE):
                found = frame
            frame = frame.f_back
        if frame is None or found is None:
            self.frame = None
            return "", -1
        if found is not self.frame:
            self.frame = found
            self.function_calls += 1
        return found.f_code.co_name, self.function_calls


class _Dispatched(TorchDispatchMode):
    """Shows the recorder what is dispatched outside of any torch function, as TorchScript's interpreter does."""

    supports_higher_order_operators = True  # They run as they do elsewhere.

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if self.recorder.inside:
            return func(*args, **(kwargs or {}))
        self.recorder.dispatched = True
        try:
            return self.recorder.__torch_function__(func, types, args, kwargs)
        finally:
            self.recorder.dispatched = False


_MADE_BY_BEARTYPE = "<@beartype"  # Which checks the types of a method in a plain function around it.
_NOT_OURS = frozenset(("torch", "jaxtyping", "beartype", "einops", "contextlib", "functools", ""))


def tensors(value: Any) -> Iterator[Tensor]:
    """All tensors inside of tuples, lists, mappings, dataclasses and slices, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, (tuple, list, set)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, slice):
        yield from tensors((value.start, value.stop, value.step))
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors(getattr(value, field.name))


def _roles(carried: Sequence[int], operands: Sequence[Tensor], args: Sequence[Any]) -> tuple[str, ...]:
    """What the inputs of ``x[index] = y`` are: the old value, the new one, or an index."""
    last = len(operands) - 1 if len(args) > 1 and isinstance(args[-1], Tensor) else 0
    return tuple("old" if n == 0 else "new" if n == last else "index" for n in carried)


def _offsets(op: str, dim: int, carried: Sequence[int], operands: Sequence[Tensor]) -> tuple[int, ...]:
    """Where the operands that carry something begin in a concatenation, or stand in a stack."""
    sizes = [1 if op == "stack" else one.shape[dim] if one.dim() > dim else 0 for one in operands]
    return tuple(sum(sizes[:n]) for n in carried)


def _names(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in value.parameters))


def _shared_note(shared: tuple[str, ...], used: Mapping[str, int], nodes: list[Node]) -> str:
    first = dict.fromkeys(nodes[used[name]].label for name in shared if used[name] < len(nodes))
    return f"weights shared with {', '.join(first)}" if first else ""  # Its own earlier call has its own name.


def _convolution(args: Any) -> tuple[str, Any, Any, Any]:
    x, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
    axes = weight.dim() - 2
    if transposed:
        func = getattr(torch, f"conv_transpose{axes}d")
        return f"conv_transpose{axes}d", func, (x, weight, bias, stride, padding, output_padding, groups, dilation), {}
    return f"conv{axes}d", getattr(torch, f"conv{axes}d"), (x, weight, bias, stride, padding, dilation, groups), {}
