"""The ReLU collapse: medians of an independent run, the closed form of active directions, and what must hold."""

import pytest
import torch

from ganvas.anatomy.signal.relu_collapse import collapse, spiral
from ganvas.anatomy.signal.relu_collapse_picture import collapse_picture
from ganvas.core.errors import UserError
from ganvas.report.drawing.drawing import encoded

# Medians over 100 draws by an implementation of its own, with a spiral of another form. The paper prints no numbers.
EARLIER = {2: (0.739, 0.675), 3: (0.729, 0.487), 5: (0.639, 0.227), 15: (0.546, 0.0047), 30: (0.508, 0.0009)}


@pytest.fixture(scope="module")
def found():
    return {one.dimensions: one for one in collapse(draws=1000, points=spiral(150))}


@pytest.mark.parametrize("n", EARLIER)
def test_both_decoders_err_as_much_as_an_independent_run_found(found, n):
    inverse, best = EARLIER[n]
    # 0.03: over 100 draws the earlier medians are known to 0.02 (their quartiles lie 0.2 apart), ours to 0.007.
    assert found[n].pseudo_inverse.median == pytest.approx(inverse, abs=0.03)
    assert found[n].best_linear.median == pytest.approx(best, abs=0.03)


def test_the_best_linear_decoder_is_all_but_exact_from_15_dimensions(found):
    assert found[15].best_linear.median < 0.02
    assert found[30].best_linear.upper < 0.02


@pytest.mark.parametrize("n", EARLIER)
def test_the_share_with_two_active_directions_is_the_binomials(found, n):
    # Each direction is active with probability 1/2: 1 - P(none) - P(one) of n. Points of one angle share their fate,
    # so a draw counts for little more than one: 4 errors of 1000 draws.
    expected = 1 - (n + 1) / 2**n
    assert found[n].distinguishable == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 1000) ** 0.5 + 1e-4)
    assert found[n].distinguishable_theory == pytest.approx(expected, rel=1e-12)


def test_the_pseudo_inverse_halves_the_shape_in_many_dimensions():
    (one,) = collapse([256], draws=20)
    assert one.pseudo_inverse.median == pytest.approx(0.5, abs=0.02)
    back = one.example[0]
    assert float((back - one.points / 2).norm() / one.points.norm()) < 0.1  # Towards X / 2.
    assert one.best_linear.median < 1e-3


def test_the_best_linear_decoder_is_never_worse_than_another():
    for one in collapse([2, 4, 8], draws=30, seed=4):
        assert one.best_linear.median <= one.pseudo_inverse.median
        assert one.best_linear.upper <= one.pseudo_inverse.upper


def test_points_on_a_ray_come_back_whole_or_not_at_all():
    ray = torch.linspace(0.1, 1, 20, dtype=torch.float64)[:, None] * torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    (one,) = collapse([1], points=ray, draws=400)
    # In one dimension the ray is kept up to scale, or it is all 0: the best decoder errs by 0 or by 1, each for half.
    assert one.best_linear.lower == pytest.approx(0, abs=1e-9)
    assert one.best_linear.upper == pytest.approx(1, abs=1e-9)


def test_the_same_seed_draws_the_same():
    first, second = (collapse([5], draws=20, seed=3)[0] for _ in range(2))
    assert first.pseudo_inverse == second.pseudo_inverse
    assert first.pseudo_inverse != collapse([5], draws=20, seed=4)[0].pseudo_inverse


def test_the_picture_has_a_column_for_each_number_of_dimensions():
    svg = encoded(collapse_picture(collapse([2, 7], draws=5)), ".svg").decode()
    assert "n = 2" in svg
    assert "n = 7" in svg


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"dimensions": [0]}, "Dimensions 0"),
        ({"dimensions": []}, "none"),
        ({"dimensions": [9999]}, "1 to 256"),
        ({"draws": 0}, "0 draws"),
        ({"points": torch.zeros(5, 3)}, "5 x 3"),
        ({"points": torch.full((5, 2), torch.nan)}, "finite"),
        ({"points": torch.zeros(5, 2)}, "origin"),
    ],
)
def test_what_cannot_be_sent_is_refused(how, said):
    with pytest.raises(UserError, match=said):
        collapse(**how)
