"""Arguments of an operation besides its operands, as plain values.

Every attribute is a plain value: a number, a text, None, or a tuple of these. Per axis of the picture, as a tuple:
``kernel_size``, ``stride``, ``dilation``, ``output_padding`` and ``padding`` (a number for both sides, or a pair
(before, after) where the sides differ). Axes of the tensor are counted from 0 with the batch, never negative.

- ``reshape``: view, flatten, squeeze, unsqueeze, ...; ``permute`` with ``dims`` is also transpose and movedim.
- ``getitem`` and ``split`` (one node per piece) have ``index``: per axis of the input (start, stop, step), or the
  number of an axis that is dropped, None for a new axis, "other" for an index that is a tensor or list.
- ``setitem`` (``x[...] = y``, ``x.copy_(y)``) has the ``index`` written to; it reads the old value, if that was a
  node's (then it has two inputs), and the new one.
- ``interpolate``: mode, align_corners, and per axis ``input_size`` and ``output_size``; ``scale_factor`` as given.
- ``cat``, ``stack``, ``softmax``, ``mean``, ``sum``, ``amax``, ...: ``dim`` (a tuple for reductions) and ``keepdim``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganvas.anatomy.trace.operations import CELLS, REDUCING

_POOL = ("input", "kernel_size", "stride", "padding")
_REDUCE = ("input", "dim", "keepdim")
SIGNATURES: dict[str, tuple[str, ...]] = {
    **{f"conv{n}d": ("input", "weight", "bias", "stride", "padding", "dilation", "groups") for n in (1, 2, 3)},
    **{
        f"conv_transpose{n}d": ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
        for n in (1, 2, 3)
    },
    "convolution": (
        "input",
        "weight",
        "bias",
        "stride",
        "padding",
        "dilation",
        "transposed",
        "output_padding",
        "groups",
    ),
    **{f"max_pool{n}d": (*_POOL, "dilation", "ceil_mode", "return_indices") for n in (1, 2, 3)},
    **{f"avg_pool{n}d": (*_POOL, "ceil_mode", "count_include_pad", "divisor_override") for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": ("input", "output_size") for n in (1, 2, 3) for kind in ("avg", "max")},
    **{f"lp_pool{n}d": ("input", "norm_type", "kernel_size", "stride", "ceil_mode") for n in (1, 2, 3)},
    **{f"max_unpool{n}d": ("input", "indices", "kernel_size", "stride", "padding", "output_size") for n in (1, 2, 3)},
    "linear": ("input", "weight", "bias"),
    "bilinear": ("input1", "input2", "weight", "bias"),
    "addmm": ("bias", "mat1", "mat2"),
    "embedding": ("input", "weight", "padding_idx"),
    "interpolate": ("input", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias"),
    "pad": ("input", "pad", "mode", "value"),
    "pixel_shuffle": ("input", "upscale_factor"),
    "pixel_unshuffle": ("input", "downscale_factor"),
    "channel_shuffle": ("input", "groups"),
    "grid_sample": ("input", "grid", "mode", "padding_mode", "align_corners"),
    "unfold": ("input", "kernel_size", "dilation", "padding", "stride"),
    "fold": ("input", "output_size", "kernel_size", "dilation", "padding", "stride"),
    "roll": ("input", "shifts", "dims"),
    "flip": ("input", "dims"),
    "repeat_interleave": ("input", "repeats", "dim"),
    "leaky_relu": ("input", "negative_slope"),
    "elu": ("input", "alpha"),
    "celu": ("input", "alpha"),
    "gelu": ("input", "approximate"),
    "hardtanh": ("input", "min_val", "max_val"),
    "clamp": ("input", "min", "max"),
    "softplus": ("input", "beta", "threshold"),
    "threshold": ("input", "threshold", "value"),
    "dropout": ("input", "p", "training"),
    "glu": ("input", "dim"),
    "cat": ("tensors", "dim"),
    "stack": ("tensors", "dim"),
    "softmax": ("input", "dim"),
    "log_softmax": ("input", "dim"),
    "softmin": ("input", "dim"),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"), ("input", "dim")),
    "normalize": ("input", "p", "dim", "eps"),
    "pow": ("input", "exponent"),
    "lerp": ("input", "end", "weight"),
    "einsum": ("equation", "operands"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    "instance_norm": ("input", "running_mean", "running_var", "weight", "bias", "use_input_stats", "momentum", "eps"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "rms_norm": ("input", "normalized_shape", "weight", "eps"),
    "group_norm": ("input", "num_groups", "weight", "bias", "eps"),
    "local_response_norm": ("input", "size", "alpha", "beta", "k"),
    "multi_head_attention": ("query", "key", "value", "embed_dim_to_check", "num_heads"),
    "scaled_dot_product_attention": (
        "query",
        "key",
        "value",
        "attn_mask",
        "dropout_p",
        "is_causal",
        "scale",
        "enable_gqa",
    ),
    **dict.fromkeys(
        ("lstm", "gru", "rnn_tanh", "rnn_relu"),
        ("input", "hx", "weights", "biases", "num_layers", "dropout", "training", "bidirectional", "batch_first"),
    ),
    **dict.fromkeys(CELLS, ("input", "hx", "weight", "w_hh", "b_ih", "b_hh")),
    "grouped_mm": ("input", "mat2", "offs", "bias", "out_dtype"),
    "tensordot": ("a", "b", "dims"),
    "vecdot": ("x", "y", "dim"),
    **dict.fromkeys(REDUCING, _REDUCE),
    "norm": ("input", "p", "dim", "keepdim"),
    "vector_norm": ("input", "p", "dim", "keepdim"),
}
_PER_AXIS = ("kernel_size", "stride", "padding", "dilation", "output_padding")
_DEFAULTS: dict[str, dict[str, Any]] = {
    "conv": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "conv_transpose": {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1},
    "max_pool": {"padding": 0, "dilation": 1, "ceil_mode": False},
    "avg_pool": {"padding": 0, "ceil_mode": False, "count_include_pad": True},
    "max_unpool": {"padding": 0},
    "fold": {"dilation": 1, "padding": 0, "stride": 1},
    "unfold": {"dilation": 1, "padding": 0, "stride": 1},
    "interpolate": {"mode": "nearest", "align_corners": None, "antialias": False, "scale_factor": None},
    "pad": {"mode": "constant", "value": 0.0},
    "leaky_relu": {"negative_slope": 0.01},
    "elu": {"alpha": 1.0},
    "cat": {"dim": 0},
    "stack": {"dim": 0},
    "glu": {"dim": -1},
    "dropout": {"p": 0.5},
}


_SIDE = {"hstack": 1, "column_stack": 1, "dstack": 2}  # The axis that these join along, of tensors that have it.


def bind(op: str, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, as far as the operation's signature is known; defaults where they matter."""
    names = SIGNATURES.get(op, ("input",))
    if op == "unfold" and func is not torch.nn.functional.unfold:  # The tensor's own, along one axis.
        names = ("input", "dimension", "size", "step")
    bound = dict(_DEFAULTS.get(op.rstrip("123d") if op[-1:] == "d" else op, {}))
    bound.update(zip(names, args, strict=False))
    for spelling, value in kwargs.items():
        name = {"axis": "dim", "axes": "dim", "x": "input", "self": "input"}.get(spelling, spelling)
        bound[name] = value
    return bound


