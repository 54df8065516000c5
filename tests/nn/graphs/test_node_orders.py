"""Breadth-first orders of batches of graphs against a queue."""

from collections import deque

import torch

from ganvas.core.seeds import stream
from ganvas.nn.graphs.node_orders import breadth_first, in_order


def some_graphs(n, v, seed=0):
    generator = stream(seed, "graphs")
    edges = (torch.rand(n, v, v, generator=generator) < 0.3).long().triu(1)
    there = torch.arange(v) < torch.randint(1, v + 1, (n, 1), generator=generator)
    tables = (edges + edges.mT) * there[:, :, None] * there[:, None]
    return tables + torch.diag_embed(there.long()), torch.rand(n, v, generator=generator)


def by_a_queue(table, priority):
    nodes = [node for node in range(len(table)) if table[node][node]]
    left, order = sorted(nodes, key=lambda node: priority[node]), []
    while left:
        queue = deque([left[0]])
        left.remove(left[0])
        while queue:
            node = queue.popleft()
            order.append(node)
            for other in [other for other in left if table[node][other]]:
                queue.append(other)
                left.remove(other)
    return order


def test_the_order_is_that_of_a_queue_and_rows_without_a_node_come_last():
    tables, priority = some_graphs(60, 7)
    orders = breadth_first(tables, priority)
    for table, dice, order in zip(tables, priority, orders, strict=True):
        expected = by_a_queue(table.tolist(), dice.tolist())
        assert order.tolist()[: len(expected)] == expected
        assert sorted(order.tolist()) == list(range(7))


def test_a_graph_in_another_order_has_the_same_edges():
    tables, priority = some_graphs(5, 6)
    order = breadth_first(tables, priority)
    moved = in_order(tables, order)
    for table, new, places in zip(tables, moved, order, strict=True):
        assert torch.equal(new, table[places][:, places])


def test_every_first_node_is_equally_likely():
    tables = torch.ones(1, 4, 4, dtype=torch.long).expand(4000, 4, 4)
    first = breadth_first(tables, torch.rand(4000, 4, generator=stream(1, "dice")))[:, 0]
    shares = first.bincount(minlength=4) / 4000
    assert (shares - 0.25).abs().max() < 4 * (0.25 * 0.75 / 4000) ** 0.5
