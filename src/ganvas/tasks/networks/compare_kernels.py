"""``ganvas compare-kernels``: stacks of small kernels against one large kernel that sees as far."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganvas.anatomy.fields.stacked_kernels import Stack


@dataclass(frozen=True, kw_only=True)
class CompareKernels:
    """Set stacks of small kernels beside one large kernel: weights, multiplications, receptive field, time.

    Examples:
      ganvas compare-kernels
      ganvas compare-kernels --large 5 --channels 128 --size 28
      ganvas compare-kernels --time --threads 1
    """

    channels: int = 64
    """Channels into and out of every layer."""
    size: int = 56
    """Height and width of the picture."""
    large: int = 7
    """Side of the large kernel, odd."""
    batch: int = 1
    """Pictures at once, for the time."""
    time: bool = False
    """Measure the time of a forward pass on the CPU, too."""
    threads: int | None = None
    """Threads for the time; torch's own choice where left out."""


@dataclass(frozen=True, kw_only=True)
class CompareKernelsResult:
    """The large kernel first. Biases are not counted."""

    channels: int
    size: int
    large: int
    batch: int
    stacks: "list[Stack]"


def compare_kernels(task: CompareKernels) -> CompareKernelsResult:
    """Traces the stacks, and times them if asked to."""
    from ganvas.anatomy.fields.stacked_kernels import compare_kernels as compared
    from ganvas.core.errors import UserError

    if task.threads is not None and not task.time:
        raise UserError("--threads is for the time; give --time with it.")
    stacks = compared(
        channels=task.channels,
        size=task.size,
        large=task.large,
        batch=task.batch,
        timed=task.time,
        threads=task.threads,
    )
    return CompareKernelsResult(
        channels=task.channels, size=task.size, large=task.large, batch=task.batch, stacks=stacks
    )