def attributes(
    op: str, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], output: Tensor
) -> dict[str, Any]:
    """What the operation's meaning depends on besides its operands."""
    bound = bind(op, func, args, kwargs)
    first = _first_tensor(args, kwargs)
    rank = 0 if first is None else first.dim()
    named = SIGNATURES.get(op)
    found = {k: plain(v) for k, v in bound.items() if is_plain(v) and (named is None or k in (*named, "inplace"))}
    if op == "unfold" and "dimension" in bound:
        return {name: plain(bound.get(name)) for name in ("dimension", "size", "step")}
    if op == "permute":
        return {"dims": _permutation(func, args, kwargs, rank)}
    if op == "getitem" and first is not None:
        return {"index": _index(func, args, kwargs, first)}
    if op == "setitem" and first is not None:
        if getattr(func, "__name__", "").startswith("index_copy"):
            return {"index": ("other",)}
        key = args[1] if len(args) > 2 else ()
        return {"index": _normal_index(key if isinstance(key, tuple) else (key,), first)}
    if op == "interpolate" and first is not None:
        return _interpolation(func, found, first, output)
    if op in ("conv1d", "conv2d", "conv3d") or op.startswith("conv_transpose"):
        return _convolution(op, found, bound["weight"], first)
    if "pool" in op or op in ("unfold", "fold"):
        return _pooling(op, found, rank)
    if op in REDUCING:
        dim = found.get("dim")
        dims = range(rank) if dim is None or isinstance(dim, bool) else dim if isinstance(dim, tuple) else (dim,)
        return {**found, "dim": tuple(d % rank if rank else 0 for d in dims), "keepdim": bool(found.get("keepdim"))}
    if op in ("multi_head_attention", "scaled_dot_product_attention"):
        masks = (bound.get("attn_mask"), bound.get("key_padding_mask"))
        found |= {"is_causal": bool(bound.get("is_causal")), "masked": any(isinstance(one, Tensor) for one in masks)}
    if op == "cat":
        side = _SIDE.get(getattr(func, "__name__", ""))
        found["dim"] = (found["dim"] if side is None else side) if rank > 1 else 0
    if isinstance(found.get("dim"), int):
        reference = output if op == "stack" else first
        found["dim"] %= max(reference.dim() if reference is not None else 1, 1)
    if op in ("add", "sub", "mul", "div", "pow", "rsub"):
        numbers = [a for a in args if isinstance(a, (int, float))]
        found |= {"scalar": numbers[0]} if numbers else {}
    return found


