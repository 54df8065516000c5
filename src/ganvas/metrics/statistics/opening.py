"""Opening a file of statistics, of Ganvas or of another tool, by what is in it."""

from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.metrics.accumulators.npz import Npz
from ganvas.metrics.statistics import foreign_files
from ganvas.metrics.statistics.base import MANIFEST, StatsFile
from ganvas.metrics.statistics.ganvas_file import Own


def open_stats(path: Path) -> StatsFile:
    """A file of statistics, of Ganvas or of another tool.

    Raises:
        UserError: it is none, or damaged.
    """
    if path.is_dir():
        raise UserError(
            f"{path} is a folder, and a file of statistics is asked for. `ganvas stats {path} -o ref.npz` makes one; "
            "`ganvas measure A FOLDER` measures against pictures."
        )
    if not path.is_file():
        raise UserError(f"There is no file of statistics {path}. `ganvas stats FOLDER -o {path.name}` makes one.")
    if path.suffix in (".pkl", ".pt"):
        return foreign_files.of_pickle(path) if path.suffix == ".pkl" else foreign_files.of_torch(path)
    npz = Npz(path)
    return Own(npz) if MANIFEST in npz else foreign_files.of_npz(npz)
