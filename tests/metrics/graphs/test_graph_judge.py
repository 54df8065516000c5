"""Graphs by their measures: dust, copies, noise and draws of the law each score as they should."""

import math

import numpy as np
import pytest

from ganvas.data.graphs.graph_laws import Trees
from ganvas.data.graphs.graph_tables import table_of
from ganvas.data.graphs.packed_graphs import PackedGraphs, prepare_graphs
from ganvas.metrics.graphs.graph_judge import GraphJudge


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def judge(cache):
    return GraphJudge(prepare_graphs("graphs:trees,300,nodes=5", cache=cache), seed=0)


class Molecules(PackedGraphs):
    """Methanol and methylamine, without a file."""

    def __init__(self):
        self.node_names, self.edge_names = ("C", "O", "N"), ("single", "double")
        self.fingerprint, self.manifest = "sha256:none", {}
        alcohol = table_of(2, [(0, 1)], most=3)
        alcohol[1, 1] = 2
        amine = alcohol.copy()
        amine[1, 1] = 3
        self.tables = np.stack([alcohol, amine] * 4)

    @property
    def size(self):
        from ganvas.core.sample_sizes.graph_size import GraphSize

        return GraphSize(nodes=3, node_kinds=3, edge_kinds=2)

    def __len__(self):
        return len(self.tables)

    def read(self, indices):
        return self.tables[indices]


def values(results):
    return {one.metric: one.value for one in results}


def test_draws_of_the_law_are_valid_and_their_chi_square_is_near_one(judge):
    found = judge.judge(np.stack(list(Trees(nodes=5).drawn(400, seed=9))))
    named = values(found)
    assert list(named) == judge.metrics
    assert (named["valid"], named["novel"], named["vun"]) == (1, 0, 0)
    assert named["unique"] == 3 / 400
    assert named["class_chi2"] < 5
    assert named["class_p"] > 1e-2
    assert named["class_covered"] == pytest.approx(1)
    assert all(one.standard_error is not None for one in found if one.metric.endswith("_mmd"))
    assert values(judge.floor(100))["valid"] == 1


def test_graphs_that_are_no_trees_are_invalid_and_have_no_class(judge):
    ring = table_of(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)])
    named = values(judge.judge(np.stack([ring] * 6)))
    assert (named["valid"], named["vun"], named["novel"]) == (0, 0, 1)
    assert math.isnan(named["class_chi2"])


def test_dust_is_loosely_valid_copies_are_not_novel_and_one_number_says_all():
    judge = GraphJudge(Molecules(), seed=0)
    water = table_of(1, [], most=3)
    water[0, 0] = 2
    dust, ring = table_of(3, [], most=3), table_of(3, [(0, 1), (1, 2), (2, 0)])
    five_bonds = table_of(2, [(0, 1)], most=3)
    five_bonds[1, 1], five_bonds[0, 1], five_bonds[1, 0] = 2, 3, 3
    copy = Molecules().tables[0]
    named = values(judge.judge(np.stack([dust, dust, copy, ring, ring, water, five_bonds, np.zeros((3, 3), np.uint8)])))
    assert named["valid.loose"] == 7 / 8
    assert named["valid"] == 4 / 8
    assert named["unique"] == 6 / 8
    assert named["novel"] == 7 / 8
    assert named["vun"] == 2 / 8  # The ring and water.


def test_graphs_of_no_known_validity_get_no_share_of_valid_ones(cache):
    judge = GraphJudge(prepare_graphs("graphs:er,30,nodes=6", cache=cache), seed=0)
    assert "valid" not in judge.metrics
    assert "class_chi2" not in judge.metrics
    assert list(values(judge.floor(10))) == judge.metrics