def is_plain(value: Any) -> bool:
    """Whether a value can be kept in a graph as it is."""
    if isinstance(value, (tuple, list, torch.Size)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str)) or _is_size(value)


def plain(value: Any) -> Any:
    """Lists as tuples, and a size that is kept in a tensor as the number that it is."""
    if isinstance(value, (tuple, list, torch.Size)):
        return tuple(map(plain, value))
    return int(value) if _is_size(value) else value


def _is_size(value: Any) -> bool:
    """Whether a tensor is one whole number that is known, as a network that computes its padding has it."""
    whole = isinstance(value, Tensor) and value.dim() == 0 and not value.is_floating_point() and not value.is_complex()
    return whole and value.dtype is not torch.bool and not value.is_meta


def split_index(pieces: Sequence[Tensor], number: int, whole: Tensor) -> dict[str, Any]:
    """The index of one piece of a split: the axis is the one whose sizes add up (the only one that differs)."""
    piece = pieces[number]
    if piece.dim() != whole.dim():  # unbind
        axis = next((d for d in range(whole.dim()) if _without(whole, d) == tuple(piece.shape)), 0)
        axis = axis if whole.shape[axis] == len(pieces) else 0
        index: list[Any] = [(0, size, 1) for size in whole.shape]
        index[axis] = number
        return {"index": tuple(index), "dim": axis}
    axis = next((d for d in range(whole.dim()) if piece.shape[d] != whole.shape[d]), 0)
    start = sum(before.shape[axis] for before in pieces[:number])
    index = [(0, size, 1) for size in whole.shape]
    index[axis] = (start, start + piece.shape[axis], 1)
    return {"index": tuple(index), "dim": axis}


def _without(tensor: Tensor, axis: int) -> tuple[int, ...]:
    return tuple(size for d, size in enumerate(tensor.shape) if d != axis)


