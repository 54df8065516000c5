"""Shapes without torch's compiler.

Most shapes on the meta device are found by Python functions that torch wraps so that its compiler leaves them alone;
the first call imports the whole compiler for that (two seconds, and it is never used here). The wrapper takes a mark on
the function instead, where there is one. The marks are put for the time of a trace and taken away after it; should a
version of torch not know them, all that is lost is the two seconds.
"""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType

from torch._compile import _disable_dynamo

_MARK = "__dynamo_disable"
_WRAPPER = next((c for c in _disable_dynamo.__code__.co_consts if getattr(c, "co_name", "") == "inner"), None)


@contextmanager
def without_compiler() -> Iterator[None]:
    """Keeps the compiler out while entered, unless it has been imported already."""
    if "torch._dynamo" in sys.modules:
        yield
        return
    marked = []
    for function in _wrapped():
        if not hasattr(function, _MARK):
            setattr(function, _MARK, function)
            marked.append(function)
    try:
        yield
    finally:
        for function in marked:
            delattr(function, _MARK)


@functools.cache
def _wrapped() -> tuple[FunctionType, ...]:
    """The functions inside torch's wrappers, at any depth."""
    import torch
    import torch._decomp.decompositions
    import torch._meta_registrations
    import torch._refs.linalg
    import torch._refs.nn.functional
    import torch._refs.special

    modules: tuple[ModuleType, ...] = (
        torch._refs,
        torch._refs.linalg,
        torch._refs.nn.functional,
        torch._refs.special,
        torch._decomp.decompositions,
        torch._meta_registrations,
    )
    seen: set[int] = set()
    return tuple(held for module in modules for function in vars(module).values() for held in _inside(function, seen))


def _inside(function: object, seen: set[int]) -> Iterator[FunctionType]:
    """What the compiler's wrappers hold among the functions that a function closes over."""
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    for cell in function.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:  # Not filled yet.
            continue
        if function.__code__ is _WRAPPER and isinstance(held, FunctionType):
            yield held
        yield from _inside(held, seen)
