import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.train import toy_game as toys


@pytest.fixture
def played(monkeypatch):
    """A game that keeps every third state, and few of them."""
    monkeypatch.setattr(toys, "APART", 3)
    monkeypatch.setattr(toys, "MOST_KEPT", 2)
    monkeypatch.setattr(toys, "LATTICE", 48)
    game = toys.toy_game("gan/wgan_gp", "ring8_wide", seed=1)
    game.go(14)
    return game


def test_going_back_is_exact_and_looking_moves_nobody(played):
    assert len(played.kept) <= 2
    assert 0 in played.kept
    played.go(7)
    back = played.moment()
    other = toys.toy_game("gan/wgan_gp", "ring8_wide", seed=1)
    for step in (2, 7):
        other.go(step)
        once = other.moment()
    assert (back.seen.samples == once.seen.samples).all()
    assert (back.seen.levels == once.seen.levels).all()
    assert back.distances == once.distances
    assert back.moves == once.moves == {"D": 7, "G": 1}  # Five moves of the critic for one of the generator.


def test_the_lattice_has_the_moments_of_its_prior():
    z = toys.lattice()
    assert z.shape == (toys.LATTICE**2, 2)
    assert z.mean(0).abs().max() < 1e-5
    assert torch.allclose(z.T @ z / len(z), torch.eye(2), atol=0.02)  # Tails beyond the last middle are cut.


def test_a_law_is_at_no_distance_from_its_own_cells_but_its_draw(played):
    cells = played.floor.of_cells
    assert 0 < cells.jensen_shannon < 576 / (8 * len(played.law.points))  # (cells - 1) / 8n, where all cells have mass.
    mass = played.law.masses
    assert mass.sum() == pytest.approx(1, abs=1e-12)
    assert mass[-1] < 1e-4
    found, n = toys.masses_of_points(played.law.points, *played.law.edges), len(played.law.points)
    assert (np.abs(mass - found) <= 5 * np.sqrt(mass * (1 - mass) / n) + 1 / n).all()


def test_a_law_without_a_closed_form_is_refused():
    with pytest.raises(UserError, match="no law 'spiral' to play on"):
        toys.toy_game("gan/gan", "spiral", seed=0)
