"""Studio: what the server holds between requests."""

from dataclasses import dataclass, field
from pathlib import Path

from ganvas.app.access import Access
from ganvas.app.processes import Processes
from ganvas.app.run_rows import RunRows
from ganvas.app.run_shelf import RunShelf
from ganvas.app.worker import Worker


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Everything that answers need."""

    access: Access
    shelf: RunShelf
    rows: RunRows = field(default_factory=RunRows)
    processes: Processes = field(default_factory=Processes)
    worker: Worker = field(default_factory=Worker)


def studio_of(root: Path, access: Access) -> Studio:
    """The studio of the runs under a folder."""
    return Studio(access=access, shelf=RunShelf(root))
