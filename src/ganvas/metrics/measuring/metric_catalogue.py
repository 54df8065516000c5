"""The catalogue of metrics: the files at the top of ``ganvas/metrics``. The wings hold the machinery that they share.

Reads the files and imports none, so that a list of metrics needs no torch.
"""

import functools
import importlib
from types import ModuleType

from ganvas.core import catalogue
from ganvas.core.errors import UserError, did_you_mean

SHELF = "metrics"


@functools.cache
def entries() -> tuple[catalogue.Entry, ...]:
    """Every metric with the first line of its docstring and its paper, by name."""
    return tuple(entry for entry in catalogue.entries(SHELF) if "/" not in entry.name)


def names() -> list[str]:
    """The names that ``--metrics`` takes.

    >>> "swd" in names(), "engine" in names()
    (True, False)
    """
    return [entry.name for entry in entries()]


def load(name: str) -> ModuleType:
    """The module of a metric; an unknown name is a :class:`UserError` with the nearest known."""
    known = names()
    if name not in known:
        raise UserError(
            f"There is no metric '{name}'.{did_you_mean(name.lower(), known)} Metrics: {', '.join(known)}. "
            "`ganvas metrics` says what each sees."
        )
    return importlib.import_module(f"ganvas.{SHELF}.{name}")
