"""Points that a trained model draws, as a table, an array, or a sheet over the points that it learnt."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file
from ganvas.data.points.packed_points import prepare_points
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.report.drawing.drawing import write
from ganvas.report.pictures.scatter import scatter
from ganvas.train.trained import Trained

TABLES, SHEETS = (".csv", ".npy", ".npz"), (".png", ".svg", ".pdf")
MOST_SHOWN = 100_000
DPI = 200.0


def write_points(
    trained: Trained,
    out: Path,
    *,
    n: int,
    seed: int,
    temperature: float | None = None,
    solver: SolverOptions | None = None,
) -> None:
    """Draws ``n`` points and writes them in the form that the ending of ``out`` names.

    Raises:
        UserError: the ending names none, or a sheet would show more than can be looked at.
    """
    ending = out.suffix.lower()
    if ending not in TABLES + SHEETS:
        raise UserError(
            f"-o {out}: points are written as a table or array ({', '.join(TABLES)}), or shown as a sheet "
            f"({', '.join(SHEETS)})."
        )
    if ending in SHEETS and n > MOST_SHOWN:
        raise UserError(f"-n {n}: a sheet of more than {MOST_SHOWN:,} points cannot be looked at. Write a .npy.")
    points = trained.sample_points(n, seed=seed, temperature=temperature, solver=solver)
    if ending in SHEETS:
        title = f"{trained.name} at {trained.kimg:,.6g} kimg, seed {seed}"
        write(scatter(points, learnt_points(trained, n), title=title), out, dpi=DPI)
    else:
        _write_table(points, out, ending)


def learnt_points(trained: Trained, n: int) -> Float[np.ndarray, "m d"] | None:
    """The first ``n`` points that the model was trained on; None where they are not there any more."""
    try:
        packed = prepare_points(trained.data["spec"], quiet=True)
    except UserError:
        return None
    return packed.read(slice(0, n)) if packed.fingerprint == trained.data["fingerprint"] else None


def _write_table(points: Float[np.ndarray, "n d"], out: Path, ending: str) -> None:
    with atomic_file(out) as partial, partial.open("wb") as file:
        if ending == ".csv":
            names = ",".join(f"x{axis}" for axis in range(points.shape[1]))
            np.savetxt(file, points, fmt="%.9g", delimiter=",", header=names, comments="")
        elif ending == ".npy":
            np.save(file, points)
        else:
            np.savez(file, points=points)
