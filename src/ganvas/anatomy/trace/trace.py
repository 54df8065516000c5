"""The trace of a network, made by running it on torch's meta device, where tensors have shapes and no memory.

Modules alone would miss what ``forward`` writes as functions (an up-sampling, a skip connection, a pixel norm), and
functions alone have no names; a trace has both. The network that is given stays as it is: a copy without memory runs.
"""

import copy
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from ganvas.anatomy.trace.exported import runner
from ganvas.anatomy.trace.graph import Graph
from ganvas.anatomy.trace.layer_kinds import with_kinds
from ganvas.anatomy.trace.recorder import Recorder, tensors
from ganvas.core.errors import UserError

MOST_TRIED = 10**8  # Values of an operation that is tried again with memory.
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
    refuse_hidden_methods(model, title)
    twin = _in_mode(_copy(model, meta=not real), title, training=training, meta=not real)
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


HIDDEN = ("modules", "named_modules", "children", "parameters", "named_parameters", "buffers", "train", "eval")


def refuse_hidden_methods(model: nn.Module, title: str) -> None:
    """Refuses a network that keeps something under the name of a method of ``torch.nn.Module``.

    Raises:
        UserError: It does, so that nobody can ask it for its parts.
    """
    for name in HIDDEN:
        if not callable(vars(model).get(name, model)):
            raise UserError(
                f"{title} keeps a {type(vars(model)[name]).__name__} under the name '{name}', which hides the method "
                f"of torch.nn.Module of that name: its parts cannot be found. Give the attribute another name."
            )


def _in_mode(model: nn.Module, title: str, *, training: bool, meta: bool) -> nn.Module:
    """In training or in evaluation; some networks compute when they change over."""
    try:
        return model.train(training)
    except Exception as error:
        advice = "Give --real to run it on real values (real=True in Python)." if meta else "Mend its method train."
        raise UserError(f"{title}.train({training}) fails: {_reason(error)}. {advice}") from error


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
            _untouched_random_state(device),
            torch.no_grad(),
            torch.device(device),
            recorder,
        ):
            return runner(twin, recorder)(*inputs[0], **inputs[1]), None
    except Exception as error:
        layer, kind, _ = recorder.stack[-1]
        where = f"{layer or 'its own forward'} ({kind})"
        reason = _reason(error)
        op, shapes = recorder.last
        compiled = _compiles(error, reason)
        if (
            device.type == "meta"
            and not compiled
            and (_needs_values(error, reason) or _runs_on_values(recorder.failing, error))
        ):
            raise UserError(
                f"{title}: {where} asks for values that a trace of shapes does not have ({reason.partition('. ')[0]}). "
                "Give --real to run it on real values (real=True in Python)."
            ) from error
        sizes = ", ".join("x".join(map(str, shape)) or "a scalar" for shape in shapes)
        why = compiled or _plainly(recorder.stack[-1][2], error, op, shapes) or f"{type(error).__name__}: {reason}"
        return None, f"{where}: {why}" + (f" [{op} of {sizes}]" if op else "")
    finally:
        recorder.frame = None


def _reason(error: Exception) -> str:
    """A foreign error's words, in one line and not too many."""
    reason = " ".join(str(error).partition("While executing")[0].split()) or type(error).__name__
    return reason if len(reason) < LONGEST else reason[:LONGEST] + " ..."


def _compiles(error: Exception, reason: str) -> str:
    """That the network calls torch's compiler, if that is why it failed; else ""."""
    ours = type(error).__module__.startswith("torch._dynamo")
    if not ours and not any(word in reason for word in ("torch.compile", "FlexAttention", "flex_attention")):
        return ""
    return (
        "it calls torch's compiler, as flex_attention does, and a trace cannot look into that. For a trace, let it "
        "call scaled_dot_product_attention, and leave torch.compile out"
    )


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
    return bool(re.search(r"\bmeta\b", reason, flags=re.IGNORECASE))


def _runs_on_values(failing: tuple[Callable[..., Any], Any, Any] | None, error: Exception) -> bool:
    """Whether an operation that failed on shapes does not on zeros: torch's own rule for shapes is then too narrow."""
    if failing is None or not isinstance(error, (RuntimeError, NotImplementedError)):
        return False
    func, args, kwargs = failing
    if sum(tensor.numel() for tensor in tensors((args, kwargs))) > MOST_TRIED:
        return False
    try:
        with torch.no_grad():
            func(*_mapped(args, _zeros), **_mapped(kwargs, _zeros))
    except Exception:
        return False
    return True


def _zeros(tensor: Tensor) -> Tensor:
    return torch.zeros(tensor.shape, dtype=tensor.dtype)


def _materialise(item: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if isinstance(item, Tensor) and device.type != "meta":
        return _with_values(item).to(device)
    if isinstance(item, Tensor):
        return item.to("meta")
    if isinstance(item, (tuple, torch.Size)) and item and all(type(size) is int for size in item):
        if min(item) < 0:
            raise UserError(
                f"The shape {tuple(item)} has a negative size. Give sizes of at least 1, such as 1,3,64,64."
            )
        if device.type == "meta":
            return torch.empty(item, device=device, dtype=dtype)
        return _noise(item, dtype).to(device)
    if isinstance(item, (tuple, list)):
        return type(item)(_materialise(part, device, dtype) for part in item)
    if isinstance(item, Mapping):
        return {key: _materialise(part, device, dtype) for key, part in item.items()}
    return item


def _with_values(tensor: Tensor) -> Tensor:
    """A copy; of a tensor that has a shape alone, noise, or zeros of a precision that has no noise."""
    if not tensor.is_meta:
        return tensor.detach().clone()
    return _noise(tensor.shape, tensor.dtype) if tensor.is_floating_point() else _zeros(tensor)


def _noise(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    wide = dtype if dtype in (torch.float32, torch.float64) else torch.float32
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(0), dtype=wide).to(dtype)


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
    for module in model.modules():
        held = [*module._parameters.values(), *module._buffers.values(), *vars(module).values()]
        for tensor in tensors(held):
            if meta:
                memo.setdefault(id(tensor), _without_memory(tensor))
            elif not tensor.is_leaf:  # Computed from parameters before every forward, as by weight_norm and prune.
                memo.setdefault(id(tensor), tensor.detach().clone())
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
