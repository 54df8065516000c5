"""Pickles of numpy's arrays, read by an interpreter of the few instructions that they need: nothing is imported.

Python's unpickler, told to know numpy's arrays alone, would still hand the file's own description of a type to numpy,
which takes eight bytes for the address of an object if the file says so. Here arrays are made from bytes whose length
fits their shape, of floating point or whole numbers; keys of dictionaries are text; anything else is refused.
"""

import pickletools
import re
from collections.abc import Callable
from math import prod
from typing import Any, Literal

import numpy as np

from ganvas.core.errors import UserError

KINDS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
NAMES = ("ndarray", "dtype", "_reconstruct", "scalar", "_frombuffer")
OLD_BYTES = (("_codecs", "encode"), ("__builtin__", "bytes"))  # How pickles of before Python 3 write bytes.
_MARK = object()
_AS_THEY_ARE = re.compile(
    "BININT[12]?|LONG1?|INT|BINFLOAT|FLOAT|(?:SHORT_)?BINUNICODE8?|UNICODE|(?:SHORT_)?BINBYTES8?|BYTEARRAY8"
)
_FIXED: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Name:
    """Something of numpy's that a pickle names."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Type:
    """A type of numbers, which a pickle describes in two steps."""

    def __init__(self, code: Any) -> None:
        if code not in KINDS:
            raise UserError(f"it holds an array of the type {str(code)[:20]!a}; only plain numbers are read")
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> None:
        """The second step brings the order of bytes; fields and objects inside have no place here."""
        _, order, *rest = state
        if order not in ("<", ">", "|", "=") or any(one not in (None, -1, 0, 1, {}) for one in rest):
            raise UserError("it describes a type of numbers by more than its order of bytes")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array, empty until its second step."""

    value = np.empty(0)

    def build(self, state: Any) -> None:
        _, shape, kind, by_columns, data = state
        self.value = _from_bytes(data, kind, shape, "F" if by_columns else "C")


def read_arrays(data: bytes) -> Any:
    """What a pickle of numpy's arrays, numbers, text, lists and dictionaries holds.

    Raises:
        UserError: it holds anything else. A damaged pickle may raise anything.
    """
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        if name == "STOP":
            return _unwrapped(stack.pop())
        if _AS_THEY_ARE.fullmatch(name):
            stack.append(argument)
        elif name in _FIXED:
            stack.append(_FIXED[name]())
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[argument])
        elif name not in ("PROTO", "FRAME"):
            _instruction(name, argument, stack)
    raise EOFError("it ends too early")


def _instruction(name: str, argument: Any, stack: list[Any]) -> None:
    """Those that take something from the stack."""
    if name in _TUPLES:
        stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name in ("SETITEM", "SETITEMS"):
        items = _since_mark(stack) if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
        _set_items(stack[-1], items)
    elif name in ("APPEND", "APPENDS"):
        items = _since_mark(stack) if name == "APPENDS" else [stack.pop()]
        stack[-1] += items
    elif name == "GLOBAL":
        stack.append(_named(*argument.split(" ")))
    elif name == "STACK_GLOBAL":
        stack.append(_named(stack.pop(-2), stack.pop()))
    elif name == "REDUCE":
        arguments = stack.pop()
        stack[-1] = _called(stack[-1], arguments)
    elif name == "BUILD" and isinstance(stack[-2], (_Type, _Array)):
        state = stack.pop()
        stack[-1].build(state)
    else:
        raise UserError(f"it asks for '{name}', which arrays do not need and which could run any program")


def _since_mark(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1 - stack[::-1].index(_MARK)
    items = stack[at + 1 :]
    del stack[at:]
    return items


def _set_items(target: Any, items: list[Any]) -> None:
    if not isinstance(target, dict) or not all(isinstance(key, str) for key in items[::2]):
        raise UserError("it holds a dictionary whose keys are not text")
    target.update(zip(items[::2], items[1::2], strict=True))


def _named(module: str, name: str) -> _Name:
    if (module in NUMPY and name in NAMES) or (module, name) in OLD_BYTES:
        return _Name(name)
    raise UserError(
        f"it holds a pickled {str(module)[:40]}.{str(name)[:40]}, which could run any program when it is read. Only "
        "numpy's arrays are read. Save mu and sigma as .npz."
    )


def _called(what: Any, arguments: tuple[Any, ...]) -> Any:
    name = what.name if isinstance(what, _Name) else ""
    if name == "dtype":
        return _Type(arguments[0])
    if name == "_reconstruct":
        return _Array()
    if name == "_frombuffer":
        array = _Array()
        data, kind, shape, order = arguments
        array.value = _from_bytes(data, kind, shape, order)
        return array
    if name == "scalar":
        return _from_bytes(arguments[1], arguments[0], (), "C").item()
    if name == "encode" and arguments[1:] == ("latin1",):
        return arguments[0].encode("latin1")
    if name == "bytes" and not arguments:
        return b""
    raise UserError("it calls what makes no array from bytes")


def _from_bytes(data: Any, kind: Any, shape: Any, order: Literal["C", "F"]) -> np.ndarray:
    if not isinstance(kind, _Type) or not isinstance(data, (bytes, bytearray)) or order not in ("C", "F"):
        raise UserError("it holds an array that is not made of bytes")
    sizes = tuple(int(size) for size in shape)
    if len(sizes) > 4 or min(sizes, default=0) < 0 or prod(sizes) * kind.dtype.itemsize != len(data):
        raise UserError("it holds an array whose bytes do not fit its shape")
    read = np.frombuffer(data, kind.dtype).reshape(sizes, order=order)
    return read.astype(kind.dtype.newbyteorder("="), order="C")


def _unwrapped(value: Any) -> Any:
    """Arrays in dictionaries as numpy's own."""
    if isinstance(value, dict):
        return {key: _unwrapped(one) for key, one in value.items()}
    return value.value if isinstance(value, _Array) else value
