"""NetGAN's parts: walks on a graph, graphs put together from walks, and what is measured of graphs like one."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.data.graphs.graph_tables import adjacency_of, table_of
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.metrics.graphs.one_graph import edge_overlap, exchange_edges, statistics_of
from ganvas.models.graphs.netgan import TINY, Model
from ganvas.nn.graphs.random_walks import graphs_of_counts, random_walks, steps_counted
from ganvas.nn.layers.initialise import initialise

LOLLIPOP = [(0, 1), (1, 2), (2, 0), (2, 3)]


def tables(n, edges=LOLLIPOP, nodes=4):
    return torch.from_numpy(table_of(nodes, edges)).long().expand(n, nodes, nodes)


def test_walks_go_along_edges_each_neighbour_as_often_as_the_next():
    walks = random_walks(tables(6000), torch.rand(6000, 3, generator=stream(1, "dice")))
    joined = tables(1)[0] * (1 - torch.eye(4, dtype=torch.long))
    assert joined[walks[:, :-1], walks[:, 1:]].all()
    assert (walks[:, 0].bincount(minlength=4) / 6000 - 0.25).abs().max() < 0.025
    after = walks[walks[:, 0] == 2][:, 1].bincount(minlength=4)
    shares = after / after.sum()
    assert (shares - torch.tensor([1, 1, 0, 1]) / 3).abs().max() < 4 * (2 / 9 / int(after.sum())) ** 0.5


def test_a_node_without_edges_stays_and_no_walk_starts_where_there_is_none():
    lonely = tables(50, [(0, 1)], 3).clone()
    gone = lonely.clone()
    gone[:, 2, 2] = 0
    assert (random_walks(gone, torch.rand(50, 4, generator=stream(1, "dice"))) < 2).all()
    walks = random_walks(lonely, torch.rand(50, 4, generator=stream(1, "dice")))
    from_lonely = walks[walks[:, 0] == 2]
    assert len(from_lonely) > 5
    assert (from_lonely == 2).all()


def test_steps_are_counted_in_both_directions_and_none_from_a_node_to_itself():
    counts = steps_counted(torch.tensor([[0, 1, 0], [2, 2, 1]]), 3)
    assert counts.tolist() == [[0, 2, 0], [2, 0, 1], [0, 1, 0]]


def test_graphs_of_counts_have_so_many_edges_an_edge_at_every_node_and_none_that_no_walk_took():
    counts = torch.tensor([[0, 9, 1, 0], [9, 0, 5, 0], [1, 5, 0, 2], [0, 0, 2, 0.0]])
    drawn = graphs_of_counts(counts.expand(500, 4, 4), 3, torch.rand(500, 4, 4, generator=stream(1, "dice")))
    assert torch.equal(drawn, drawn.mT)
    edges = adjacency_of(drawn.numpy())
    assert (edges.sum((1, 2)) == 6).all()
    assert (edges.sum(2) > 0).all()
    assert not edges[:, [0, 1], [3, 3]].any()
    assert edges[:, 2, 3].all()  # The only edge of node 3.
    assert edges[:, 0, 1].mean() > 0.8
    all_there = graphs_of_counts(counts[None], 99, torch.rand(1, 4, 4))
    assert all_there.sum() == 4 + 2 * 4


def test_drawing_without_replacement_has_the_probabilities_of_one_after_the_other():
    counts = torch.zeros(8000, 3, 3)
    for (a, b), weight in {(0, 1): 4.0, (1, 2): 2.0, (0, 2): 1.0}.items():
        counts[:, a, b] = counts[:, b, a] = weight
    drawn = adjacency_of(graphs_of_counts(counts, 2, torch.rand(8000, 3, 3, generator=stream(2, "dice"))).numpy())
    # Every node gets its likeliest edge, Gumbel noise added: the two of three edges that are largest, as one by one.
    without_last = 4 / 7 * 2 / 3 + 2 / 7 * 4 / 5
    assert abs((~drawn[:, 0, 2]).mean() - without_last) < 4 * 0.5 / 8000**0.5


def test_the_temperature_falls_at_moves_of_the_generator_and_rests_at_its_end():
    model = Model(replace(TINY, tau_start=2.0, tau_end=0.9, tau_decay=0.5))
    initialise(model, stream(0, "weights"))
    moved = next(phase for phase in model.phases() if phase.name == "G")
    batch = Graphs(tables=tables(8), rng=stream(1, "noise"))
    seen = []
    for _ in range(3):
        seen.append(float(model.tau))
        moved.after(batch, {})
    assert seen == pytest.approx([2.0, 1.0, 0.9])
    assert model.memory() == ["tau"]


def test_a_copy_overlaps_wholly_and_exchanged_edges_keep_degrees():
    graph = nx.karate_club_graph()
    real = table_of(34, graph.edges())
    found = {name: float(values[0]) for name, values in statistics_of(real[None]).items()}
    assert found["triangles"] == sum(nx.triangles(graph).values()) / 3
    assert found["clustering"] == pytest.approx(nx.average_clustering(graph))
    assert (found["largest_degree"], found["components"]) == (17, pytest.approx(1))
    assert edge_overlap(real[None], real).tolist() == [1]
    mixed = exchange_edges(real, np.random.default_rng(0))
    assert np.array_equal(adjacency_of(mixed[None]).sum(2), adjacency_of(real[None]).sum(2))
    assert np.array_equal(mixed, mixed.T)
    assert edge_overlap(mixed[None], real)[0] < 0.6
    apart = table_of(5, [(0, 1), (2, 3)])
    assert statistics_of(apart[None])["components"].tolist() == pytest.approx([3])


def test_walks_know_no_kinds_and_a_temperature_that_rises_is_refused():
    with pytest.raises(UserError, match="one kind of node"):
        replace(TINY, node_kinds=2)
    with pytest.raises(UserError, match="tau_decay"):
        replace(TINY, tau_decay=1.1)
