"""MolGAN's parts: what sees graphs in any order, what makes them, both penalties, and the strict reward."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.seeds import stream
from ganvas.data.graphs import graph_tables
from ganvas.data.graphs.graph_laws import ErdosRenyi
from ganvas.data.graphs.molecules import within_valence
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.penalties import gradient_penalty
from ganvas.models.graphs.molgan import TINY, Model, mirrored, node_pair_penalty
from ganvas.networks.graphs.relational_graphs import GraphCritic
from ganvas.nn.graphs.validity import are_connected, are_trees, keep_valences
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.soft_choice import soft_choice

SIZE = GraphSize(nodes=4, node_kinds=2, edge_kinds=2)


def started(**changes):
    model = Model(replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def some_weights(n, seed):
    return mirrored(torch.rand(n, 4, 4, 3, generator=stream(seed, "weights of kinds")))


@pytest.mark.usefixtures("float64")
def test_the_critic_says_the_same_of_a_graph_in_every_order_of_its_nodes():
    critic = GraphCritic(SIZE, widths=(6, 4), gathered=5, dense=(4,))
    initialise(critic, stream(0, "weights"))
    weights = some_weights(3, 1).double()
    said = critic.double()(weights)
    for order in ([3, 1, 0, 2], [1, 0, 2, 3], [2, 3, 1, 0]):
        assert_close(critic(weights[:, order][:, :, order]), said, rtol=0, atol=1e-14)  # Sums in another order.
    other = weights.clone()
    other[:, 0, 1], other[:, 1, 0] = weights[:, 2, 3], weights[:, 3, 2]
    assert (critic(other) - said).abs().min() > 1e-6


def test_no_edge_and_the_diagonal_send_no_message():
    critic = GraphCritic(SIZE, widths=(6,), gathered=5, dense=())
    initialise(critic, stream(0, "weights"))
    weights = some_weights(2, 1)
    more = weights.clone()
    more[..., 0] += ~torch.eye(4, dtype=torch.bool)
    assert torch.equal(critic(more), critic(weights))


def test_drawn_graphs_are_symmetric_without_loops_or_edges_at_absent_nodes_and_of_known_kinds():
    model = started(nodes=5, node_kinds=3, edge_kinds=1, valences=()).eval()
    tables = model.sample(300, stream(1, "dice"))
    assert torch.equal(tables, tables.mT)
    batch = Graphs(tables=tables)
    assert batch.nodes.max() == 3
    assert batch.edges.max() == 1
    absent = ~batch.mask
    assert absent.any()
    assert not batch.edges[absent].any()
    assert not batch.edges.diagonal(dim1=1, dim2=2).any()


def test_an_edge_is_drawn_once_and_with_the_probability_of_its_logits():
    logits = torch.tensor([0.3, -0.5, 1.0]).expand(4000, 2, 2, 3)
    uniform = mirrored(torch.rand(4000, 2, 2, 3, generator=stream(1, "dice")))
    chosen = soft_choice(logits, uniform, tau=0.7, straight_through=True)
    assert torch.equal(chosen, chosen.transpose(1, 2))
    shares, expected = chosen[:, 0, 1].mean(0), logits[0, 0, 0].softmax(0)
    assert (shares - expected).abs().max() < 4 * 0.5 / 4000**0.5


@pytest.mark.usefixtures("float64")
def test_both_penalties_of_a_linear_critic_are_those_of_its_slope():
    slope = some_weights(1, 5).double()[0]
    critic = lambda weights: (weights * slope).sum((1, 2, 3))  # noqa: E731
    real, fake, mix = some_weights(2, 1).double(), some_weights(2, 2).double(), torch.tensor([0.2, 0.7]).double()
    whole = gradient_penalty(critic, real, fake, mix, weight=10.0)
    assert_close(whole, (10 * (slope.norm() - 1) ** 2).expand(2))
    norms = slope.square().sum(2).sqrt()
    pairs = [(norms[i, j] - 1) ** 2 for i in range(4) for j in range(4) if i != j]
    nodes = [(norms[i, i] - 1) ** 2 for i in range(4)]
    each = 10 * (sum(pairs) / 12 + sum(nodes) / 4)
    assert_close(node_pair_penalty(critic, real, fake, mix, weight=10.0), each.expand(2))


def test_the_reward_is_strict_validity_as_the_arrays_have_it():
    rng = np.random.default_rng(0)
    tables = np.stack(list(ErdosRenyi(nodes=6, p=0.35).drawn(120, seed=3)))
    gone = rng.random(120) < 0.3
    tables[gone, 5, :] = tables[gone, :, 5] = 0
    given = torch.from_numpy(tables).long()
    assert are_connected(given).tolist() == graph_tables.connected(tables).tolist()
    assert are_trees(given).tolist() == graph_tables.is_tree(tables).tolist()
    assert keep_valences(given, torch.tensor([0, 2])).tolist() == within_valence(tables, ("O",)).tolist()
    assert not are_connected(torch.zeros(1, 3, 3, dtype=torch.long)).any()
    rewarded = started(nodes=6, node_kinds=1, edge_kinds=1, valences=(2,), reward="tree").rewards(given)
    assert rewarded.tolist() == (graph_tables.is_tree(tables) & within_valence(tables, ("O",))).tolist()
    free = started(nodes=6, node_kinds=1, edge_kinds=1, valences=(), reward="tree").rewards(given)
    assert free.tolist() == graph_tables.is_tree(tables).tolist()


def test_the_reward_weighs_as_much_as_the_verdict():
    model = started(balance=0.25)
    tables = torch.ones(8, 4, 4, dtype=torch.long)
    terms = model._mixture(Graphs(tables=tables, rng=stream(3, "noise")))
    verdict, reward = terms["wasserstein"].mean() / 0.25, terms["reward"].mean() / 0.75
    assert_close(reward.abs(), verdict.abs())
    assert reward < 0


def test_the_generator_plays_at_the_last_of_some_steps_and_the_reward_begins_later():
    model = started(generator_every=3, reward_kimg=0.04)
    turns = {phase.name: phase.turn for phase in model.phases()}
    played = [[name for name, turn in turns.items() if turn(step, 8 * step)] for step in range(6)]
    assert played == [["D", "R"], ["D", "R"], ["G"], ["D", "R"], ["D", "R"], ["GR"]]
    assert [phase.name for phase in started(reward="none").phases()] == ["D", "G"]


def test_valences_are_one_for_each_kind():
    with pytest.raises(UserError, match="there are 2"):
        replace(TINY, valences=(4,))
