"""Statistics of graphs against networkx and closed forms, their discrepancies against double loops."""

import math
from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
import torch

from ganvas.data.graphs.graph_laws import Communities, ErdosRenyi, Trees
from ganvas.data.graphs.graph_tables import adjacency_of, padded, table_of
from ganvas.metrics.graphs.class_shares import class_shares
from ganvas.metrics.graphs.graph_mmd import STATISTICS, compared, own_kernel, scale_of
from ganvas.metrics.graphs.graph_statistics import (
    ORBITS,
    clustering,
    clustering_histograms,
    degree_histograms,
    mean_orbits,
    orbit_counts,
)

# Of each graph of two to four nodes the edges, and the orbit of every node (Przulj 2007, figure 1).
GRAPHLETS = [
    ([(0, 1)], [0, 0]),
    ([(0, 1), (1, 2)], [1, 2, 1]),
    ([(0, 1), (1, 2), (2, 0)], [3, 3, 3]),
    ([(0, 1), (1, 2), (2, 3)], [4, 5, 5, 4]),
    ([(0, 1), (0, 2), (0, 3)], [7, 6, 6, 6]),
    ([(0, 1), (1, 2), (2, 3), (3, 0)], [8, 8, 8, 8]),
    ([(0, 1), (1, 2), (2, 0), (2, 3)], [10, 10, 11, 9]),
    ([(0, 1), (1, 2), (2, 0), (2, 3), (3, 1)], [12, 13, 13, 12]),
    (list(combinations(range(4), 2)), [14, 14, 14, 14]),
]


@pytest.fixture(scope="module")
def some():
    return np.stack(list(ErdosRenyi(nodes=8, p=0.45).drawn(6, seed=0)))


def drawn(law, n, seed):
    return np.stack(list(law.drawn(n, seed=seed)))


def test_orbits_are_those_of_induced_subgraphs_matched_one_by_one(some):
    counted = orbit_counts(some)
    for table, found in zip(some, counted, strict=True):
        graph = nx.from_numpy_array(adjacency_of(table[None])[0].astype(int))
        expected = np.zeros((8, ORBITS), int)
        for edges, orbits in GRAPHLETS:
            template = nx.Graph(edges)
            for nodes in combinations(range(8), len(orbits)):
                matcher = nx.isomorphism.GraphMatcher(graph.subgraph(nodes), template)
                if matcher.is_isomorphic():
                    for node, place in matcher.mapping.items():
                        expected[node, orbits[place]] += 1
        assert np.array_equal(found, expected)


def test_orbits_of_a_star_and_of_a_graph_in_a_larger_table():
    star = padded(table_of(6, [(0, leaf) for leaf in range(1, 6)])[None], 9)
    centre, leaf = orbit_counts(star)[0, :2]
    assert (centre[0], centre[2], centre[7]) == (5, math.comb(5, 2), math.comb(5, 3))
    assert (leaf[0], leaf[1], leaf[6]) == (1, 4, math.comb(4, 2))
    assert mean_orbits(star)[0, 0] == pytest.approx(10 / 6)


def test_clustering_and_degrees_are_those_of_networkx(some):
    for table, found, degrees in zip(some, clustering(some), degree_histograms(some), strict=True):
        graph = nx.from_numpy_array(adjacency_of(table[None])[0].astype(int))
        assert found.tolist() == pytest.approx(list(nx.clustering(graph).values()))
        histogram = np.array(nx.degree_histogram(graph)) / 8
        assert degrees[: len(histogram)].tolist() == pytest.approx(histogram.tolist())
    assert clustering_histograms(some).sum(1) == pytest.approx(np.ones(len(some)))


def test_er_graphs_have_binomial_degrees_and_clustering_near_p():
    n, p, v = 400, 0.3, 12
    tables = drawn(ErdosRenyi(nodes=v, p=p), n, 1)
    binomial = [math.comb(v - 1, k) * p**k * (1 - p) ** (v - 1 - k) for k in range(v)]
    assert np.abs(degree_histograms(tables).mean(0)[:v] - binomial).max() < 0.02  # 4,800 degrees, deviations .006.
    known = adjacency_of(tables).sum(2) >= 2
    assert clustering(tables)[known].mean() == pytest.approx(p, abs=0.02)


