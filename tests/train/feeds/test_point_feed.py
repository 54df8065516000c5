import numpy as np
import pytest
import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.points.packed_points import prepare_points
from ganvas.train.feeds.point_feed import PointFeed

STAGE = Stage(batch_size=8, lr=1e-3)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return prepare_points("mixtures:ring8,50", cache=tmp_path_factory.mktemp("cache"), quiet=True)


def feed(packed, *, rank=0, count=1, hold=None):
    return PointFeed(packed, seed=1, device=torch.device("cpu"), ranks=Ranks(rank=rank, count=count), hold=hold)


def test_a_pass_over_the_data_deals_each_point_once_with_its_own_label(packed):
    source = feed(packed)
    dealt = [source.batch(nimg, STAGE) for nimg in range(0, 400, 8)]
    points = torch.cat([one.points for one in dealt])[:50].numpy()
    labels = torch.cat([one.labels for one in dealt])[:50].numpy()
    real = packed.read(slice(None))
    places = [int(np.flatnonzero((real == point).all(1))[0]) for point in points]
    assert sorted(places) == list(range(50))
    assert places != list(range(50))
    assert (labels == packed.labels[places]).all()


def test_points_read_ahead_are_those_held_in_memory(packed):
    held, ahead = feed(packed, hold=True), feed(packed, hold=False)
    for nimg in range(0, 80, 8):
        assert torch.equal(held.batch(nimg, STAGE).points, ahead.batch(nimg, STAGE).points)
    ahead.close()


def test_the_shares_of_two_ranks_are_the_whole_batch(packed):
    whole = feed(packed).batch(16, STAGE).points
    shares = [feed(packed, rank=rank, count=2).batch(16, STAGE).points for rank in (0, 1)]
    assert torch.equal(torch.stack(shares, dim=1).reshape(8, 2), whole)
