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
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ganvas.anatomy.trace.arguments import SIGNATURES
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.operations import CELLS, RECURRENT, REDUCING, words
from ganvas.anatomy.trace.pointwise import is_pointwise
from ganvas.anatomy.trace.product_equations import EQUATIONS, parts

CONVENTION = (
    "1 MAC = one multiplication and one addition; bias, normalisation, activations, pooling and resizing excluded; "
    "transposed convolutions by their input's size."
)
UNCOUNTED = words(
    "cdist pdist _scaled_mm conv_tbc matrix_exp matrix_power linalg_matrix_exp linalg_matrix_power linalg_inv inverse "
    "pinverse linalg_pinv linalg_solve linalg_solve_triangular triangular_solve linalg_lstsq linalg_svd svd linalg_qr "
    "qr linalg_eigh linalg_eig linalg_cholesky cholesky cholesky_solve cholesky_inverse linalg_lu lu_solve linalg_det "
    "logdet slogdet linalg_slogdet fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 "
    "fft_fftn fft_ifftn fft_rfftn fft_irfftn stft istft smm sspaddmm hspmm"
)
"""They multiply and add without being counted: distances, decompositions, Fourier transforms."""
_FREE = REDUCING | words(
    "input parameter constant setitem index_select gather take take_along_dim scatter scatter_add index_add "
    "masked_fill masked_scatter where prelu flip fliplr flipud expand diag diagonal diag_embed embedding_bag sort topk "
    "argsort kron outer ger stack pixel_shuffle pixel_unshuffle atleast_2d rot90 view_as_complex view_as_real"
)
"""They move, choose or add up values, learnt ones too, which the convention counts as nothing."""


def forward(op: str, bound: Mapping[str, Any], operands: list[Tensor], output: Tensor) -> int:
    """Multiply-accumulates of the forward pass; ``operands`` are the tensors in the order of the arguments."""
    if op.startswith("conv_transpose"):
        x, weight = bound["input"], bound["weight"]
        return x.numel() * math.prod(weight.shape[1:])
    if op in ("conv1d", "conv2d", "conv3d"):
        return output.numel() * math.prod(bound["weight"].shape[1:])
    if op == "linear":
        return output.numel() * bound["weight"].shape[-1]
    if op == "matmul":
        return output.numel() * operands[0].shape[-1]
    if op in ("addmm", "addbmm"):  # Every value of the one matrix meets a row of the other.
        a, b = operands[-2:]
        return a.numel() * (b.shape[-1] if b.dim() > 1 else 1)
    if op == "grouped_mm":
        return _grouped(operands[0], operands[1], output)
    if op == "multi_dot":
        return _chain(operands)
    if op == "bilinear":
        return output.numel() * math.prod(bound["weight"].shape[1:])
    if op == "einsum" or op in EQUATIONS:
        return _einsum(bound["equation"], operands)
    if op == "scaled_dot_product_attention":
        return _attention(operands[0], operands[1], operands[2])
    if op == "multi_head_attention":
        return _multi_head(operands)
    if op in RECURRENT:
        return _recurrent(operands)
    if op in CELLS:
        return _rows(bound["input"]) * (bound["weight"].numel() + bound["w_hh"].numel())
    return 0


def uncounted(nodes: Sequence[Node]) -> dict[str, int]:
    """Operations that multiply matrices without being counted, and how often each ran.

    Besides ``UNCOUNTED``, those that read learnt matrices and are none of the operations that are known to cost nothing
    by the convention.
    """
    unknown = (node for node in nodes if not node.macs and (node.op in UNCOUNTED or _unknown(node)))
    return dict(Counter(node.op for node in unknown))


def _unknown(node: Node) -> bool:
    known = node.op in _FREE or node.op in SIGNATURES or is_pointwise(node.op) or node.kind in ("reshape", "merge")
    return bool(node.parameters or node.shared) and not known and bool(node.shape)


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
    if op in CELLS:
        return _rows(operands[0]) * operands[4 if op == "lstm_cell" else 3].numel()
    if op in RECURRENT:
        steps, width = math.prod(operands[0].shape[:-1]), operands[0].shape[-1]
        weights = [w for w in operands[1:] if w.dim() == 2]
        directions = 2 if len(weights) >= 4 and weights[2].shape == weights[0].shape else 1
        first = sum(w.numel() for w in weights[0 : 2 * directions : 2] if w.shape[1] == width)
        return total - steps * first
    return 0


def _einsum(equation: str, operands: list[Tensor]) -> int:
    """Pair by pair from the left, as torch does it; a pair that sums over no common index is a product per element.

    An index that one factor alone has, and nothing later needs, is added up before it is multiplied.
    """
    terms, result = parts(equation)
    every = [_sizes(term, operand) for term, operand in zip(terms, operands, strict=True)]
    made, total = every[0], 0
    for number, term in enumerate(every[1:], start=1):
        later = {index for other in every[number + 1 :] for index in other} | set(result)
        kept = {index for index in {**made, **term} if index in later or index.startswith(".")}
        summed = (made.keys() & term.keys()) - kept
        both = {index: max(made.get(index, 1), term.get(index, 1)) for index in kept | summed}
        total += math.prod(both.values()) if summed else 0
        made = {index: both[index] for index in kept}
    return total


def _sizes(term: str, operand: Tensor) -> dict[str, int]:
    """The size of every index of a factor; those of an ellipsis are counted from its end, as they are broadcast."""
    before, dots, after = term.partition("...")
    hidden = operand.dim() - len(before) - len(after)
    names = [*before, *(f".{place}" for place in range(hidden, 0, -1) if dots), *after]
    return dict(zip(names, operand.shape, strict=True))


def _chain(operands: list[Tensor]) -> int:
    """Of matrices one after another, in the order that multiplies least, which torch looks for too."""
    sizes = [int(operands[0].shape[0]) if operands[0].dim() > 1 else 1, *(int(one.shape[-1]) for one in operands)]
    if operands[-1].dim() == 1:
        sizes[-1] = 1
    count = len(operands)
    best = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            best[first][last] = min(
                best[first][at] + best[at + 1][last] + sizes[first] * sizes[at + 1] * sizes[last + 1]
                for at in range(first, last)
            )
    return best[0][-1]


def _grouped(a: Tensor, b: Tensor, output: Tensor) -> int:
    """Rows by the matrix of their group; of two matrices cut along what is summed, each group has its part of it."""
    groups = output.shape[0] if a.dim() == b.dim() == 2 else 1
    return output.numel() * int(a.shape[-1]) // int(groups)


def _rows(x: Tensor) -> int:
    return math.prod(x.shape[:-1])


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
