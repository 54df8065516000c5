"""One pass forward and one back through a network with real values, measured at every operation.

It records as a trace does, so functions count like modules and every value has its place in the graph; besides, it
keeps the moments of every output, of every effective weight (after what it is multiplied by at run time), and of the
gradient that comes back.
"""

import copy
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.anatomy.signal.layer_moments import Map, Moments, by_place, pieces
from ganvas.anatomy.trace import arguments, operations
from ganvas.anatomy.trace.exported import runner
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.layer_kinds import with_kinds
from ganvas.anatomy.trace.operations import CELLS, RECURRENT
from ganvas.anatomy.trace.recorder import Answer, Call, Recorder, tensors
from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.seeds import stream

BINS, REACH = 40, 4.0  # Histograms are in units of the layer's own deviation, from -4 to 4.
WEIGHTED = ("conv", "linear")
WITHOUT_THEORY = RECURRENT | CELLS | {"embedding", "embedding_bag"}  # Measured alone.
_REQUIRES_GRAD = vars(torch._C.TensorBase)["requires_grad"]
Adjust = Callable[[Recorder, Callable[..., Tensor], Sequence[Any], Mapping[str, Any], Tensor], None]
"""Given the recorder, the operation with its arguments, and the weight that it is about to use."""


@dataclass
class Weight:
    """An effective weight, as the operation used it."""

    shape: tuple[int, ...]
    second: float
    bias: tuple[float, float] = (0.0, 0.0)  # Mean and second moment.


@dataclass
class Norm:
    """A normalisation by the batch's own statistics."""

    kept: float  # Second moment behind it, its learnt shift aside.
    shift: tuple[float, float]  # Mean and second moment of the learnt shift.
    backward: float  # By what it multiplies a gradient's second moment.


@dataclass
class Readings:
    """What one pass measured, by the index of the operation."""

    nodes: tuple[Node, ...] = ()
    output: tuple[int, ...] = ()
    moments: dict[int, Moments] = field(default_factory=dict)
    gradients: dict[int, Map] = field(default_factory=dict)  # Second moments.
    unwatched: set[int] = field(default_factory=set)  # Whose gradient cannot be measured.
    weights: dict[int, Weight] = field(default_factory=dict)
    constants: dict[int, tuple[float, float]] = field(default_factory=dict)  # The learnt operand of a sum or product.
    norms: dict[int, Norm] = field(default_factory=dict)
    dead: dict[int, tuple[float, float]] = field(default_factory=dict)  # Share of units, share of channels.
    saturated: dict[int, float] = field(default_factory=dict)
    histograms: dict[int, Float[np.ndarray, " bins"]] = field(default_factory=dict)  # Shares of all values.
    bad_weights: dict[str, str] = field(default_factory=dict)  # "nan", "inf" or "-inf": what is not finite, by name.
    bad_outputs: dict[int, str] = field(default_factory=dict)
    bad_gradients: dict[int, str] = field(default_factory=dict)


class ForwardFailed(UserError):
    """A network whose forward raised; ``where`` says in which layer, and what."""

    def __init__(self, network: str, where: str) -> None:
        super().__init__(f"{network} fails in {where}")
        self.where = where


