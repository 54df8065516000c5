import numpy as np
import pytest
import torch
from torch import nn

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.dissect.subject import of_network
from ganvas.dissect.unit_fields import unit_field


def filled(module):
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.05, 0.1, generator=torch.Generator().manual_seed(0))
    return module


@pytest.fixture(scope="module")
def drawing():
    """Twice as large, then a 3x3 and a 1x1 convolution: a cell of the first map moves (2 + 2) x (2 + 2) pixels."""
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 1))
    first = nn.Conv2d(2, 2, 1)
    return of_network(filled(nn.Sequential(first, *net)), "net", "filled", (1, 2, 6, 6))


def test_what_a_cell_moves_is_counted_by_hand(drawing):
    place = drawing.numbering.place("0")
    assert place.size == (6, 6)
    assert unit_field(drawing, place, (2, 3), 0).reach == (3, 6, 5, 8)
    corner = unit_field(drawing, place, (0, 5), 0)
    assert corner.reach == (0, 2, 9, 11)
    assert corner.strength.sum() == pytest.approx(1)
    assert unit_field(drawing, drawing.numbering.place("2"), (4, 4), 0).reach == (4, 4, 4, 4)


def test_what_moves_a_cell_is_its_receptive_field():
    net = filled(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(4, 4, 3, stride=2, padding=1))
    )
    packed = prepare("scenes:4,16x16", size=(16, 16), quiet=True)
    looking = of_network(net, "net", "filled", (1, 3, 16, 16), data=packed)
    found = unit_field(looking, looking.numbering.place("2"), (4, 4), 1)
    assert found.reach == (6, 10, 6, 10)  # 3 pixels of the second convolution around 8, and one more on either side.
    assert found.deviation[0] == pytest.approx(found.deviation[1], rel=0.2)
    assert (found.strength >= 0).all()
    assert found.strength.argmax() // 16 in range(7, 10)


def test_a_silent_cell_has_no_reach_and_a_wrong_one_is_refused(drawing):
    assert drawing.kind == "draws"
    place = drawing.numbering.place("0")
    silent = of_network(nn.Sequential(filled(nn.Conv2d(2, 3, 1)), Silence()), "net", "filled", (1, 2, 6, 6))
    found = unit_field(silent, silent.numbering.place("0"), (1, 1), 0)
    assert found.reach is None
    assert found.deviation == (0.0, 0.0)
    with pytest.raises(UserError, match="no cell \\[6, 0\\]"):
        unit_field(drawing, place, (6, 0), 0)


class Silence(nn.Module):
    def forward(self, x):
        return (x * 0.0).relu()


def test_the_strength_is_the_jacobian(drawing):
    """Against finite differences, of one direction and then of all."""
    place = drawing.numbering.place("0")
    found = unit_field(drawing, place, (2, 3), 0)
    (z,) = drawing.series("fields", 0, 1)
    rest = drawing.module[1:].double()
    try:
        maps = drawing.module[0](z).double()
        total = torch.zeros(12, 12, dtype=torch.float64)
        for signs in ((1, 1), (1, -1)):  # Up to their own sign, all directions of two units.
            moved = maps.clone()
            moved[0, :, 2, 3] += 1e-4 * torch.tensor(signs)
            total += (rest(moved) - rest(maps))[0].abs().sum(0)
    finally:
        drawing.module.float()
    assert set(np.flatnonzero(total.detach().numpy() > 1e-12)) == set(np.flatnonzero(found.strength))
