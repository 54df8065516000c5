"""The result of ``ganvas critical-batch``: what branches of several batch sizes took, and the law through them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """One size at its best rate; steps and samples are medians over seeds, None where fewer than half came there."""

    batch_size: int
    factor: float | None
    settings: dict[str, float]
    steps: float | None
    kimg: float | None
    reached: int  # Of the branches at the best rate, or of all where none is best.
    branches: int
    at_the_edge: bool = False  # The best rate is the smallest or the largest that was tried.


@dataclass(frozen=True, kw_only=True)
class CriticalBatchResult:
    """What the branches took, and the law through them."""

    out: Path
    model: str
    data: str
    state: Path
    metric: str
    target: float
    done: int
    planned: int
    rows: list[BatchRow] = field(default_factory=list)
    critical_batch: float | None = None
    interval: tuple[float, float] | None = None  # 95 %, by bootstrap over seeds and the choice of rates.
    least_steps: float | None = None
    least_kimg: float | None = None
    among: bool = False  # Smaller and larger sizes than the critical batch were tried.
    noise_scale: Mapping[str, float] = field(default_factory=dict)  # By phase, medians over a branch's check-ups.
    note: str = ""  # Why there is no law.
    stopped: bool = False
    exit_code: int = 0
