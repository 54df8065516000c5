"""Operators that an exported program may call: PyTorch's own on tensors and numbers, and nothing that reaches further.

A program names what it calls, and torch would follow any name: ``torch.os.system`` too.
"""

import re

import torch

WITHOUT_TENSORS = {
    "_operator": re.compile(
        "eq|ne|le|ge|lt|gt|neg|pos|mul|add|sub|floordiv|mod|pow|truediv|and_|or_|lshift|rshift|getitem"
    ),
    "math": re.compile("trunc|floor|ceil"),
    "torch": re.compile("sym_(?:not|int|float|ite|max|min|sum)|_?sym_(?:sqrt|cos|sin|log2)"),
    "torch.ops.higher_order": re.compile("cond|while_loop|scan|map_impl|wrap_with_(?:set_grad_enabled|autocast)"),
}
FILES = ("from_file", "save")  # Read and write any file.
OTHERS = ("warn", "_print", "set_data", "record_stream")
UNCHECKED = re.compile(r"_sparse\w*unsafe|_nested|_test_|_validate")  # Trust indices that the file gives.
_TARGET = re.compile(r"(_operator|math|torch|torch\.ops\.(?:aten|prims|higher_order))\.(\w+)(?:\.(\w+))?")
_KINDS = re.compile(
    r"(?:(?:Optional|List)\[)*(?:Tensor|int|float|bool|number|complex|str|Device|Generator)\]*(?:\[\d*\])?"
)


class ProgramOperator:
    """The name of an operator, as ``torch.ops.aten.conv2d.default``."""

    def refuses(self, value: str, /) -> str:
        """Empty for what computes and does nothing else."""
        return "" if _known(value) else "an operator of PyTorch's own on tensors and numbers"


def _known(target: str) -> bool:
    found = _TARGET.fullmatch(target)
    if found is None:
        return False
    where, name, overload = found.groups()
    if where in WITHOUT_TENSORS:
        return overload is None and WITHOUT_TENSORS[where].fullmatch(name) is not None
    return overload is not None and _of_tensors(where.rpartition(".")[2], name, overload)


def _of_tensors(namespace: str, name: str, overload: str) -> bool:
    """Whether the operator is there, and takes tensors, numbers and words alone."""
    if name in FILES + OTHERS or UNCHECKED.match(name) or name.startswith("__"):
        return False
    packet = getattr(getattr(torch.ops, namespace), name, None)
    if not isinstance(packet, torch._ops.OpOverloadPacket) or overload not in packet.overloads():
        return False
    schema = getattr(packet, overload)._schema
    return all(_KINDS.fullmatch(str(argument.type)) for argument in (*schema.arguments, *schema.returns))
