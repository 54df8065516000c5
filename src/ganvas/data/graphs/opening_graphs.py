"""Opening of the source of graphs that a person names after ``--data``.

::

    graphs:trees, graphs:trees,5000,nodes=6,seed=3      labelled trees, all equally likely
    graphs:alkanes, graphs:er,p=0.2, graphs:communities other laws (ganvas.data.graphs.graph_laws)
    contacts.edges, contacts.edges.gz                   an edge a line; a blank line begins the next graph
    molecules:qm9.txt.xz, qm9.smi                       SMILES, a molecule a line, by the extra `molecules`
    packed/                                             what `ganvas data pack` made of graphs

A file of SMILES is also a text: where either could be meant, ``molecules:`` before the name says which.
"""

import os
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.graphs.graph_source import EdgeLists, GraphSource, MadeGraphs
from ganvas.data.graphs.molecules import Smiles
from ganvas.data.sources.locations import MOLECULES, built_in, expanded
from ganvas.data.store import kind_of
from ganvas.data.text.text_source import COMPRESSED

KIND = "graphs"
EDGES, SMILES = (".edges", ".edgelist"), (".smi", ".smiles", ".txt")


def is_graphs(spec: str) -> bool:
    """Whether a source holds graphs and nothing else, told from its name; a model of graphs also takes SMILES."""
    if spec.startswith(MOLECULES) or built_in(spec) == "graphs":
        return True
    found = expanded(spec)
    return kind_of(found) == KIND if found.is_dir() else _ending(found) in EDGES and found.is_file()


def open_graphs(spec: str) -> GraphSource:
    """The source of graphs that ``spec`` names (this module's docstring lists the forms).

    Raises:
        UserError: nothing is there, it holds no graphs, or RDKit is missing for SMILES.
    """
    if name := built_in(spec):
        if name != "graphs":
            raise UserError(f"{spec} holds no graphs, and graphs are wanted. Name a file, or graphs:trees.")
        return MadeGraphs(spec)
    path = spec.removeprefix(MOLECULES)
    found = expanded(path)
    if not found.exists():
        beside = [entry.name for entry in found.parent.iterdir()] if found.parent.is_dir() else []
        near = did_you_mean(found.name, [*beside, "graphs"])
        raise UserError(f"There is no file {found}.{near or ' Check the path, or use graphs:trees.'}")
    if not os.access(found, os.R_OK):
        raise UserError(f"{found} cannot be read: there is no permission. Choose another, or change its permissions.")
    if found.is_file() and (spec != path or _ending(found) in SMILES):
        return Smiles(found, location=path)
    if found.is_file() and _ending(found) in EDGES:
        return EdgeLists(found, location=path)
    raise UserError(
        f"{path} holds no graphs. Graphs are a file of edges ({', '.join(EDGES)}), of SMILES ({', '.join(SMILES)}), or "
        "made: graphs:trees."
    )


def _ending(path: Path) -> str:
    """Without what compressed it."""
    inner = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    return inner.suffix.lower()
