from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.ranks import Ranks
from ganvas.nn.layers.across_ranks import all_ranks_rows, all_ranks_sum, count_ranks, own_rows

from .program_of_a_rank import main

PROGRAM = Path(__file__).with_name("program_of_a_rank.py")
OPERATORS = [
    "sum",
    "rows",
    "stddev of all",
    "stddev of a group as large as the batch",
    "stddev of groups",
    "batch norm",
    "discrimination",
]


def test_alone_a_sum_is_what_was_given():
    x = torch.randn(3, 2)
    assert count_ranks() == 1
    assert all_ranks_sum(x) is x
    assert all_ranks_rows(x) is x
    assert own_rows(3, x.device).tolist() == [0, 1, 2]


@pytest.fixture(scope="module")
def found(tmp_path_factory, in_ranks):
    """What one process found, and what two found."""
    folder = tmp_path_factory.mktemp("ranks")
    assert in_ranks(2, PROGRAM, folder) == [0, 0]
    main(0, 1, folder)
    ranks = [(0, 1), (0, 2), (1, 2)]
    return {key: torch.load(folder / f"{key[0]}-of-{key[1]}.pt", weights_only=True) for key in ranks}


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS)
def test_two_processes_find_what_one_does(found, operator):
    # Value, gradient and the gradient of a penalty; float64 sums in another order differ by some 1e-15 of their terms.
    whole = found[0, 1][operator]
    for rank in (0, 1):
        part = found[rank, 2][operator]
        assert part.keys() == whole.keys()
        for key, value in part.items():
            expected = whole[key] if key.endswith("of all") else Ranks(rank=rank, count=2).share(whole[key])
            assert_close(value, expected, rtol=1e-10, atol=1e-10, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.slow
def test_the_penalty_is_felt_through_the_statistics(found):
    # Otherwise the comparison above would compare zeros.
    for operator in OPERATORS:
        assert found[0, 1][operator]["penalty's gradient"].abs().max() > 1e-3, operator
