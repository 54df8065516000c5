"""Operations whose elements each read the element at their own place, and those that read no values at all.

What is not known to be either must not be taken for it: a Fourier transform has the shape of what it reads, and each of
its elements reads all of it. Torch marks its elementwise operations itself (``torch.Tag.pointwise``); what it spells
otherwise, or leaves unmarked, is named here.
"""

from functools import cache

import torch

from ganvas.anatomy.trace.operations import words

# Normalisations read besides what their mean and deviation are taken of, see ``dependences.STATISTICS``.
_UNMARKED = words(
    "hardswish logsigmoid softsign tanhshrink prelu expand dropout tril triu bernoulli complex polar floordiv mod and "
    "or xor invert fake_quantize_per_tensor_affine fake_quantize_per_channel_affine batch_norm instance_norm "
    "group_norm layer_norm rms_norm"
)
VALUELESS = words(
    "zeros_like ones_like full_like empty_like rand_like randn_like randint_like new_zeros new_ones new_full new_empty "
    "new_tensor zero"
)
"""They read a shape, and what they make depends on no value."""


@cache
def is_pointwise(op: str) -> bool:
    """Whether an operation, by its canonical name, works element by element (broadcasting aside).

    >>> is_pointwise("relu"), is_pointwise("cummax")
    (True, False)
    """
    if op in _UNMARKED:
        return True
    packet = getattr(torch.ops.aten, op, None) or getattr(torch.ops.aten, f"special_{op}", None)
    overloads = packet.overloads() if isinstance(packet, torch._ops.OpOverloadPacket) else ()
    return any(torch.Tag.pointwise in getattr(packet, overload).tags for overload in overloads)