class Probe:
    """Measures what its recorder records.

    Args:
        adjust: Called before every layer with a weight, which it may change in place (LSUV).
        weights_only: Measure nothing but weights.
    """

    def __init__(self, model: nn.Module, *, adjust: Adjust | None = None, weights_only: bool = False) -> None:
        self.recorder = Recorder(
            model, input_gradients=True, before_call=self._answer, on_node=self._made, on_layer=self._ran
        )
        self.weights_only = weights_only
        self.found = Readings()
        self.leaves: list[Tensor] = []
        self.adjust = adjust

    def input(self, tensor: Tensor) -> Tensor:
        """A tensor of the network's input; its gradient is measured where it can have one."""
        tensor = tensor.detach()
        if tensor.is_floating_point() and torch.is_grad_enabled():
            self.leaves.append(tensor.requires_grad_())
            tensor = tensor.clone()
        self.recorder.begin_at(tensor, needs_gradient=tensor.requires_grad)
        return tensor

    def _answer(self, func: Any, args: Any, kwargs: Any) -> Answer | None:
        """What takes the place of operations that would disturb; before one with a weight, the weight is adjusted."""
        op = operations.canonical(func)
        if op == "set" and func.__self__ is _REQUIRES_GRAD and args[1] and args[0].requires_grad:
            return Answer(None)  # It is set to what it is, which torch refuses where a tensor is no leaf.
        if op == "dropout":  # Off, also where a network calls it as a function: its noise is not the network's signal.
            return Answer(args[0])
        if self.adjust is not None and op.startswith(WEIGHTED):
            bound = arguments.bind(op, func, args, kwargs)
            if isinstance(bound.get("weight"), Tensor):
                self.adjust(self.recorder, func, args, kwargs, bound["weight"])
        return None

    def _ran(self, index: int, call: Call) -> None:
        """Measures the weight that an operation used, its constants, and what became of its output."""
        op, before = call.op, call.before
        bound = arguments.bind(op, call.func, call.args, call.kwargs)
        weight, bias = bound.get("weight"), bound.get("bias")
        if op.startswith(WEIGHTED) and isinstance(weight, Tensor):
            self.found.weights[index] = Weight(
                shape=tuple(weight.shape),
                second=_moments(weight)[1],
                bias=_moments(bias) if isinstance(bias, Tensor) else (0.0, 0.0),
            )
        if self.weights_only:
            return
        if op in ("batch_norm", "instance_norm"):
            self.found.norms[index] = _norm(op, bound)
        elif op in ("add", "sub", "mul", "div") and sum(v.node is not None for _, v in before) == 1:
            constant = [tensor for tensor, value in before if value.node is None]
            if constant:
                self.found.constants[index] = _moments(constant[0])
        self._shares(index, op, bound, call.outputs[0])

    def _made(self, node: Node, tensor: Tensor) -> None:
        """Measures what a node holds, and its gradient when that comes back."""
        op = node.op
        if tensor.is_floating_point() and tensor.numel() and not self.weights_only:
            self.found.moments[node.index] = by_place(tensor)
            _note(tensor, self.found.bad_outputs, node.index)
            if op.startswith(WEIGHTED) or op in WITHOUT_THEORY:
                self.found.histograms[node.index] = _histogram(tensor)
            if op == "setitem" and tensor._is_view():  # A hook on a view that was written into crashes torch.
                self.found.unwatched.add(node.index)
            elif tensor.requires_grad:
                index = node.index
                tensor.register_hook(lambda gradient: self._gradient(index, gradient))

    def _gradient(self, index: int, gradient: Tensor | None) -> None:
        if gradient is None:  # Of a piece of a split that nobody reads.
            return
        self.found.gradients[index] = by_place(gradient)[1]
        _note(gradient, self.found.bad_gradients, index)

    def _shares(self, index: int, op: str, bound: Mapping[str, Any], output: Tensor) -> None:
        """Dead: 0 for the whole batch. Saturated: where the slope has all but gone at either end."""
        out = output.detach()
        low, high = bound.get("min_val", -1.0), bound.get("max_val", 1.0)
        if op in ("relu", "relu6", "threshold") or (op == "hardtanh" and low == 0):
            zero = (out == 0).all(dim=0)
            channels = zero.flatten(1).all(dim=1) if zero.dim() > 1 else zero
            self.found.dead[index] = float(zero.double().mean()), float(channels.double().mean())
        ends = {"tanh": (-0.99, 0.99), "sigmoid": (0.01, 0.99), "hardtanh": (low, high), "relu6": (-1.0, 6.0)}
        if op in ends:
            below, above = ends[op]
            if op in ("hardtanh", "relu6"):
                gone = (out >= above) | ((out <= below) & (below != 0))
            else:
                gone = (out < below) | (out > above)
            self.found.saturated[index] = float(gone.double().mean())


