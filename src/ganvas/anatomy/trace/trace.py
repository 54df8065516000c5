"""What runs in a network, found by running it: on torch's meta device, where tensors have shapes and no memory.

Modules alone would miss what ``forward`` writes as functions (an up-sampling, a skip connection, a pixel norm), and
functions alone have no names; a trace has both. The network that is given stays as it is: a copy without memory runs.
"""

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from ganvas.anatomy.trace.exported import runner
from ganvas.anatomy.trace.graph import Graph
from ganvas.anatomy.trace.layer_kinds import with_kinds
from ganvas.anatomy.trace.light_meta import without_compiler
from ganvas.anatomy.trace.recorder import Recorder, tensors
from ganvas.core.errors import UserError

LONGEST = 400  # Letters of a foreign error; TorchScript's tell the whole program.


def trace(
    model: nn.Module,
    *inputs: Any,
    name: str | None = None,
    real: bool = False,
    training: bool = False,
    input_gradients: bool = False,
    keywords: Mapping[str, Any] | None = None,
) -> Graph:
    """The network's operations for inputs of given shapes.

    Args:
        inputs: What ``forward`` is given. A tuple of whole numbers or a ``torch.Size`` stands for a tensor of that
            shape, of the network's own precision; other values pass as they are.
        name: Of the network, for titles; its class if None.
        real: Run on values, not shapes alone, for a network whose path depends on what it computes: on a copy, with
            normal noise for inputs given by shape. It takes the memory and time of a forward pass; TorchScript always
            does.
        training: Run as in training rather than in evaluation.
        input_gradients: Whether the backward figures include the gradient of the network's own input, as a
            discriminator has that teaches a generator.
        keywords: Of ``forward``.

    Returns:
        The graph; where forward raised, up to there, with ``failed`` saying in which layer and why.

    Raises:
        UserError: The path depends on values and ``real`` was not asked for.
    """
    model = getattr(model, "_orig_mod", model)  # Of torch.compile.
    title = name or type(model).__name__
    if real and any(p.is_meta for p in model.parameters()):
        raise UserError(f"{title} was built without memory, so there are no values to run it on. Build it with them.")
    real = real or isinstance(model, torch.jit.ScriptModule)  # Its tensors cannot be exchanged for bare ones.
    twin = _copy(model, meta=not real).train(training)
    recorder = Recorder(twin, input_gradients=input_gradients)
    recorder.watch(twin)
    device = torch.device("meta") if not real else _device(twin)
    given = [_materialise(item, device, _dtype(twin)) for item in inputs]
    named = {key: _materialise(item, device, _dtype(twin)) for key, item in (keywords or {}).items()}
    output, failed = _run(title, twin, recorder, given, named, device)
    nodes = with_kinds(recorder.nodes, dict(twin.named_modules()))
    values = [recorder.value(tensor) for tensor in tensors(output)]
    return Graph(
        nodes=nodes,
        output=tuple(value.node for value in values if value is not None and value.node is not None),
        model=title,
        input_shapes=tuple(tuple(tensor.shape) for tensor in tensors((given, named))),
        parameters=sum(recorder.sizes.values()),
        unused={name: size for name, size in recorder.sizes.items() if name not in recorder.used},
        failed=failed,
    )


def _run(
    title: str,
    twin: nn.Module,
    recorder: Recorder,
    given: Sequence[Any],
    named: Mapping[str, Any],
    device: torch.device,
) -> tuple[Any, str | None]:
    """The output, or the layer that raised and why."""
    inputs = _mapped(given, recorder.input), _mapped(named, recorder.input)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            without_compiler(),
            _untouched_random_state(device),
            torch.no_grad(),
            torch.device(device),
            recorder,
        ):
            return runner(twin, recorder)(*inputs[0], **inputs[1]), None
    except Exception as error:
        layer, kind, _ = recorder.stack[-1]
        where = f"{layer or 'its own forward'} ({kind})"
        reason = " ".join(str(error).partition("While executing")[0].split()) or type(error).__name__
        reason = reason if len(reason) < LONGEST else reason[:LONGEST] + " ..."
        op, shapes = recorder.last
        if device.type == "meta" and _needs_values(error, reason):
            raise UserError(
                f"{title}: {where} asks for values that a trace of shapes does not have ({reason.partition('. ')[0]}). "
                "Give --real to run it on real values (real=True in Python)."
            ) from error
        sizes = ", ".join("x".join(map(str, shape)) or "a scalar" for shape in shapes)
        why = _plainly(recorder.stack[-1][2], error, op, shapes) or f"{type(error).__name__}: {reason}"
        return None, f"{where}: {why}" + (f" [{op} of {sizes}]" if op else "")
    finally:
        recorder.frame = None


