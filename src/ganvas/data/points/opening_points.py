"""Opening of the source of points that a person names after ``--data``.

::

    mixtures:grid25, mixtures:grid25,5000, mixtures:grid25,5000,seed=3    made on the spot
    points.csv                                                            one point per line
    points.npy, points.npz, points.npz::name                              floating-point numbers, N x D
    packed/                                                               what `ganvas data pack` made of points
"""

import os
import re
import zipfile
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.points.point_source import (
    MadeMixture,
    PointArray,
    PointSource,
    PointTable,
    has_pictures,
    holds_points,
    members_of_points,
    read_header,
)
from ganvas.data.sources.damage import DAMAGE
from ganvas.data.sources.locations import expanded, split_part
from ganvas.data.store import kind_of

KIND = "points"


def is_points(spec: str) -> bool:
    """Whether a source holds points, told from its name and first bytes; False where nothing can be read there."""
    if re.fullmatch(r"mixtures(:.*)?", spec):
        return not Path(spec).exists() or ":" in spec
    path, selected = _split(spec)
    if path.is_dir():
        return kind_of(path) == KIND
    if path.suffix.lower() == ".csv":
        return path.is_file()
    try:
        return _is_array_of_points(path, selected)
    except (*DAMAGE, ValueError, RuntimeError):  # Said by whoever opens it.
        return False


def open_points(spec: str) -> PointSource:
    """The source of points that ``spec`` names (this module's docstring lists the forms).

    Raises:
        UserError: nothing is there, or it holds no points.
    """
    if re.fullmatch(r"mixtures(:.*)?", spec):
        return MadeMixture.parse(spec)
    path, selected = _split(spec)
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = did_you_mean(path.name, [*beside, "mixtures"])
        raise UserError(f"There is no file or folder {path}.{near or ' Check the path, or use mixtures:grid25.'}")
    if not os.access(path, os.R_OK):
        raise UserError(f"{path} cannot be read: there is no permission. Choose another, or change its permissions.")
    if path.suffix.lower() == ".csv" and path.is_file():
        return PointTable(path, location=spec)
    if path.suffix.lower() in (".npy", ".npz") and path.is_file():
        return PointArray(path, location=spec, selected=selected)
    raise UserError(f"{spec} holds no points. Points are a .csv, .npy or .npz file, or made: mixtures:grid25.")


def _split(spec: str) -> tuple[Path, str]:
    """The path, and what is selected of it after ``::``."""
    path, selected = split_part(spec)
    return expanded(path), selected


def _is_array_of_points(path: Path, selected: str) -> bool:
    """Of several arrays the selected one decides; floating-point numbers beside pictures are their labels."""
    if not path.is_file() or path.suffix.lower() not in (".npy", ".npz"):
        return False
    if zipfile.is_zipfile(path):
        found = members_of_points(path)
        return selected in found if selected else bool(found) and not has_pictures(path)
    with path.open("rb") as file:
        shape, _, dtype = read_header(file)
    return holds_points(shape, dtype)
