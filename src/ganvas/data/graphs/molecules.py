"""Molecules as graphs: SMILES read and written by RDKit, which the extra ``molecules`` brings, and valences by hand.

A node is an atom but hydrogen, an edge a bond of one, two or three; aromatic bonds are alternated. Hydrogens are what
an atom's valence leaves over. Charges, isotopes and the hands of a molecule have no place in a table: a charged atom is
left out with its molecule and counted, the others are dropped.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

from ganvas.core.errors import UserError
from ganvas.data.graphs.graph_source import MOST_NODES, BadGraph, GraphSource, too_large
from ganvas.data.graphs.graph_tables import AnyRows, GraphTable, connected, edges_of, node_kinds_of
from ganvas.data.text.text_source import TextFile, TextSource

VALENCES = {"C": 4, "N": 3, "O": 2, "F": 1, "S": 6, "Cl": 1, "Br": 1, "P": 5, "I": 1, "B": 3, "Si": 4}
ELEMENTS = tuple(VALENCES)
BONDS = ("single", "double", "triple")


class Smiles(GraphSource):
    """A file of SMILES, a molecule a line; what follows the first word of a line is its name."""

    kind = "molecules"
    node_names, edge_names = ELEMENTS, BONDS

    def __init__(self, path: Path, *, location: str) -> None:
        self.chemistry = require_rdkit(location)
        self.text: TextSource = TextFile(path, location=location)
        self.location = location

    def graphs(self) -> Iterator[GraphTable | BadGraph]:
        with self.chemistry.rdBase.BlockLogs():  # RDKit speaks to the terminal of what it cannot parse.
            for number, line in enumerate(self.text.lines(), 1):
                if line.strip():
                    yield _graph(self.chemistry, line.split()[0], f"{self.location}, line {number}")

    def identity(self) -> str:
        return f"molecules:{self.text.identity()}"


def require_rdkit(what: str) -> Any:
    """The chemistry of RDKit, ``rdkit.Chem``.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("rdkit.Chem")
    except ImportError:
        raise UserError(
            f"{what}: SMILES are read and written by RDKit, which is not installed. pip install 'ganvas[molecules]'."
        ) from None


def are_molecules(node_names: Sequence[str], edge_names: Sequence[str]) -> bool:
    """Whether kinds of node are elements and kinds of edge are bonds."""
    return set(node_names) <= set(ELEMENTS) and tuple(edge_names) == BONDS[: len(edge_names)]


def valences_of(node_names: Sequence[str], edge_names: Sequence[str]) -> tuple[int, ...]:
    """Of each kind of node; empty where they are no atoms.

    >>> valences_of(("C", "O"), ("single",)), valences_of(("node",), ("edge",))
    ((4, 2), ())
    """
    return tuple(VALENCES[name] for name in node_names) if are_molecules(node_names, edge_names) else ()


def within_valence(tables: AnyRows, node_names: Sequence[str]) -> Bool[np.ndarray, " n"]:
    """Which graphs have no atom with more bonds than its element: the number of a kind of edge is its bonds."""
    most = np.array([0, *(VALENCES[name] for name in node_names)])
    kinds = node_kinds_of(tables)
    bonds = tables.sum(2, dtype=np.int64) - kinds
    return (bonds <= most[kinds]).all(1)


def are_valid(tables: AnyRows, node_names: Sequence[str]) -> Bool[np.ndarray, " n"]:
    """Which graphs are one molecule, no atom of which has more bonds than its element."""
    return within_valence(tables, node_names) & connected(tables)


def smiles_of(table: Shaped[np.ndarray, "v v"], node_names: Sequence[str]) -> str:
    """A graph as canonical SMILES; as far as RDKit can write one that is not a molecule.

    Raises:
        UserError: RDKit is not installed.
    """
    chemistry = require_rdkit("SMILES")
    molecule = chemistry.RWMol()
    places = {node: molecule.AddAtom(chemistry.Atom(node_names[kind - 1])) for node, kind in _atoms(table)}
    kinds = (chemistry.BondType.SINGLE, chemistry.BondType.DOUBLE, chemistry.BondType.TRIPLE)
    for one, other in edges_of(table):
        molecule.AddBond(places[one], places[other], kinds[int(table[one, other]) - 1])
    return chemistry.MolToSmiles(molecule)


def _atoms(table: Shaped[np.ndarray, "v v"]) -> list[tuple[int, int]]:
    return [(node, int(kind)) for node, kind in enumerate(np.diagonal(table)) if kind]


def _graph(chemistry: Any, smiles: str, where: str) -> GraphTable | BadGraph:
    molecule = chemistry.MolFromSmiles(smiles)
    if molecule is None:
        return BadGraph(where, f"'{smiles}' is not the SMILES of a molecule.")
    chemistry.Kekulize(molecule, clearAromaticFlags=True)
    return _table(molecule, smiles, where)


def _table(molecule: Any, smiles: str, where: str) -> GraphTable | BadGraph:
    atoms = list(molecule.GetAtoms())
    strange = [atom.GetSymbol() for atom in atoms if atom.GetSymbol() not in ELEMENTS]
    if strange or not atoms:
        what = f"has the atom {strange[0]}" if strange else "has no atom"
        return BadGraph(where, f"'{smiles}' {what}. Atoms are {', '.join(ELEMENTS)}.")
    if any(atom.GetFormalCharge() for atom in atoms):
        return BadGraph(where, f"'{smiles}' is charged, which no table of a graph holds.", lenient=True)
    if len(atoms) > MOST_NODES:
        return too_large(where, len(atoms))
    table = np.zeros((len(atoms), len(atoms)), np.uint8)
    for atom in atoms:
        table[atom.GetIdx(), atom.GetIdx()] = ELEMENTS.index(atom.GetSymbol()) + 1
    for bond in molecule.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        table[ends] = table[ends[::-1]] = int(bond.GetBondTypeAsDouble())
    return table
