import numpy as np
import pytest
import torch

from ganvas.features import colours
from ganvas.metrics import segmentation_distance as module
from ganvas.metrics.measuring.flow import measure
from ganvas.metrics.segmentation_distance import Accumulator, classes

RED, GREEN, BLUE, WHITE = ((255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255))


def filled(rows):
    side = Accumulator(rows_of="x")
    side.update(rows)
    return side


def painted(shares, *, colour=RED, ground=WHITE, side=20):
    """Pictures of which a share of the rows has a colour."""
    pictures = torch.tensor(ground, dtype=torch.uint8)[:, None, None].repeat(len(shares), 1, 1, 1)
    pictures = pictures.expand(-1, -1, side, side).clone()
    for picture, share in zip(pictures, shares, strict=True):
        picture[:, : round(share * side)] = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    return pictures


def measured(real, fake, n):
    labeller = {"segmentation_distance": colours.build(None, device=torch.device("cpu"), precision="float32")}
    found = measure([real], [fake], metrics=["segmentation_distance"], n=n, networks=labeller, floor=False)
    return {one.metric: one for one in found.results}


def test_areas_in_per_cent_have_the_distance_that_two_classes_have():
    """Red and white areas are p and 100 - p: |mean - mean|^2 + (deviation - deviation)^2 of p, both twice."""
    few, many = [0.1, 0.2, 0.3, 0.4], [0.3, 0.5, 0.7, 0.9]
    found = measured(painted(many), painted(few), 4)
    p, q = 100 * np.array(few), 100 * np.array(many)
    expected = 2 * ((p.mean() - q.mean()) ** 2 + (p.std(ddof=1) - q.std(ddof=1)) ** 2)
    # Rows are float32.
    assert found["segmentation_distance"].value == pytest.approx(expected, rel=1e-6)
    assert found["segmentation_distance.missing"].value == pytest.approx(q.mean() - p.mean(), rel=1e-6)
    assert "colours" in found["segmentation_distance"].protocol


def test_a_colour_that_is_not_drawn_is_what_is_missing():
    shares = [0.2, 0.4, 0.6, 0.8]
    found = measured(painted(shares), painted(shares, colour=GREEN), 4)
    assert found["segmentation_distance.missing"].value == pytest.approx(50, rel=1e-6)
    eye = torch.eye(3).double() * 100
    by_class = classes(filled(eye[[0, 0, 1, 2]]), filled(eye[[0, 1, 1, 1]]))
    assert [one.label for one in by_class] == [0, 2, 1]
    assert [one.missing for one in by_class] == pytest.approx([25, 25, -50])
    assert (by_class[0].real, by_class[0].fake) == pytest.approx((50, 25))


def test_the_same_pictures_in_another_order_are_at_no_distance():
    shares = [0.2, 0.4, 0.6, 0.8]
    found = measured(painted(shares), painted(shares[::-1]), 4)
    # 1e-9 of the variances, some thousands.
    assert [one.value for one in found.values()] == pytest.approx([0, 0], abs=1e-5)


@pytest.mark.slow
@pytest.mark.simulate
@pytest.mark.parametrize("fraction", [1 / 2, 1 / 11])
def test_the_error_of_missing_and_of_a_class_covers_them(fraction, experiments):
    """Nominal 95 %: 90-99 % of 200 experiments, where the mean area is known."""
    random = np.random.default_rng(0)
    inside = {"missing": 0, "class": 0}
    made = experiments.count(200)
    for _ in range(made):
        real, fake = (
            torch.from_numpy(100 * random.dirichlet([5 * a, 5 * (1 - a)], 60)) for a in (fraction, fraction / 2)
        )
        _, missing = module.compare(filled(real), filled(fake))
        inside["missing"] += abs(missing.value - 50 * fraction) <= 1.96 * missing.standard_error
        first = next(one for one in classes(filled(real), filled(fake)) if one.label == 0)
        inside["class"] += abs(first.missing - 50 * fraction) <= 1.96 * first.standard_error
    experiments.require([count / made for count in inside.values()])


def test_a_reference_of_moments_gives_the_same_value_and_error_of_missing():
    random = np.random.default_rng(0)
    real, fake = (filled(torch.from_numpy(100 * random.dirichlet([1, 2, 3], 40))) for _ in range(2))
    mean, cov = real.moments()
    for n in (40, None):
        given = Accumulator.of_moments(mean, cov, n=n, rows_of="x")
        found, expected = module.compare(given, fake), module.compare(real, fake)
        assert [one.value for one in found] == pytest.approx([one.value for one in expected], rel=1e-9)
        if n:
            assert found[1].standard_error == pytest.approx(expected[1].standard_error, rel=1e-9)
        else:
            assert found[1].standard_error < expected[1].standard_error
            assert "does not say how many" in found[1].error_method
