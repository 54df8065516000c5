"""A whole model without transposed convolutions, for accelerators and runtimes that have none.

Two ways. :func:`replace_modules` exchanges layers and keeps a model that trains. :func:`rewrite` works on the graph
that ``torch.export`` traces. So it also finds ``F.conv_transpose2d`` inside a forward, weights that are computed at
every call (equalised, spectral-normed, fused with a resize), and models of which only a .pt2 file is left. Its result
is an exported program, for inference; what a weight is computed from by constants alone is computed once, there and
then.
"""

import copy
import io
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.fx.node import map_arg

from ganvas.core.errors import UserError
from ganvas.nn.transposed.subpixel import (
    conv_transpose_by_kernel,
    conv_transpose_subpixel,
    simplified,
    subpixel_bias,
    subpixel_kernel,
)
from ganvas.nn.transposed.subpixel_layer import KNOWN, SubpixelConvTranspose
from ganvas.nn.transposed.transposed_geometry import Geometry, geometry

ATEN = torch.ops.aten
TRANSPOSED = (ATEN.conv_transpose1d.default, ATEN.conv_transpose2d.input, ATEN.conv_transpose3d.input)


def replace_modules(model: nn.Module, *, method: Literal["subpixel", "auto"] = "subpixel") -> nn.Module:
    """A copy of the model, every transposed convolution layer in it a :class:`SubpixelConvTranspose`.

    State dicts of the two are the same. Transposed convolutions inside a forward are not seen: :func:`rewrite` does.

    Raises:
        UserError: a layer has hooks or parametrisations, so that its weight is not its own.
    """
    model = copy.deepcopy(model)
    if isinstance(model, KNOWN):
        return SubpixelConvTranspose.from_module(model, method=method)
    done: dict[nn.Module, nn.Module] = {}  # A layer used in two places stays one layer.
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, KNOWN):
                if child not in done:
                    done[child] = SubpixelConvTranspose.from_module(child, method=method)
                setattr(parent, name, done[child])
    return model


def rewrite(
    model: nn.Module, inputs: tuple[Tensor, ...], *, dynamic_shapes: tuple[dict[int, Any], ...] | None = None
) -> ExportedProgram:
    """The model's forward in eval mode as an exported program without transposed convolutions.

    Args:
        inputs: What the model is traced with; its sizes are fixed but for ``dynamic_shapes`` (as of torch.export).

    Raises:
        UserError: torch.export cannot trace the model; its reason is named.
    """
    modes = {part: part.training for part in model.modules()}
    try:
        program = trace(in_eval(model), inputs, dynamic_shapes=dynamic_shapes)
    finally:
        for part, mode in modes.items():
            part.training = mode
    return rewrite_program(program, inputs, dynamic_shapes=dynamic_shapes)


def in_eval(model: nn.Module) -> nn.Module:
    """The model in eval mode; what came out of an exported program has its mode built in, and refuses to be asked."""
    return model if isinstance(model, fx.GraphModule) else model.eval()


def rewrite_program(
    program: ExportedProgram,
    inputs: tuple[Tensor, ...],
    *,
    dynamic_shapes: tuple[dict[int, Any], ...] | None = None,
) -> ExportedProgram:
    """The same of a program that is exported already."""
    module = program.module(check_guards=False)
    for index, node in enumerate(_transposed(module.graph)):
        _exchange(module, node, f"transposed_{index}")
    for node in module.graph.find_nodes(op="call_function", target=ATEN._assert_tensor_metadata.default):
        module.graph.erase_node(node)  # Checks of a dtype, which would keep weights alive that nothing else reads.
    module.graph.eliminate_dead_code()
    module.recompile()
    _drop_unused(module)
    return trace(module, inputs, dynamic_shapes=dynamic_shapes)


def trace(
    model: nn.Module, inputs: tuple[Tensor, ...], *, dynamic_shapes: tuple[dict[int, Any], ...] | None = None
) -> ExportedProgram:
    """torch.export's trace, with a UserError that names what it stumbled over."""
    try:
        with torch.no_grad(), _error_alone():
            return torch.export.export(model, inputs, dynamic_shapes=dynamic_shapes)
    except Exception as error:
        shapes = ", ".join("x".join(map(str, part.shape)) for part in inputs)
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        advice = "Give the input that its forward takes; a forward whose course depends on values has no graph."
        if kind := re.search(r"Found <class '([\w.]+)'> in output", reason):
            reason = f"its output holds a {kind[1]}, which torch.export does not know."
            advice = "Let its forward return tensors alone: in a module of your own around it, or by a setting of it."
        raise UserError(
            f"{type(model).__name__} cannot be traced by torch.export with an input of {shapes}: {reason} {advice}"
        ) from error


