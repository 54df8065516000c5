"""One name per operation of torch, whether a module, a function, a method, an operator or ATen spelt it."""

from collections.abc import Callable, Sequence
from typing import Any

import torch


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# What changes storage, precision or bookkeeping alone: the value goes on under its maker's name.
PASSING = words(
    "to contiguous clone detach data float half double bfloat16 type type_as requires_grad cuda cpu alias _to_copy "
    "lift_fresh lift_fresh_copy lift pin_memory rename refine_names retain_grad as_subclass positive conj resolve_conj "
    "resolve_neg real as_tensor asarray tensor"
)
SPLITTING = words("split chunk unbind tensor_split hsplit vsplit split_with_sizes unsafe_split unsafe_chunk")
REDUCING = words(
    "mean sum amax amin max min var std norm prod logsumexp argmax argmin median all any nanmean vector_norm"
)
RECURRENT = words("lstm gru rnn_tanh rnn_relu")
CELLS = words("lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell")  # One step of a recurrent layer.
_SAME = {
    "reshape": "view flatten unflatten squeeze unsqueeze view_as reshape_as _unsafe_view ravel _reshape_alias",
    "permute": "transpose t T mT H mH movedim moveaxis swapaxes swapdims adjoint numpy_T",
    "expand": "expand_as broadcast_to",
    "repeat": "tile",
    "cat": "concat concatenate hstack vstack dstack row_stack column_stack",
    "mul": "multiply",
    "div": "truediv true_divide divide",
    "sub": "subtract",
    "neg": "negative",
    "getitem": "select narrow slice index",
    "interpolate": "upsample upsample_nearest upsample_bilinear upsample_nearest1d upsample_nearest2d "
    "upsample_nearest3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d "
    "_upsample_nearest_exact2d",
    "pad": "constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d",
    "matmul": "mm bmm __matmul__ mv dot vdot linalg_matmul _int_mm",
    "addmm": "baddbmm addmv",
    "multi_dot": "linalg_multi_dot chain_matmul",
    "vecdot": "linalg_vecdot",
    "grouped_mm": "_grouped_mm",
    "cdist": "_cdist_forward _euclidean_dist",
    "softmax": "_softmax",
    "log_softmax": "_log_softmax",
    "batch_norm": "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm",
    "layer_norm": "native_layer_norm",
    "group_norm": "native_group_norm",
    "rms_norm": "_fused_rms_norm",
    "max_pool1d": "max_pool1d_with_indices",
    "max_pool2d": "max_pool2d_with_indices",
    "max_pool3d": "max_pool3d_with_indices",
    "adaptive_avg_pool2d": "_adaptive_avg_pool2d",
    "adaptive_avg_pool3d": "_adaptive_avg_pool3d",
    "scaled_dot_product_attention": "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_attention_math "
    "_scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention",
    "multi_head_attention": "multi_head_attention_forward _native_multi_head_attention",
    "dropout": "dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout native_dropout",
    "setitem": "copy index_put fill index_copy",
    "pow": "float_power square",
    "silu": "swish",
    "threshold": "_threshold",
    "logsigmoid": "log_sigmoid",
}
ALIASES = {spelling: name for name, spellings in _SAME.items() for spelling in spellings.split()}
_ARITHMETIC = words("add sub mul div truediv matmul pow floordiv mod and or xor")


def canonical(func: Callable[..., Any]) -> str:
    """The operation's one name: ``x + y``, ``x.add_(y)``, ``torch.add`` and ``aten.add.Tensor`` are all "add"."""
    name = getattr(func, "__name__", None) or str(func)
    if isinstance(func, torch._ops.OpOverload):
        name = func.overloadpacket.__name__
    if name == "__get__":  # A property, such as x.T.
        name = getattr(getattr(func, "__self__", None), "__name__", name)
    inner = name.strip("_") if name.startswith("__") else name.rstrip("_")
    if name.startswith("__"):
        for lead in ("r", "i"):  # __radd__, __iadd__
            if inner[:1] == lead and inner[1:] in _ARITHMETIC:
                inner = inner[1:]
    return ALIASES.get(inner, inner)


def in_order(func: Callable[..., Any], args: Sequence[Any]) -> tuple[Callable[..., Any], Sequence[Any]]:
    """A product that was asked of its second factor (``x.__rmatmul__(w)`` is ``w @ x``) asked of its first."""
    if getattr(func, "__name__", "") == "__rmatmul__" and len(args) == 2:
        return torch.matmul, (args[1], args[0])
    return func, args
