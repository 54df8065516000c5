import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.fid import Accumulator

ROWS = torch.arange(12.0).view(4, 3)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (torch.arange(3), "4 rows were given with an index of shape (3,)"),
        (torch.arange(5), "4 rows were given with an index of shape (5,)"),
        (torch.arange(4)[:, None], "an index of shape (4, 1)"),
        (torch.tensor([0, 1, 2, 2]), "a place twice"),
        (torch.tensor([0, 1, 2, -1]), "holds -1"),
    ],
)
def test_every_row_has_one_place_of_its_own(index, said):
    side = Accumulator()
    with pytest.raises(UserError) as refused:
        side.update(ROWS, index=index)
    assert said in str(refused.value)
    assert side.n == 0


def test_a_place_that_is_taken_is_refused_and_gaps_are_filled():
    side = Accumulator()
    side.update(ROWS, index=torch.tensor([0, 2, 4, 6]))
    with pytest.raises(UserError, match="one that is taken"):
        side.update(ROWS, index=torch.tensor([1, 3, 4, 5]))
    side.update(ROWS[:3], index=torch.tensor([5, 1, 3]))
    side.update(ROWS[:1])  # Behind the last one of all.
    assert sorted(side.tables["index"].all().tolist()) == list(range(8))


@pytest.mark.parametrize("rows", [torch.zeros(4), torch.zeros(4, 3, 2)])
def test_what_is_no_table_of_rows_is_refused(rows):
    with pytest.raises(UserError, match=r"Features are a tensor \(n, d\)"):
        Accumulator().update(rows)
