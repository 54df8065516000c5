"""Files of edges and of SMILES as sources of graphs, their packs, and what is refused of them."""

import importlib.util
import json

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.graphs.graph_source import GraphSource
from ganvas.data.graphs.graph_tables import edges_of, table_of
from ganvas.data.graphs.isomorphism import isomorphism_keys
from ganvas.data.graphs.molecules import BONDS, ELEMENTS, are_molecules, are_valid, smiles_of, within_valence
from ganvas.data.graphs.packed_graphs import PackedGraphs, pack_graphs, prepare_graphs, survey_graphs
from ganvas.data.graphs.survey_graphs import size_of, survey_of
from ganvas.data.sources.locations import lasting_name
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.unit_of_source import unit_of_source

needs_rdkit = pytest.mark.skipif(importlib.util.find_spec("rdkit") is None, reason="RDKit is the extra 'molecules'")
EDGES = "# two graphs\na b\nb,c\nb a\n\n1 2  % an edge\n2 3\n3 1\n4\n"


@pytest.fixture
def edges(tmp_path):
    path = tmp_path / "graphs.edges"
    path.write_text(EDGES)
    return str(path)


def test_a_file_of_edges_is_graphs_between_blank_lines(edges, tmp_path):
    packed = prepare_graphs(edges, cache=tmp_path)
    assert len(packed) == 2
    first, second = packed.read(slice(None))
    assert edges_of(first) == [(0, 1), (1, 2)]
    assert np.diagonal(first).tolist() == [1, 1, 1, 0]
    assert edges_of(second) == [(0, 1), (0, 2), (1, 2)]
    assert np.diagonal(second).tolist() == [1, 1, 1, 1]
    found = survey_graphs(edges)
    assert (dict(found.sizes), dict(found.edges), found.largest) == ({3: 1, 4: 1}, {2: 1, 3: 1}, 4)


def test_larger_graphs_are_left_out_and_counted(edges, tmp_path):
    packed = prepare_graphs(edges, nodes=3, cache=tmp_path)
    assert (len(packed), packed.size.nodes, packed.manifest["left_out"]) == (1, 3, {"larger": 1})
    with pytest.raises(UserError, match="more than 2 nodes"):
        prepare_graphs(edges, nodes=2, cache=tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no graph"),
        ("# nothing\n\n", "holds no graph"),
        ("a b\nc c\n", "line 2: the edge joins c to itself"),
        ("a b 0.5\n", "has 3 words"),
        ("".join(f"{n} {n + 1}\n" for n in range(200)), "201 nodes, and at most 128"),
        ("a\n\nb\n", "one node alone"),
    ],
    ids=["empty", "comments", "self loop", "weights", "too large", "no edges"],
)
def test_files_of_edges_that_say_nothing_or_nonsense_are_refused(tmp_path, text, said):
    path = tmp_path / "bad.edges"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        survey_graphs(str(path))


def test_what_cannot_be_had_is_left_out_where_that_is_asked_for(tmp_path):
    path = tmp_path / "some.edges"
    path.write_text("a a\n\na b\n")
    packed = prepare_graphs(str(path), broken="skip", cache=tmp_path)
    assert (len(packed), packed.manifest["left_out"]) == (1, {"broken": 1})


def test_a_source_of_graphs_is_known_by_its_name_and_no_source_of_pictures(edges):
    assert unit_of_source(edges) == unit_of_source("molecules:none.txt") == "graphs"
    assert lasting_name("molecules:none.txt") == "molecules:none.txt"
    for spec in (edges, "graphs:trees"):
        with pytest.raises(UserError, match="holds graphs"):
            open_source(spec)
    with pytest.raises(UserError, match="Did you mean 'graphs\\.edges'"):
        survey_graphs(edges.replace("graphs.", "grphs."))


def test_a_pack_is_a_source_of_the_same_graphs_and_damage_is_named(edges, tmp_path):
    pack = pack_graphs(edges, tmp_path / "pack")
    again = prepare_graphs(str(tmp_path / "pack"), cache=tmp_path)
    assert np.array_equal(pack.read(slice(None)), again.read(slice(None)))
    manifest = json.loads((tmp_path / "pack" / "manifest.json").read_text())
    for name, value in (("node_names", "C"), ("edge_names", []), ("law", "tree"), ("left_out", 3)):
        (tmp_path / "pack" / "manifest.json").write_text(json.dumps(manifest | {name: value}))
        with pytest.raises(UserError, match=rf"damaged \({name}\)"):
            PackedGraphs.open(tmp_path / "pack")


