"""Graphs that a trained model draws, as a sheet, as edges, as tables, or as SMILES."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file, write_text
from ganvas.data.graphs.graph_tables import GraphRows, GraphTable, edges_of
from ganvas.data.graphs.molecules import are_molecules, require_rdkit, smiles_of
from ganvas.report.drawing.drawing import write
from ganvas.report.pictures.graph_sheet import graph_sheet
from ganvas.train.trained import Trained

SHEETS, FILES = (".png", ".svg", ".pdf"), (".edges", ".npz", ".smi")
MOST_SHOWN = 400
DPI = 144.0


def write_graphs(trained: Trained, out: Path, *, n: int, seed: int, temperature: float | None = None) -> None:
    """Draws ``n`` graphs and writes them in the form that the ending of ``out`` names.

    Raises:
        UserError: the ending names none, a sheet would show more than can be looked at, the graphs are no molecules,
            or RDKit is missing.
    """
    ending = out.suffix.lower()
    if ending not in SHEETS + FILES:
        raise UserError(
            f"-o {out}: graphs are shown as a sheet ({', '.join(SHEETS)}), or written as edges, tables or SMILES of "
            f"molecules ({', '.join(FILES)})."
        )
    if ending in SHEETS and n > MOST_SHOWN:
        raise UserError(f"-n {n}: a sheet of more than {MOST_SHOWN} graphs cannot be looked at. Write .edges or .npz.")
    if ending == ".smi":
        _require_molecules(trained, out)
    tables = trained.sample_graphs(n, seed=seed, temperature=temperature)
    if ending in SHEETS:
        title = f"{trained.name} at {trained.kimg:,.6g} kimg, seed {seed}"
        write(graph_sheet(list(tables), node_names=trained.graph_names[0], title=title), out, dpi=DPI)
    elif ending == ".npz":
        _write_tables(trained, tables, out)
    elif ending == ".smi":
        write_text(out, "".join(f"{smiles_of(table, trained.graph_names[0])}\n" for table in tables))
    else:
        write_text(out, "\n".join("".join(_edge_lines(table)) for table in tables))


def _require_molecules(trained: Trained, out: Path) -> None:
    if not are_molecules(*trained.graph_names):
        raise UserError(f"-o {out}: {trained.name} draws no molecules here, so they have no SMILES. Write .edges.")
    require_rdkit(f"-o {out}")


def _write_tables(trained: Trained, tables: GraphRows, out: Path) -> None:
    nodes, edges = trained.graph_names
    with atomic_file(out) as partial, partial.open("wb") as file:
        np.savez_compressed(file, tables=tables, node_names=np.array(nodes), edge_names=np.array(edges))


def _edge_lines(table: GraphTable) -> Iterator[str]:
    """As a file of edges is read: nodes without an edge stand alone."""
    yield from (f"{one} {other}\n" for one, other in edges_of(table))
    degree = np.count_nonzero(table, 1)
    yield from (f"{node}\n" for node in np.flatnonzero((np.diagonal(table) > 0) & (degree == 1)))
