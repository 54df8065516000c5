import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.core.ranks import Ranks, joined


@given(st.integers(min_value=1, max_value=5), st.integers(min_value=0, max_value=20))
def test_every_row_belongs_to_exactly_one_rank(count: int, n: int):
    rows = torch.arange(n)
    shares = [Ranks(rank=rank, count=count).share(rows) for rank in range(count)]
    assert sorted(torch.cat(shares).tolist()) == rows.tolist()


def test_shares_are_strided():
    assert Ranks(rank=1, count=2).share(torch.arange(8)).tolist() == [1, 3, 5, 7]


def test_strided_groups_within_a_share_are_groups_of_the_whole_batch():
    # Minibatch standard deviation groups rows i, i + m, i + 2m, ... with m = n / group.
    whole = torch.arange(16).reshape(4, 4).T  # Rows: the groups of 4 of a batch of 16.
    for rank in range(2):
        share = Ranks(rank=rank, count=2).share(torch.arange(16))
        groups = share.reshape(4, 2).T
        assert all(group.tolist() in whole.tolist() for group in groups)


def test_one_rank_changes_nothing_and_talks_to_nobody():
    alone, tensor = Ranks(), torch.ones(3)
    alone.average_([tensor])
    alone.barrier()
    assert alone.share(tensor) is tensor
    assert (alone.agree(True), alone.agree(False), alone.first) == (True, False, True)
    assert not Ranks(rank=1, count=2).first
    assert tensor.tolist() == [1, 1, 1]


def test_without_torchrun_there_is_one_rank():
    with joined(torch.device("cpu")) as ranks:
        assert ranks == Ranks(rank=0, count=1)


TWO = """
import torch
from ganvas.core.ranks import joined
with joined(torch.device("cpu")) as ranks:
    assert (ranks.count, ranks.first) == (2, ranks.rank == 0)
    a, b = torch.full((2, 3), float(ranks.rank)), torch.tensor([1.0, 10.0], dtype=torch.float64) * (ranks.rank + 1)
    view = torch.zeros(4, 2)
    view[:, 0] = 4.0 * ranks.rank
    ranks.average_([a, b, view[:, 0]])
    assert a.tolist() == [[0.5] * 3] * 2 and b.tolist() == [1.5, 15.0] and b.dtype == torch.float64
    assert view.tolist() == [[2.0, 0.0]] * 4
    ranks.average_([])
    assert ranks.agree(ranks.rank == 1) and not ranks.agree(False)
    assert ranks.alike(7) and ranks.alike(-1) and not ranks.alike(ranks.rank)
    ranks.barrier()
    assert torch.distributed.is_initialized()
assert not torch.distributed.is_initialized()
"""


@pytest.mark.slow
def test_two_ranks_average_agree_and_leave_together(in_ranks):
    assert in_ranks(2, "-c", TWO) == [0, 0]


SILENT = """
import os, time, torch
from ganvas.core.errors import TrainingFailed
from ganvas.core.ranks import joined
with joined(torch.device("cpu"), step_seconds=1.5) as ranks:
    if ranks.first:
        time.sleep(2.5)  # Longer than a step may wait, as a measurement does.
    ranks.barrier()
    if not ranks.first:
        time.sleep(4.5)
        os._exit(0)
    began = time.monotonic()
    try:
        ranks.average_([torch.ones(3)])
    except TrainingFailed as failed:
        assert "the same command resumes" in str(failed)
        assert time.monotonic() - began < 4
        os._exit(7)
"""


@pytest.mark.slow
def test_a_silent_peer_ends_a_step_after_its_timeout_and_a_barrier_waits_for_long_work(in_ranks):
    assert in_ranks(2, "-c", SILENT) == [7, 0]
