"""The network that says graphs: its probabilities sum to one, and what it draws follows them."""

from collections import Counter

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.seeds import stream
from ganvas.losses.games.line_game import sampled
from ganvas.networks.graphs.recurrent_graphs import RecurrentGraphs, said_rows
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.recurrent import Gru

SIZE = GraphSize(nodes=3, node_kinds=1, edge_kinds=1)


def network(reach=2):
    made = RecurrentGraphs(SIZE, reach=reach, hidden=6, layers=2, edge_hidden=5)
    initialise(made, stream(0, "weights"))
    return made.eval()


def all_graphs():
    """Every table of up to three nodes, the missing ones last: 1 + 1 + 2 + 8."""
    found = []
    for nodes in range(4):
        pairs = [(a, b) for a in range(nodes) for b in range(a + 1, nodes)]
        for code in range(2 ** len(pairs)):
            table = torch.diag_embed((torch.arange(3) < nodes).long())
            for bit, (a, b) in enumerate(pairs):
                table[a, b] = table[b, a] = code >> bit & 1
            found.append(table)
    return torch.stack(found)


@pytest.mark.usefixtures("float64")
def test_probabilities_of_all_graphs_in_all_orders_sum_to_one():
    tables = all_graphs()
    assert len(tables) == 12
    total = (-network().double()(tables)).exp().sum()
    assert_close(total, torch.ones(()).double())


def test_what_is_drawn_has_the_probabilities_that_are_said():
    model, n, generator = network(), 4000, stream(1, "dice")
    drawn = model.say(n, lambda logits: sampled(logits, torch.rand(n, generator=generator)))
    assert torch.equal(drawn, drawn.mT)
    counted = Counter(tuple(table.flatten().tolist()) for table in drawn)
    expected = (-model(all_graphs())).exp()
    for table, share in zip(all_graphs(), expected.tolist(), strict=True):
        seen = counted.pop(tuple(table.flatten().tolist()), 0) / n
        assert abs(seen - share) < 4.5 * (share * (1 - share) / n) ** 0.5
    assert not counted


def test_edges_that_reach_too_far_back_are_not_said():
    table = torch.ones(1, 3, 3, dtype=torch.long)
    rows = said_rows(table, 2)
    assert rows.edges[0].tolist() == [[0, 0], [1, 0], [1, 1]]
    assert rows.told[0].tolist() == [[False, False], [True, False], [True, True]]
    drawn = network(reach=1).say(64, lambda logits: torch.ones(len(logits), dtype=torch.long))
    assert drawn[0].tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]


@pytest.mark.usefixtures("float64")
def test_the_gated_unit_is_that_of_torch():
    own, theirs = Gru(3, 4).double(), torch.nn.GRU(3, 4, batch_first=True).double()
    initialise(own, stream(0, "weights"))
    with torch.no_grad():
        own.bias.normal_(generator=stream(1, "bias"))
        own.kept_bias.normal_(generator=stream(2, "bias"))
        theirs.weight_ih_l0.copy_(own.input)
        theirs.weight_hh_l0.copy_(own.recurrent)
        theirs.bias_ih_l0.copy_(own.bias)
        theirs.bias_hh_l0.zero_()
        theirs.bias_hh_l0[8:].copy_(own.kept_bias)
    x, start = torch.randn(2, 5, 3, generator=stream(3, "x")), torch.randn(2, 4, generator=stream(4, "h"))
    assert_close(own(x, start), theirs(x, start[None])[0])