@contextmanager
def _error_alone() -> Iterator[None]:
    """Without the warnings and the half-made graph that torch.export writes to stderr before its error.

    What anybody else writes there, such as a forward that prints, comes afterwards. A logger that was asked for more
    than warnings (TORCH_LOGS) stays as loud.
    """
    log, held, graph = logging.getLogger("torch"), io.StringIO(), ""
    before = log.level
    log.setLevel(logging.ERROR if before in (logging.NOTSET, logging.WARNING) else before)
    try:
        with redirect_stderr(held):
            yield
    except Exception as error:
        graph = str(getattr(error, "partial_fx_graph", ""))
        raise
    finally:
        log.setLevel(before)
        said = held.getvalue()
        sys.stderr.write(said.replace(f"{graph}\n", "") if graph else said)


def transposed_in(program: ExportedProgram) -> list[str]:
    """Names of the transposed convolutions of a program."""
    return [node.name for node in _transposed(program.graph)]


class _Phases(nn.Module):
    """One transposed convolution of a graph, its kernel computed."""

    kernel: Tensor
    bias: Tensor | None

    def __init__(self, found: Geometry, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.found = found
        self.register_buffer("kernel", subpixel_kernel(weight, found).contiguous())
        self.register_buffer("bias", subpixel_bias(bias, found))

    def forward(self, x: Tensor) -> Tensor:
        return conv_transpose_by_kernel(x, self.kernel, self.bias, self.found)


class _PhasesInGraph(nn.Module):
    """One whose weight depends on the model's input."""

    def __init__(self, found: Geometry) -> None:
        super().__init__()
        self.found = found

    def forward(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return conv_transpose_subpixel(x, weight, bias, self.found)


def _transposed(graph: fx.Graph) -> list[fx.Node]:
    def is_transposed(node: fx.Node) -> bool:
        if node.target == ATEN.convolution.default:
            return bool(_arguments(node)["transposed"])
        return node.target in TRANSPOSED

    return [node for node in graph.nodes if is_transposed(node)]


def _exchange(module: fx.GraphModule, node: fx.Node, name: str) -> None:
    """Puts a module in the place of one node."""
    given = _arguments(node)
    found = geometry(
        given["weight"].meta["val"],
        stride=given["stride"],
        padding=given["padding"],
        output_padding=given["output_padding"],
        dilation=given["dilation"],
        groups=given["groups"],
    )
    found = simplified(found, given["input"].meta["val"].shape[2:])
    weight, bias = _constant(module, given["weight"]), given["bias"]
    with torch.no_grad():
        known_bias = None if bias is None else _constant(module, bias)
        if weight is None or (bias is not None and known_bias is None):
            replacement: nn.Module = _PhasesInGraph(found)
            arguments = [part for part in (given["input"], given["weight"], bias) if part is not None]
        else:
            replacement, arguments = _Phases(found, weight, known_bias), [given["input"]]
    module.add_submodule(name, replacement)
    with module.graph.inserting_before(node):
        new = module.graph.call_module(name, tuple(arguments))
    node.replace_all_uses_with(new, propagate_meta=True)
    module.graph.erase_node(node)


def _arguments(node: fx.Node) -> dict[str, Any]:
    """A node's arguments by name, defaults filled in."""
    names = node.target._schema.arguments  # type: ignore[union-attr]
    given = {argument.name: argument.default_value for argument in names}
    given.update(zip(given, node.args, strict=False))
    return given | node.kwargs


def _constant(module: fx.GraphModule, node: fx.Node) -> Tensor | None:
    """The value of a node that depends on parameters and constants alone; None where an input, chance, or a change in
    place has a part in it."""
    if node.op == "get_attr":
        value = module
        for part in str(node.target).split("."):
            value = getattr(value, part)
        return value if isinstance(value, Tensor) else None
    if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
        return None
    if node.target._schema.is_mutable or torch.Tag.nondeterministic_seeded in node.target.tags:
        return None
    values = {source: _constant(module, source) for source in node.all_input_nodes}
    if any(value is None for value in values.values()):
        return None
    arguments: Any = map_arg((node.args, node.kwargs), lambda source: values[source])
    return node.target(*arguments[0], **arguments[1])


def _drop_unused(module: fx.GraphModule) -> None:
    """Weights that only the replaced nodes read are left out of the new program."""
    used = {str(node.target) for node in module.graph.nodes if node.op in ("get_attr", "call_module")}
    kept = tuple(f"{target}." for target in used)
    for name, _ in [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]:
        if name not in used and not name.startswith(kept):
            parent, _, leaf = name.rpartition(".")
            delattr(module.get_submodule(parent), leaf)