def _first_tensor(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor | None:
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            return value
        if isinstance(value, (list, tuple)):
            found = _first_tensor(value, {})
            if found is not None:
                return found
    return None


def per_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """One value per axis."""
    if isinstance(value, (tuple, list)):
        return tuple(value) * axes if len(value) == 1 else tuple(value)
    return (value,) * axes


def _convolution(op: str, found: dict[str, Any], weight: Tensor, first: Tensor | None) -> dict[str, Any]:
    axes = int(op[-2])
    kernel = tuple(weight.shape[2:])
    found = {**found, "kernel_size": kernel}
    for name in ("stride", "dilation", "output_padding"):
        if name in found:
            found[name] = per_axis(found[name], axes)
    if found["padding"] == "valid":
        found["padding"] = 0
    if found["padding"] == "same":
        totals = [d * (k - 1) for d, k in zip(found["dilation"], kernel, strict=True)]
        found["padding"] = tuple(t // 2 if t % 2 == 0 else (t // 2, t - t // 2) for t in totals)
    found["padding"] = per_axis(found["padding"], axes)
    transposed = op.startswith("conv_transpose")
    found["in_channels"] = weight.shape[0] if transposed else weight.shape[1] * found["groups"]
    found["out_channels"] = weight.shape[1] * found["groups"] if transposed else weight.shape[0]
    return found


def _pooling(op: str, found: dict[str, Any], rank: int) -> dict[str, Any]:
    axes = int(op[-2]) if op[-2:] in ("1d", "2d", "3d") else 2 if op == "fold" else max(rank - 2, 1)
    if "kernel_size" in found and not found.get("stride"):
        found["stride"] = found["kernel_size"]
    for name in (*_PER_AXIS, "output_size"):
        if name in found:
            found[name] = per_axis(found[name], axes)
    return found


def _interpolation(func: Callable[..., Any], found: dict[str, Any], first: Tensor, output: Tensor) -> dict[str, Any]:
    name = getattr(func, "__name__", str(func))
    for mode in ("nearest_exact", "nearest", "bilinear", "bicubic", "trilinear", "linear"):
        if mode in name:
            found["mode"] = mode.replace("_", "-")
            found["align_corners"] = next((a for a in found.values() if isinstance(a, bool)), None)
            break
    keep = {k: found.get(k) for k in ("mode", "align_corners", "antialias", "scale_factor")}
    return {**keep, "input_size": tuple(first.shape[2:]), "output_size": tuple(output.shape[2:])}


def _permutation(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], rank: int
) -> tuple[int, ...]:
    name = getattr(func, "__name__", "")
    if name == "__get__":
        name = getattr(getattr(func, "__self__", None), "__name__", "")
    if isinstance(func, torch._ops.OpOverload):
        name = func.overloadpacket.__name__
    order = list(range(rank))
    if name == "permute":
        dims = kwargs.get("dims", args[1] if len(args) == 2 else args[1:])
        return tuple(d % rank for d in (dims if isinstance(dims, (tuple, list, torch.Size)) else (dims,)))
    if name in ("t", "T", "H", "numpy_T"):
        return tuple(reversed(order))
    if name in ("mT", "mH", "adjoint"):
        a, b = rank - 2, rank - 1
    else:
        numbers = [v for v in (*args, *kwargs.values()) if not isinstance(v, Tensor)]
        if name in ("movedim", "moveaxis"):
            return _moved(numbers[0], numbers[1], rank)
        a, b = (int(v) % rank for v in numbers[:2])
    order[a], order[b] = order[b], order[a]
    return tuple(order)


def _moved(source: Any, target: Any, rank: int) -> tuple[int, ...]:
    pairs = sorted((t % rank, s % rank) for s, t in zip(per_axis(source, 1), per_axis(target, 1), strict=True))
    rest = [d for d in range(rank) if d not in {s for _, s in pairs}]
    for place, axis in pairs:
        rest.insert(place, axis)
    return tuple(rest)


def _index(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], whole: Tensor) -> tuple[Any, ...]:
    name = getattr(func, "__name__", "").partition(".")[0]
    if name in ("select", "narrow", "slice"):
        numbers = [*args[1:], *kwargs.values()]
        axis = int(numbers[0]) % whole.dim()
        index: list[Any] = [(0, size, 1) for size in whole.shape]
        if not all(isinstance(n, int) for n in numbers):
            return ("other",)
        if name == "select":
            index[axis] = numbers[1] % whole.shape[axis]
        elif name == "narrow":
            index[axis] = (numbers[1], numbers[1] + numbers[2], 1)
        else:
            index[axis] = slice(*numbers[1:]).indices(whole.shape[axis])
        return tuple(index)
    key = args[1] if len(args) > 1 else ()
    return _normal_index(key if isinstance(key, tuple) else (key,), whole)


def _ends(part: slice) -> tuple[Any, Any, Any]:
    return part.start, part.stop, part.step


def _normal_index(key: tuple[Any, ...], whole: Tensor) -> tuple[Any, ...]:
    named = sum(item is not None and item is not Ellipsis for item in key)
    if not any(item is Ellipsis for item in key):
        key = (*key, Ellipsis)
    found: list[Any] = []
    axis = 0
    for given in key:
        item = plain(given) if not isinstance(given, slice) else slice(*map(plain, _ends(given)))
        if item is Ellipsis:
            rest = whole.dim() - named
            found += [(0, size, 1) for size in whole.shape[axis : axis + rest]]
            axis += rest
        elif item is None:
            found.append(None)
        else:
            size = whole.shape[axis] if axis < whole.dim() else 0
            if isinstance(item, slice) and all(p is None or isinstance(p, int) for p in _ends(item)):
                found.append(item.indices(size))
            else:
                found.append(item % size if isinstance(item, int) and not isinstance(item, bool) and size else "other")
            axis += 1
    return tuple(found)
