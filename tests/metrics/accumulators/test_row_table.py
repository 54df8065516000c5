import pytest
import torch

from ganvas.metrics.accumulators import row_table
from ganvas.metrics.accumulators.row_table import RowTable


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_rows_come_back_as_they_were_given(on_disk, batch, monkeypatch):
    monkeypatch.setattr(row_table, "SLAB_BYTES", 160)  # Ten rows.
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    table = RowTable()
    for part in x.split(batch):
        table.append(part, on_disk=on_disk)
    assert table.count == 64
    assert torch.equal(table.all(), x)
    assert [len(slab) for slab in table.slabs()] == [10, 10, 10, 10, 10, 10, 4]
    places = torch.tensor([63, 0, 9, 10, 10])
    assert torch.equal(table.take(places), x[places])
    places = torch.tensor([0, 9, 10, 10, 41, 63])  # Slab after slab, one of them left out.
    assert torch.equal(table.take(places), x[places])
    assert table.take(places[:0]).shape == (0, 4)


@pytest.mark.parametrize("other", [None, 1, 63])
def test_rows_that_are_one_are_known(other, monkeypatch):
    monkeypatch.setattr(row_table, "SLAB_BYTES", 160)
    x = torch.ones(64, 4)
    if other is not None:
        x[other, 2] = 2
    table = RowTable()
    table.append(x)
    assert table.all_equal() == (other is None)


def test_rows_of_no_numbers_are_counted():
    table = RowTable()
    table.append(torch.empty(3, 0))
    assert table.all().shape == (3, 0)