def measure(
    model: nn.Module,
    inputs: Sequence[Any],
    *,
    seed: int = 0,
    backward: bool = True,
    adjust: Adjust | None = None,
) -> Readings:
    """Runs the model once in training mode, and a normal gradient of unit variance back from its output.

    The model itself is watched and its batch norms move: give a copy. Dropout is off.

    Args:
        backward: False goes forward alone, and measures the weights alone.
        adjust: See :class:`Probe`.

    Raises:
        ForwardFailed: its forward fails with these inputs.
    """
    model.train()
    probe = Probe(model, adjust=adjust, weights_only=not backward)
    recorder = probe.recorder
    recorder.watch(model)
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        _note(tensor, probe.found.bad_weights, name)
    with torch.random.fork_rng(devices=[]), torch.set_grad_enabled(backward), warnings.catch_warnings(action="ignore"):
        torch.manual_seed(derive_seed(seed, "forward"))
        try:
            given = [probe.input(item) if isinstance(item, Tensor) else item for item in inputs]
            with recorder:
                output = runner(model, recorder)(*given)
        except UserError:
            raise
        except Exception as error:
            layer, kind, _ = recorder.stack[-1]
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200].rstrip(": ")
            where = f"{layer or 'its own forward'} ({kind}): {reason}"
            raise ForwardFailed(type(model).__name__, where) from error
        finally:
            recorder.frame = None
        if backward:
            _back(model, probe, output, seed)
    found = probe.found
    found.nodes = with_kinds(recorder.nodes, dict(model.named_modules()))
    values = [recorder.value(tensor) for tensor in tensors(output)]
    found.output = tuple(value.node for value in values if value is not None and value.node is not None)
    return found


def copied(model: nn.Module) -> nn.Module:
    """The model again, to be changed freely."""
    try:
        return copy.deepcopy(model)
    except Exception as error:
        raise UserError(
            f"{type(model).__name__} cannot be copied ({' '.join(str(error).split())[:160]}), and its weights are to "
            "be drawn anew in a copy. Leave out of it what cannot be copied: open files, locks."
        ) from error


def _back(model: nn.Module, probe: Probe, output: Any, seed: int) -> None:
    ends = [tensor for tensor in tensors(output) if tensor.requires_grad]
    if not ends:
        return
    random = stream(seed, "gradient")
    gradients = [torch.randn(end.shape, generator=random).to(end) for end in ends]
    starts = [*probe.leaves, *(p for p in model.parameters() if p.requires_grad)]
    arrived = torch.autograd.grad(ends, starts, gradients, allow_unused=True)
    lost = dict[int, str]()
    for index, gradient in enumerate(arrived):
        if gradient is not None:
            _note(gradient, lost, index)
    if not lost:  # An infinity that a ReLU cuts off, as of a root at 0, reaches nothing that learns.
        probe.found.bad_gradients.clear()


def _note(tensor: Tensor, bad: dict[Any, str], key: int | str) -> None:
    """Notes the worst of what is not finite in a tensor."""
    values = tensor.detach()
    with torch._C.DisableTorchFunction():  # Not an operation of the network that is looked at.
        if not values.is_floating_point() or bool(values.isfinite().all()):
            return
        bad[key] = "nan" if bool(values.isnan().any()) else "inf" if bool((values == torch.inf).any()) else "-inf"


def _moments(tensor: Tensor) -> tuple[float, float]:
    values = tensor.detach().double()
    return float(values.mean()), float(values.square().mean())


def _histogram(tensor: Tensor) -> Float[np.ndarray, " bins"]:
    values = tensor.detach().flatten()
    centre = float(sum(piece.double().sum() for piece in pieces(values))) / values.numel()
    squares = sum(float((piece.double() - centre).square().sum()) for piece in pieces(values))
    deviation = math.sqrt(squares / values.numel()) or 1.0
    counts = torch.zeros(BINS, dtype=torch.float64)
    for piece in pieces(values):
        counts += torch.histc(piece.double() / deviation, bins=BINS, min=-REACH, max=REACH)
    return (counts / values.numel()).numpy()


def _norm(op: str, bound: Mapping[str, Any]) -> Norm:
    """What a batch or instance norm does to moments, by the batch it was given.

    The gradient loses its mean and its part along the output as well: two of the batch's many directions, left out.
    """
    x, eps = bound["input"].detach(), bound.get("eps", 1e-5)
    dims = [d for d in range(x.dim()) if d != 1 and (op == "batch_norm" or d != 0)]
    variance = x.var(dims, unbiased=False).double()
    gain, bias = (bound.get(name) for name in ("weight", "bias"))
    squared = torch.ones_like(variance) if gain is None else gain.detach().double().square().expand_as(variance)
    return Norm(
        kept=float((squared * variance / (variance + eps)).mean()),
        shift=(0.0, 0.0) if bias is None else _moments(bias),
        backward=float((squared / (variance + eps)).mean()),
    )