def test_kinds_are_numbered_by_the_names_of_another_source(edges, tmp_path):
    packed = prepare_graphs(edges, names=(("other", "node"), ("edge",)), cache=tmp_path)
    assert np.diagonal(packed.read([0])[0]).tolist() == [2, 2, 2, 0]
    with pytest.raises(UserError, match="kinds of node or edge"):
        prepare_graphs(edges, names=(("C",), ("edge",)), cache=tmp_path)


def test_valences_and_fragments_decide_what_is_one_molecule():
    methane_and_water = np.array([[1, 0], [0, 2]], np.uint8)
    carbon_dioxide = np.array([[2, 2, 0], [2, 1, 2], [0, 2, 2]], np.uint8)
    five_bonds = np.array([[1, 3, 2], [3, 1, 0], [2, 0, 1]], np.uint8)
    names = ("C", "O")
    assert within_valence(methane_and_water[None], names).tolist() == [True]
    assert are_valid(methane_and_water[None], names).tolist() == [False]
    assert are_valid(np.stack([carbon_dioxide, five_bonds]), names).tolist() == [True, False]
    assert are_molecules(("C", "N"), ("single",))
    assert not are_molecules(("node",), ("edge",))


class Nitriles(GraphSource):
    """Hydrogen cyanide: one bond, which is a triple one."""

    kind, location, node_names, edge_names = "molecules", "nitriles", ELEMENTS, BONDS

    def graphs(self):
        yield np.array([[1, 3], [3, 2]], np.uint8)

    def identity(self):
        return "nitriles"


def test_bonds_keep_their_numbers_where_lower_ones_do_not_occur():
    found = survey_of(Nitriles(), broken="refuse")
    assert found.bonds == {"single": 0, "double": 0, "triple": 1}
    assert size_of(found).edge_kinds == 3
    assert are_molecules(tuple(found.nodes), tuple(found.bonds))


def test_smiles_without_rdkit_are_refused_with_what_would_do(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rdkit.Chem", None)
    path = tmp_path / "some.smi"
    path.write_text("C\n")
    with pytest.raises(UserError, match=r"pip install 'ganvas\[molecules\]'"):
        survey_graphs(str(path))


@needs_rdkit
def test_smiles_are_molecules_whose_aromatic_bonds_alternate(tmp_path):
    path = tmp_path / "some.smi"
    path.write_text("c1ccccc1 benzene\nOC=O\nC[NH3+]\n")
    packed = prepare_graphs(str(path), cache=tmp_path)
    assert (packed.node_names, packed.edge_names) == (("C", "O"), ("single", "double"))
    assert packed.manifest["left_out"] == {"charged": 1}
    benzene, acid = packed.read(slice(None))
    assert sorted(np.triu(benzene, 1)[np.triu(benzene, 1) > 0].tolist()) == [1, 1, 1, 2, 2, 2]
    assert [smiles_of(table, packed.node_names) for table in (benzene, acid)] == ["C1=CC=CC=C1", "O=CO"]
    assert are_valid(packed.read(slice(None)), packed.node_names).all()


@needs_rdkit
@pytest.mark.parametrize(("smiles", "said"), [("C1CC", "is not the SMILES"), ("[Fe]", "has the atom Fe")], ids=str)
def test_smiles_that_cannot_be_had_are_refused_by_their_line(tmp_path, smiles, said):
    path = tmp_path / "some.smi"
    path.write_text(f"CC\n{smiles}\n")
    with pytest.raises(UserError, match=f"line 2: .*{said}"):
        survey_graphs(str(path))
    assert survey_graphs(str(path), broken="skip").left_out == {"broken": 1}


@needs_rdkit
def test_what_the_valences_allow_is_what_rdkit_sanitises():
    from rdkit import Chem, rdBase

    rng, names = np.random.default_rng(0), ("C", "N", "O", "F")
    tables = np.stack([_random_molecule(rng, names) for _ in range(400)])
    with rdBase.BlockLogs():
        sane = [Chem.MolFromSmiles(smiles_of(table, names)) is not None for table in tables]
    assert within_valence(tables, names).tolist() == sane
    assert 40 < sum(sane) < 360


def _random_molecule(rng, names):
    table = table_of(5, [])
    table[range(5), range(5)] = rng.integers(1, len(names) + 1, 5)
    for one, other in zip(*np.triu_indices(5, 1), strict=True):
        table[one, other] = table[other, one] = rng.choice([0, 1, 2, 3], p=[0.7, 0.2, 0.08, 0.02])
    return table


def test_keys_of_packed_graphs_do_not_depend_on_the_pack(edges, tmp_path):
    small, large = (prepare_graphs(edges, nodes=nodes, cache=tmp_path) for nodes in (4, 6))
    assert np.array_equal(isomorphism_keys(small.read(slice(None))), isomorphism_keys(large.read(slice(None))))
