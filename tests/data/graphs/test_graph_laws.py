"""Laws of graphs against counts of mathematics and chemistry, keys of isomorphism against the atlas of networkx."""

import math
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.graphs.graph_laws import (
    Communities,
    ErdosRenyi,
    Trees,
    free_trees,
    law_of_graphs,
    pruefer_tree,
    symmetries,
)
from ganvas.data.graphs.graph_source import MadeGraphs
from ganvas.data.graphs.graph_tables import adjacency_of, connected, is_tree, padded, sizes_of, table_of
from ganvas.data.graphs.isomorphism import isomorphism_keys


@pytest.fixture(scope="module")
def atlas():
    """All graphs of one to seven nodes (Read and Wilson 1998)."""
    return [graph for graph in nx.graph_atlas_g() if len(graph)]


def tables_of(graphs, nodes):
    return np.concatenate([padded(table_of(len(graph), graph.edges())[None], nodes) for graph in graphs])


def shuffled(tables, seed):
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(tables.shape[1]) for _ in tables]
    return np.stack([table[np.ix_(order, order)] for table, order in zip(tables, orders, strict=True)])


def test_every_graph_of_up_to_seven_nodes_has_a_key_of_its_own_in_any_order_of_its_nodes(atlas):
    tables = tables_of(atlas, 7)
    keys = isomorphism_keys(tables)
    assert len(np.unique(keys)) == len(atlas) == 1252
    some = np.arange(0, len(tables), 7)
    assert np.array_equal(isomorphism_keys(shuffled(tables[some], 0)), keys[some])
    assert np.array_equal(isomorphism_keys(padded(tables[some], 9)), keys[some])


def test_kinds_of_nodes_and_edges_tell_graphs_apart():
    table = table_of(3, [(0, 1), (1, 2)])
    end, middle, bond = table.copy(), table.copy(), table.copy()
    end[0, 0] = middle[1, 1] = bond[0, 1] = bond[1, 0] = 2
    other_end = table.copy()
    other_end[2, 2] = 2
    keys = isomorphism_keys(np.stack([table, end, middle, bond, other_end]))
    assert len(np.unique(keys)) == 4
    assert keys[1] == keys[4]


def test_strongly_regular_graphs_of_sixteen_nodes_share_a_key_as_the_page_says():
    rook = nx.line_graph(nx.complete_bipartite_graph(4, 4))
    rook = nx.convert_node_labels_to_integers(rook)
    steps = [(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)]
    shrikhande = nx.Graph(
        (4 * a + b, 4 * ((a + da) % 4) + (b + db) % 4) for a in range(4) for b in range(4) for da, db in steps
    )
    assert not nx.is_isomorphic(rook, shrikhande)
    assert len(np.unique(isomorphism_keys(tables_of([rook, shrikhande], 16)))) == 1


def test_what_is_connected_and_what_is_a_tree_is_what_networkx_says(atlas):
    tables = tables_of(atlas, 7)
    assert connected(tables).tolist() == [nx.is_connected(graph) for graph in atlas]
    assert is_tree(tables).tolist() == [nx.is_tree(graph) for graph in atlas]
    assert sizes_of(tables).tolist() == [len(graph) for graph in atlas]


def test_there_are_as_many_isomers_of_alkanes_and_free_trees_as_have_been_counted():
    # Cayley 1875, OEIS A000602 and A000055.
    assert [len(free_trees(nodes, 4)) for nodes in range(1, 10)] == [1, 1, 1, 2, 3, 5, 9, 18, 35]
    assert [len(free_trees(nodes, nodes)) for nodes in range(1, 10)] == [1, 1, 1, 2, 3, 6, 11, 23, 47]


@pytest.mark.parametrize(
    ("nodes", "labelled"), [(4, [4, 12]), (5, [5, 60, 60]), (6, [6, 90, 120, 360, 360, 360])], ids=str
)
def test_shares_of_trees_are_their_labellings_and_pruefer_sequences_give_each_once(nodes, labelled):
    law = Trees(nodes=nodes)
    classes = law.classes()
    assert sorted(round(share * nodes ** (nodes - 2), 9) for share in classes.values()) == labelled
    sequences = np.ndindex(*[nodes] * (nodes - 2))
    tables = np.stack([table_of(nodes, pruefer_tree(list(sequence))) for sequence in sequences])
    assert len(np.unique(tables, axis=0)) == nodes ** (nodes - 2)
    counted = Counter(isomorphism_keys(tables).tolist())
    assert counted == {key: round(share * nodes ** (nodes - 2)) for key, share in classes.items()}


def test_symmetries_are_those_that_networkx_finds():
    for table in free_trees(7, 7).values():
        graph = nx.from_numpy_array(adjacency_of(table[None])[0].astype(int))
        found = nx.isomorphism.GraphMatcher(graph, graph).isomorphisms_iter()
        assert symmetries(table) == sum(1 for _ in found)


def test_pairs_of_er_are_joined_with_its_probability_and_communities_as_they_say():
    er = np.stack(list(ErdosRenyi(nodes=10, p=0.3).drawn(200, seed=1)))
    joined = np.triu(er, 1).sum() / (200 * 45)
    assert abs(joined - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 9000)
    groups = np.stack(list(Communities().drawn(300, seed=1)))
    sizes = sizes_of(groups)
    assert (sizes.min(), sizes.max()) == (12, 20)
    # E edges = 2 * .7 * E k(k-1)/2 + .05 * (E k)^2 for k uniform on 6..10; deviation of one graph below 16.
    assert abs(np.triu(groups, 1).sum() / 300 - (0.7 * 58 + 0.05 * 64)) < 4 * 16 / math.sqrt(300)


def test_a_set_is_a_function_of_its_spelling():
    one, again, other = (
        np.stack(list(MadeGraphs(f"graphs:trees,20,nodes=5,seed={seed}").graphs())) for seed in (3, 3, 4)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert MadeGraphs("graphs:er,nodes=8,p=0.5,30").law == "er,nodes=8,p=0.5"


@pytest.mark.parametrize("p", ["0.00002", "0.123456789"])
def test_a_law_is_read_again_as_it_was_written_to_the_last_digit(p):
    law = MadeGraphs(f"graphs:er,5,p={p}").law
    assert MadeGraphs(f"graphs:{law}").made == ErdosRenyi(p=float(p))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("graphs", "which graphs is not said"),
        ("graphs:tree", "Did you mean 'trees'"),
        ("graphs:trees,p=0.5", "'p=0.5' is not understood"),
        ("graphs:trees,nodes=2", "from 3 to 64"),
        ("graphs:alkanes,nodes=13", "from 1 to 12"),
        ("graphs:communities,nodes=30", "from 12 to 20"),
        ("graphs:er,p=1.5", "from 0 to 1"),
        ("graphs:er,0", "'0' is not understood"),
    ],
)
def test_what_cannot_be_drawn_is_refused(spec, said):
    with pytest.raises(UserError, match=said):
        MadeGraphs(spec)


def test_a_law_of_one_node_too_many_is_refused_by_its_size():
    with pytest.raises(UserError, match="nodes=65"):
        law_of_graphs("trees", {"nodes": 65})