@pytest.mark.parametrize("name", list(STATISTICS))
def test_a_discrepancy_is_that_of_a_double_loop_and_biased_ones_differ_by_the_diagonal(name):
    statistic = STATISTICS[name]
    x, y = (statistic.rows(drawn(ErdosRenyi(nodes=8, p=p), 12, 1)) for p in (0.3, 0.5))
    found = compared(statistic, x, y)

    def distance(a, b):
        if name == "orbit":
            return float(np.sqrt(((a - b) ** 2).sum()))
        width = 1.0 if name == "degree" else 0.01
        return float(np.abs(np.cumsum(a) - np.cumsum(b)).sum() * width)

    apart = sorted(d for a, b in product(y, y) if (d := distance(a, b)) > 0)
    assert found.scale == pytest.approx(apart[(len(apart) - 1) // 2])
    kernel = lambda a, b: math.exp(-distance(a, b) / found.scale)  # noqa: E731
    own = lambda rows: [kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]  # noqa: E731
    across = np.mean([kernel(a, b) for a, b in product(x, y)])
    unbiased = np.mean(own(x)) + np.mean(own(y)) - 2 * across
    assert found.own.unbiased == pytest.approx(unbiased, abs=1e-12)
    diagonal = sum((1 - np.mean(own(rows))) / len(rows) for rows in (x, y))
    assert found.own.biased - found.own.unbiased == pytest.approx(diagonal, abs=1e-12)
    sigma = {"degree": 1.0, "clustering": 0.1, "orbit": 30.0}[name]
    gauss = lambda a, b: math.exp(-(distance(a, b) ** 2) / (2 * sigma**2))  # noqa: E731
    means = [np.mean([gauss(a, b) for a, b in product(*sides)]) for sides in ((x, x), (y, y), (x, y))]
    assert found.published["graphrnn"] == pytest.approx(means[0] + means[1] - 2 * means[2], abs=1e-12)


def test_own_kernels_are_positive_definite_and_those_of_papers_are_not():
    tables = np.concatenate([drawn(ErdosRenyi(nodes=10, p=p), 25, 3) for p in (0.05, 0.2, 0.4, 0.7)])
    lowest = {}
    for name, statistic in STATISTICS.items():
        rows = torch.from_numpy(statistic.rows(tables))
        kernel = own_kernel(statistic, scale_of(statistic, rows))
        assert torch.linalg.eigvalsh(kernel(rows, rows)).min() > -1e-12, name
        for form, published in statistic.published.items():
            lowest[name, form] = float(torch.linalg.eigvalsh(published(rows, rows)).min())
    assert lowest["degree", "graphrnn"] < -0.05
    assert lowest["degree", "tv"] < -0.05


@pytest.mark.parametrize("name", list(STATISTICS))
def test_the_unbiased_discrepancy_of_one_law_is_within_its_error_of_nothing_and_sees_communities(name):
    statistic, law = STATISTICS[name], Communities()
    x, y = (statistic.rows(drawn(law, 150, seed)) for seed in (1, 2))
    same = compared(statistic, x, y)
    assert abs(same.own.unbiased) < 3.5 * math.sqrt(same.own.variance(150, 150))
    flat = padded(drawn(ErdosRenyi(nodes=16, p=0.37), 150, 3), 20)
    other = compared(statistic, statistic.rows(flat), y)
    assert other.own.unbiased > 4 * math.sqrt(other.own.variance(150, 150))


def test_chi_square_of_a_law_has_the_mean_and_variance_that_enumeration_gives():
    law, n = {1: 0.5, 2: 0.3, 3: 0.2}, 4
    moments = np.zeros(3)
    for keys in product(law, repeat=n):
        found = class_shares(np.array(keys, np.uint64), law)
        weight = math.prod(law[key] for key in keys)
        moments += weight * np.array([1, found.statistic, found.statistic**2])
    assert moments[:2] == pytest.approx([1, 1])
    assert found.deviation == pytest.approx(math.sqrt(moments[2] - 1))


def test_chi_square_tells_a_law_from_its_neighbour_and_a_model_of_one_class():
    law = Trees(nodes=5).classes()
    keys = np.array(list(law), np.uint64)
    exact = np.repeat(keys, [round(125 * share) for share in law.values()])
    assert class_shares(exact, law).statistic == pytest.approx(0, abs=1e-12)
    assert class_shares(exact, law).p == pytest.approx(1)
    uniform = np.repeat(keys, 100)
    assert class_shares(uniform, law).p < 1e-6
    one = class_shares(keys[:1].repeat(100), law)
    assert one.covered == pytest.approx(next(iter(law.values())))
    # Two degrees of freedom: p = exp(-X^2 / 2).
    some = np.repeat(keys, [round(125 * share) + extra for share, extra in zip(law.values(), (2, -1, -1), strict=True)])
    found = class_shares(some, law)
    assert found.p == pytest.approx(math.exp(-found.statistic))
