import numpy as np
import pytest
import torch

from ganvas.train.feeds.feed import Order
from ganvas.train.feeds.windowed_order import WindowedOrder, order_of

SHARDS = [7, 0, 12, 5, 9, 4, 11]
TOTAL = sum(SHARDS)


@pytest.mark.parametrize("window", [1, 2, 3, 7, 100])
def test_every_row_is_dealt_once_an_epoch_and_epochs_differ(window):
    order = WindowedOrder(SHARDS, seed=3, window=window)
    epochs = [order.indices(epoch * TOTAL, TOTAL) for epoch in range(3)]
    for rows in epochs:
        assert sorted(rows.tolist()) == list(range(TOTAL))
    assert not torch.equal(epochs[0], epochs[1])


def test_a_batch_is_a_function_of_its_position_also_over_the_end_of_an_epoch():
    whole = torch.cat([WindowedOrder(SHARDS, seed=3, window=2).indices(nimg, 5) for nimg in range(0, 3 * TOTAL, 5)])
    for nimg, size in ((0, 16), (TOTAL - 3, 8), (17, 31), (2 * TOTAL - 1, 2)):
        assert torch.equal(WindowedOrder(SHARDS, seed=3, window=2).indices(nimg, size), whole[nimg : nimg + size])


def test_a_window_holds_the_rows_of_its_shards_alone():
    order = WindowedOrder([10] * 8, seed=1, window=2)
    rows = order.indices(0, 80).numpy()
    for start in range(0, 80, 20):
        assert len(np.unique(rows[start : start + 20] // 10)) == 2
    assert not np.array_equal(np.unique(rows[:20] // 10), [0, 1]) or not np.array_equal(
        np.unique(rows[20:40] // 10), [2, 3]
    ), "shards are shuffled too"


def test_shards_come_in_another_order_in_every_epoch():
    order = WindowedOrder([10] * 8, seed=1, window=1)
    epochs = [tuple((order.indices(80 * epoch, 80).numpy()[::10] // 10).tolist()) for epoch in range(3)]
    assert all(sorted(shards) == list(range(8)) for shards in epochs)
    assert len(set(epochs)) == 3


def test_with_all_shards_in_a_window_neighbours_are_as_far_apart_as_in_a_shuffle_of_all():
    # The mean distance of two numbers at random below n is n / 3; its deviation over n pairs about n / 4.2 / sqrt(n).
    n = 4000
    for order in (WindowedOrder([500] * 8, seed=2, window=8), Order(n, seed=2)):
        rows = order.indices(0, n).double()
        assert float((rows[1:] - rows[:-1]).abs().mean()) == pytest.approx(n / 3, abs=5 * n / 4.2 / n**0.5)


def test_seeds_and_sources_have_orders_of_their_own():
    orders = [
        WindowedOrder(SHARDS, seed=seed, name=name).indices(0, TOTAL) for seed, name in ((1, "a"), (2, "a"), (1, "b"))
    ]
    assert not any(torch.equal(orders[0], other) for other in orders[1:])


def test_a_table_that_lies_together_is_shuffled_whole():
    assert type(order_of(_Table(9), seed=0, name="order")) is Order
    assert isinstance(order_of(_Sharded(9), seed=0, name="order"), WindowedOrder)


class _Table:
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def read(self, indices):
        return np.zeros((len(indices), 1))


class _Sharded(_Table):
    @property
    def rows_of_shards(self):
        return [4, 5]