_TAKES = {"in_channels": (1, "channels"), "num_channels": (1, "channels"), "num_features": (1, "channels")} | {
    "in_features": (-1, "features"),
    "normalized_shape": (-1, "features"),
    "embed_dim": (-1, "features"),
    "input_size": (-1, "features"),
}
"""What a layer says it takes, and on which axis."""


def _plainly(layer: nn.Module | None, error: Exception, op: str, shapes: Sequence[tuple[int, ...]]) -> str:
    """The commonest reasons in plain words; "" for others, whose own words must do."""
    if op == "getitem" and isinstance(error, TypeError) and "'str'" in str(error):
        return (
            "it looks its input up by a name, as in a dict, and was given a tensor. In Python a dict can be given: "
            "trace(model, {name: shape})"
        )
    for name, (axis, word) in _TAKES.items():
        wanted = getattr(layer, name, None)
        wanted = wanted[0] if isinstance(wanted, tuple) and len(wanted) == 1 else wanted
        if isinstance(wanted, int) and shapes and len(shapes[0]) > 1 and shapes[0][axis] != wanted:
            return f"it takes {wanted} {word} and was given {shapes[0][axis]}"
    return ""


def _needs_values(error: Exception, reason: str) -> bool:
    words = ("meta tensor", "Meta tensor", "'meta'", "meta device", "device meta", "Meta backend", "meta and")
    return (isinstance(error, NotImplementedError) and "eta" in reason) or any(word in reason for word in words)


def _materialise(item: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if isinstance(item, Tensor):
        return item.to("meta") if device.type == "meta" else item.detach().clone().to(device)
    if isinstance(item, (tuple, torch.Size)) and item and all(type(size) is int for size in item):
        if min(item) < 0:
            raise UserError(
                f"The shape {tuple(item)} has a negative size. Give sizes of at least 1, such as 1,3,64,64."
            )
        if device.type == "meta":
            return torch.empty(item, device=device, dtype=dtype)
        return torch.randn(item, generator=torch.Generator().manual_seed(0), dtype=dtype).to(device)
    if isinstance(item, (tuple, list)):
        return type(item)(_materialise(part, device, dtype) for part in item)
    if isinstance(item, Mapping):
        return {key: _materialise(part, device, dtype) for key, part in item.items()}
    return item


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)(_mapped(part, change) for part in value)
    if isinstance(value, Mapping):
        return {key: _mapped(part, change) for key, part in value.items()}
    return value


def _copy(model: nn.Module, *, meta: bool) -> nn.Module:
    """The network again, its tensors without memory: those of its modules are replaced before the copy reaches them."""
    lazy = next((name for name, p in model.named_parameters() if isinstance(p, UninitializedParameter)), None)
    if lazy is not None:
        raise UserError(
            f"The parameter {lazy} has no shape yet (a lazy layer). Run the network once on a picture, then trace it."
        )
    memo: dict[int, Any] = {}
    if meta:
        for module in model.modules():
            held = [*module._parameters.values(), *module._buffers.values(), *vars(module).values()]
            for tensor in tensors(held):
                memo.setdefault(id(tensor), _without_memory(tensor))
    try:
        with warnings.catch_warnings(action="ignore"):
            return copy.deepcopy(model, memo)
    except Exception as error:
        raise UserError(
            f"{type(model).__name__} cannot be copied ({' '.join(str(error).split())}), and a trace runs on a copy. "
            "Leave out of it what cannot be copied: open files, locks, tensors with a history of gradients."
        ) from error


def _without_memory(tensor: Tensor) -> Tensor:
    bare = tensor.detach().to("meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(bare, requires_grad=tensor.requires_grad)
    return bare


def _dtype(model: nn.Module) -> torch.dtype:
    """The precision of the first parameter that has one."""
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.get_default_dtype())


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


@contextmanager
def _untouched_random_state(device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
