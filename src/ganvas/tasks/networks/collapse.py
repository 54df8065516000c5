"""``ganvas collapse``: what a ReLU does to a low-dimensional manifold, with both decoders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro


@dataclass(frozen=True, kw_only=True)
class CollapseTask:
    """Send a spiral through a ReLU in n dimensions and back: what is lost, and what is only made smaller.

    Examples:
      ganvas collapse
      ganvas collapse --dimensions 2 4 8 16 --draws 1000 -o collapse.svg
      ganvas collapse --points mine.csv
    """

    dimensions: tuple[int, ...] = (2, 3, 5, 15, 30)
    """Numbers of dimensions."""
    draws: int = 300
    """Random matrices for each of them."""
    points: Path | None = None
    """Points of a plane to send in place of the spiral: an .npy array of n x 2, or a text file with two numbers to a
    line."""
    seed: int = 0
    """Of the matrices."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """A picture to write: .png, .svg or .pdf."""


@dataclass(frozen=True, kw_only=True)
class DecoderRow:
    """Relative errors of one decoder over draws."""

    median: float
    lower_quartile: float
    upper_quartile: float
    standard_error: float
    error_method: str = "of the median, from the quartiles, for errors that are close to normal"


@dataclass(frozen=True, kw_only=True)
class CollapseRow:
    """One number of dimensions."""

    dimensions: int
    pseudo_inverse: DecoderRow
    best_linear: DecoderRow
    distinguishable: float
    distinguishable_theory: float


@dataclass(frozen=True, kw_only=True)
class CollapseResult:
    """By number of dimensions."""

    points: str
    draws: int
    seed: int
    rows: list[CollapseRow]
    written: Path | None = None


def collapse(task: CollapseTask) -> CollapseResult:
    """Reads the points, sends them up and back, and draws them."""
    from ganvas.anatomy.signal.relu_collapse import collapse as sent
    from ganvas.anatomy.signal.relu_collapse_picture import collapse_picture
    from ganvas.core.errors import UserError
    from ganvas.report.drawing.drawing import check_suffix, write

    if task.out is not None:
        check_suffix(task.out)
        if not task.out.absolute().parent.is_dir():
            raise UserError(f"There is no folder {task.out.absolute().parent} to write {task.out.name} into.")
    points = None if task.points is None else _read(task.points)
    found = sent(task.dimensions, points=points, draws=task.draws, seed=task.seed)
    if task.out is not None:
        write(collapse_picture(found), task.out)
    rows = [
        CollapseRow(
            dimensions=one.dimensions,
            pseudo_inverse=_decoder(one.pseudo_inverse),
            best_linear=_decoder(one.best_linear),
            distinguishable=one.distinguishable,
            distinguishable_theory=one.distinguishable_theory,
        )
        for one in found
    ]
    named = "a spiral of two turns" if task.points is None else str(task.points)
    return CollapseResult(points=named, draws=task.draws, seed=task.seed, rows=rows, written=task.out)


def _decoder(spread: Any) -> DecoderRow:
    return DecoderRow(
        median=spread.median,
        lower_quartile=spread.lower,
        upper_quartile=spread.upper,
        standard_error=spread.standard_error,
    )


def _read(path: Path) -> Any:
    """Points from a file."""
    import numpy as np
    import torch

    from ganvas.core.errors import UserError

    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    try:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            lines = path.read_text(encoding="utf-8").replace(",", " ").splitlines()
            values = np.array([[float(number) for number in line.split()] for line in lines if line.strip()])
        return torch.from_numpy(np.asarray(values, dtype=np.float64))
    except (ValueError, TypeError, EOFError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"{path} holds no points ({reason}). Give an n x 2 .npy, or two numbers to a line.") from error
