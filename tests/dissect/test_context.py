"""What can be put where, on a generator in which everything can be put everywhere; and sets found by optimisation."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.dissect.effects.ace import optimised, penalised
from ganvas.dissect.effects.context import Insertions, cell_shares, clustered, inserted_everywhere


@pytest.fixture
def place(planted):
    return planted.subject.numbering.chosen()[0]


def test_red_units_put_red_on_every_ground_and_random_units_do_not(planted, place):
    found = inserted_everywhere(planted.subject, planted.labeller, place, [0, 1], "red", pictures=4, seed=0)
    on_other = found.on("red", "other")
    assert on_other.causal == pytest.approx(100.0)
    assert on_other.cells == int((found.ground == 0).sum())
    assert abs(on_other.random) < 1
    assert on_other.points == pytest.approx(on_other.causal - on_other.random)


def test_the_error_of_a_mean_over_cells_has_pictures_as_clusters():
    # Cells of a picture that are all alike carry what one cell does.
    change = torch.tensor([[1.0] * 4, [3.0] * 4, [2.0] * 4]).double()
    mean, error = clustered(change, torch.ones(3, 4))
    assert mean == 2.0
    assert error == pytest.approx(1.0 / math.sqrt(3))
    assert math.isnan(clustered(change, torch.zeros(3, 4))[0])


def test_a_contrast_of_two_grounds_is_the_difference_of_their_means():
    ground = torch.tensor([[0, 0, 1, 1]] * 3)
    causal = torch.tensor([[4.0, 4.0, 1.0, 1.0], [5.0, 5.0, 1.0, 1.0], [6.0, 6.0, 1.0, 1.0]]).double() / 100
    found = Insertions(labels=("a", "b"), ground=ground, causal=causal, random_sets=torch.zeros(2, 3, 4))
    points, error = found.contrast("a", "b")
    assert points == pytest.approx(4.0)
    assert error == pytest.approx(1.0 / math.sqrt(3))


def test_twins_of_a_contrast_are_other_pictures_grounds_and_a_random_set():
    # Sand lies below in one picture and above in the other; the thing appears on sand alone.
    ground = torch.tensor([[0, 0, 1, 1], [1, 1, 0, 0]])
    causal = (ground == 1).double()
    sets = torch.stack([torch.full((2, 4), 0.25), torch.full((2, 4), 0.05)]).double()
    found = Insertions(labels=("sky", "sand"), ground=ground, causal=causal, random_sets=sets)
    assert found.contrast("sand", "sky")[0] == pytest.approx(100)
    assert found.elsewhere().contrast("sand", "sky")[0] == pytest.approx(-100)
    assert found.by_chance().on("", "sand").points == pytest.approx(20)


def test_shares_of_cells_of_a_mask():
    masks = torch.zeros(1, 4, 4, dtype=torch.long)
    masks[0, :2, 2:] = 1
    masks[0, 3, 3] = 1
    assert cell_shares(masks, 1, (2, 2)).tolist() == [[0.0, 1.0, 0.0, 0.25]]


@dataclass(frozen=True)
class SoftRed:
    """Red as far as the picture is red."""

    identity: str = "soft red"
    labels: tuple[str, ...] = ("other", "red")

    def segment(self, images):
        return (images[:, 0] > 0).long()

    def score(self, images):
        red = (images[:, :1] + 1) / 2
        return torch.cat([1 - red, red], 1)


@pytest.mark.parametrize("form", ["code", "paper"])
def test_the_optimisation_finds_the_two_planted_units_and_no_other(planted, place, form):
    start = torch.full((16,), 0.2)  # Nearer to 0 than the usual 0.5: a third of the updates.
    found = optimised(planted.subject, SoftRed(), place, "red", form=form, pictures=64, updates=50, start=start)
    assert sorted(found.strongest(2)) == [0, 1]
    assert found.alpha[:2].min() > 3 * found.alpha[2:].max()
    assert found.alpha.min() >= 0
    assert found.alpha.max() <= 1


def test_the_two_forms_differ_as_they_are_written():
    delta, alpha = torch.tensor(0.3), torch.tensor([0.6, 0.8])
    assert_close(penalised(delta, alpha, "code", cells=64), torch.tensor(-0.3 + 0.005 * 1.0))
    assert_close(penalised(delta, alpha, "paper", cells=64), torch.tensor(-0.3 + 100 / 65536 * 64 * 1.0))


def test_a_labeller_without_a_gradient_is_refused(planted, place):
    with pytest.raises(UserError, match="no gradient"):
        optimised(planted.subject, planted.labeller, place, "red")


def test_a_label_that_is_nowhere_is_refused(planted, place):
    class Never(SoftRed):
        def segment(self, images):
            return torch.zeros(len(images), *images.shape[2:], dtype=torch.long)

    with pytest.raises(UserError, match="'red' fills a cell"):
        optimised(planted.subject, Never(), place, "red", pictures=8)
