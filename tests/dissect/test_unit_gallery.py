import pytest
import torch
from torch import nn

from ganvas.dissect.effects.realism import realism
from ganvas.dissect.subject import of_network
from ganvas.dissect.unit_gallery import largest_first, rarest_first, unit_gallery

STAIN, DEAD = 3, 5


class Stained(nn.Module):
    """Eight units of which one is a stain in one picture of ten and one has no outgoing weight."""

    def __init__(self):
        super().__init__()
        self.out = nn.Conv2d(8, 3, 1, bias=False)
        weights = torch.full((3, 8, 1, 1), 0.02)
        weights[:, STAIN], weights[:, DEAD] = 1.0, 0.0
        self.out.weight = nn.Parameter(weights)

    def forward(self, z):
        units = z.clone()
        units[:, STAIN] = torch.where(z[:, STAIN].amax((1, 2), keepdim=True) > 3.0, z[:, STAIN], -1.0)
        return self.out(torch.relu(units))


@pytest.fixture(scope="module")
def subject():
    return of_network(Stained().eval(), "net", "planted", (1, 8, 6, 6))


@pytest.fixture(scope="module")
def place(subject):
    return next(one for one in subject.numbering.chosen() if one.units == 8)


def test_the_planted_stain_is_first_in_either_order(subject, place):
    units = unit_gallery(subject, place)
    assert [one.unit for one in units] == list(range(8))
    assert rarest_first(units)[0].unit == STAIN
    assert largest_first(units)[0].unit == STAIN
    assert largest_first(units)[-1].unit == DEAD
    assert units[DEAD].change == 0
    assert units[STAIN].pictures.shape == (5, 6, 6, 3)
    assert all(0 <= one.active <= 1 for one in units)


def test_pictures_are_nearer_to_real_ones_without_the_stain_and_not_without_others(subject, place):
    with torch.no_grad():
        clean = nn.functional.conv2d(
            torch.relu(torch.randn(256, 8, 6, 6, generator=torch.Generator().manual_seed(7))),
            subject.module.out.weight.index_fill(1, torch.tensor([STAIN]), 0.0),
        )
    reals = ((clean.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    found = realism(subject, place, [STAIN], reals, lambda seen: seen.double().flatten(1)[:, ::4] / 255)
    assert found.without < found.whole / 4
    assert all(abs(one - found.whole) < found.whole / 4 for one in found.random)
    assert found == realism(subject, place, [STAIN], reals, lambda seen: seen.double().flatten(1)[:, ::4] / 255)
