"""Lines of the two tables of ``parity.py``, and what both are made of: rows of features, a metric's values, numbers."""

import functools
import importlib.metadata
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One value found twice by one definition."""

    what: str
    library: str
    given: str
    theirs: float
    ours: float
    apart: float | None = None  # Where it is not the two numbers' relative difference.

    def cells(self):
        apart = abs(self.ours / self.theirs - 1) if self.apart is None else self.apart
        return self.what, version(self.library), self.given, f"{apart:.1e}" if apart else "0", number(self.ours)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One name, two definitions (or one definition, and arithmetic that does not hold it)."""

    what: str
    library: str
    setting: str
    theirs: str | float
    ours: str | float
    why: str
    right: str

    def cells(self):
        values = (one if isinstance(one, str) else number(one) for one in (self.theirs, self.ours))
        return self.what, f"{version(self.library)}: {self.setting}", *values, self.why, self.right


def cloudy(n, d, *, seed, spread=1.0):
    """Correlated rows, none below 0, as after a ReLU."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    mixing = torch.randn(8, d, generator=torch.Generator().manual_seed(99))
    return (torch.randn(n, 8, generator=rng) @ mixing / 4 + spread * torch.randn(n, d, generator=rng) + 0.5).relu()


def results(module, real, fake, **config):
    """The values of one metric by name."""
    sides = [module.Accumulator(config=module.Config(**config)) for _ in range(2)]
    for side, rows in zip(sides, (real, fake), strict=True):
        side.update(rows)
    return {one.metric: one for one in module.compare(*sides)}


@functools.cache
def version(library):
    return f"{library} {importlib.metadata.version(library)}"


def number(value):
    return f"{value:.7g}"
