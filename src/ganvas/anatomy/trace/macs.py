"""Multiply-accumulates of one operation, forward and backward, from the shapes of its operands.

Convention: one multiply-accumulate is one multiplication and one addition (two FLOP). Bias, normalisation, activation,
pooling, resizing and everything per element are excluded. A convolution costs, per output value, the inputs that meet a
weight, zeros of the padding included::

    convolution              N C_out prod(out) (C_in  / groups) prod(kernel)
    transposed convolution   N C_in  prod(in)  (C_out / groups) prod(kernel)     (its *input's* size)

so a transposed convolution costs what the convolution costs whose adjoint it is. Backward, every operand that needs a
gradient costs the forward once more: two forwards in the middle of a network, one at a first layer (no gradient of the
network's own input is asked for), whatever the groups. Attention counts its full square, masked or not.
"""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

CONVENTION = (
    "1 MAC = one multiplication and one addition; bias, normalisation, activations, pooling and resizing excluded; "
    "transposed convolutions by their input's size."
)
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def forward(op: str, bound: Mapping[str, Any], operands: list[Tensor], output: Tensor) -> int:
    """Multiply-accumulates of the forward pass; ``operands`` are the tensors in the order of the arguments."""
    if op.startswith("conv_transpose"):
        x, weight = bound["input"], bound["weight"]
        return x.numel() * math.prod(weight.shape[1:])
    if op in ("conv1d", "conv2d", "conv3d"):
        return output.numel() * math.prod(bound["weight"].shape[1:])
    if op == "linear":
        return output.numel() * bound["weight"].shape[-1]
    if op in ("matmul", "addmm"):
        a = operands[-2] if op == "addmm" else operands[0]
        return output.numel() * a.shape[-1]
    if op == "bilinear":
        return output.numel() * math.prod(bound["weight"].shape[1:])
    if op == "einsum":
        return _einsum(bound["equation"], operands)
    if op == "scaled_dot_product_attention":
        return _attention(operands[0], operands[1], operands[2])
    if op == "multi_head_attention":
        return _multi_head(operands)
    if op in _RECURRENT:
        return _recurrent(operands)
    return 0


def interior(op: str, operands: list[Tensor], total: int) -> int:
    """The part of an operation's multiply-accumulates that no operand from outside takes part in.

    Attention between projections, an LSTM's products with its own state and its upper layers: both factors of these
    depend on parameters, so that both need a gradient, whether the operation's input does or not.
    """
    if op == "multi_head_attention":
        query, key = operands[:2]
        batch = query.shape[1] if query.dim() == 3 else 1
        into = query.shape[0] * query.shape[-1] + 2 * key.shape[0] * key.shape[-1]
        return total - batch * into * query.shape[-1]
    if op in _RECURRENT:
        steps, width = math.prod(operands[0].shape[:-1]), operands[0].shape[-1]
        weights = [w for w in operands[1:] if w.dim() == 2]
        directions = 2 if len(weights) >= 4 and weights[2].shape == weights[0].shape else 1
        first = sum(w.numel() for w in weights[0 : 2 * directions : 2] if w.shape[1] == width)
        return total - steps * first
    return 0


def _einsum(equation: str, operands: list[Tensor]) -> int:
    """The size of the whole index space, times the products it takes (one less than the operands)."""
    sizes: dict[str, int] = {}
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    for term, operand in zip(terms, operands, strict=True):
        named = term.replace("...", "")
        if "..." in term:
            at, spare = term.index("..."), operand.dim() - len(named)
            for number, size in enumerate(operand.shape[at : at + spare]):
                key = f"...{spare - number}"
                sizes[key] = max(sizes.get(key, 1), size)
            shape = (*operand.shape[:at], *operand.shape[at + spare :])
        else:
            shape = tuple(operand.shape)
        for letter, size in zip(named, shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), size)
    return math.prod(sizes.values()) * (len(operands) - 1)


def _attention(query: Tensor, key: Tensor, value: Tensor) -> int:
    """``Q K^T`` and the weighted sum of ``V``."""
    batch, length = math.prod(query.shape[:-2]), query.shape[-2]
    return batch * length * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _multi_head(operands: list[Tensor]) -> int:
    """Projections of query, key, value and output, and attention between all heads; (length, batch, width)."""
    query, key, value = operands[:3]
    width = query.shape[-1]
    batch = query.shape[1] if query.dim() == 3 else 1
    targets, sources = query.shape[0], key.shape[0]
    projections = targets * width * width * 2 + sources * (key.shape[-1] + value.shape[-1]) * width
    return batch * (projections + 2 * targets * sources * width)


def _recurrent(operands: list[Tensor]) -> int:
    """Every step multiplies every weight matrix once: the matrices are all two-dimensional operands after the input."""
    x = operands[0]
    steps = math.prod(x.shape[:-1])
    return steps * sum(weight.numel() for weight in operands[1:] if weight.dim() == 2)
