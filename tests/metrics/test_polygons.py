import numpy as np
import pytest
import torch

from ganvas.data.triangles import Triangles, coverage
from ganvas.metrics.maths.triangles import triangle_fit
from ganvas.metrics.polygons import Accumulator, Config, compare, in_grey, inversion


def shapes(n, *, seed, size=28):
    return torch.from_numpy(Triangles(size, size, count=n, seed=seed).pictures(0, n)).permute(0, 3, 1, 2)


def filled(pictures, config=None):
    accumulator = Accumulator(config=config)
    accumulator.update(pictures)
    return accumulator


def measured(real, fake):
    return {r.metric.partition(".")[2]: r for r in compare(filled(real), filled(fake))}


def distance(grey, steps=25):
    return triangle_fit.distance(grey, triangle_fit.bank(*grey.shape[1:], count=2048, seed=0), steps=steps)


def test_the_light_is_that_of_the_data_set_and_its_slope_that_of_differences():
    corners = Triangles(28, 28, count=40).corners(np.arange(40))
    shown, change = triangle_fit.light(torch.from_numpy(corners), 28, 28)
    assert np.allclose(shown, coverage(corners, 28, 28), atol=1e-5)
    step = 1e-2
    for corner in range(3):
        for axis in range(2):
            moved = torch.zeros(40, 3, 2)
            moved[:, corner, axis] = step
            ends = [triangle_fit.light(torch.from_numpy(corners) + sign * moved, 28, 28)[0] for sign in (1, -1)]
            off = ((ends[0] - ends[1]) / (2 * step) - change[..., corner, axis]).abs()
            assert (off > 0.02).float().mean() < 0.002  # But for pixels that a bend passes over.


@pytest.mark.slow
def test_every_triangle_is_found_to_be_one():
    # Rounded to bytes, a picture is out by 1 / (255 sqrt 12) in each of some sixty pixels: 0.009.
    found = distance(in_grey(shapes(200, seed=5)))
    assert float(found.median()) < 0.015
    assert float((found < 0.1).double().mean()) >= 0.99


def test_a_search_that_does_not_arrive_is_begun_again():
    # Of the first six hundred triangles of seed 0 this one alone is missed by the first search, by 0.7.
    assert float(distance(in_grey(shapes(64, seed=0)[63:]))) < 0.1


def test_the_distance_of_a_known_departure_is_no_more_than_that():
    # A square of nine pixels, lit in a dark corner, is out by 3; no triangle is nearer by much.
    corners = np.array([[[12.0, 3], [25, 4], [20, 25]]], np.float32)
    picture = torch.from_numpy(coverage(corners, 28, 28))
    picture[0, 1:4, 22:25] = 1
    assert float(distance(picture)) == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_plain_pictures_are_no_triangles(grey):
    assert float(distance(torch.full((1, 28, 28), grey))) > 2  # Thrice the threshold, and more.


@pytest.mark.slow
def test_precision_counts_what_is_near_the_manifold():
    real = shapes(60, seed=1)
    noise = torch.randint(0, 256, (20, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    found = measured(real, torch.cat([shapes(40, seed=2), noise]))
    assert found["precision"].value == pytest.approx(40 / 60)
    assert 0 < found["recall"].value <= 1
    assert found[""].value == pytest.approx(2 / (1 / found["precision"].value + 1 / found["recall"].value))


@pytest.mark.slow
def test_a_model_of_noise_scores_nothing_and_the_data_itself_all():
    real = shapes(40, seed=1)
    noise = torch.randint(0, 256, (40, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert [result.value for result in measured(real, noise).values()] == [0, 0, 0]
    assert [result.value for result in measured(real, real).values()] == pytest.approx([1, 1, 1], abs=0.03)


def test_a_model_that_draws_few_triangles_is_precise_and_recalls_little():
    few = shapes(4, seed=1).repeat(15, 1, 1, 1)
    found = measured(shapes(60, seed=2), few)
    assert found["precision"].value == 1
    assert found["recall"].value < 0.6


def test_colour_is_looked_at_in_grey_and_alpha_is_not():
    grey = shapes(5, seed=1)
    alpha = torch.full_like(grey, 7)
    for pictures in (
        grey.repeat(1, 3, 1, 1),
        torch.cat([grey, alpha], 1),
        torch.cat([grey.repeat(1, 3, 1, 1), alpha], 1),
    ):
        assert torch.allclose(in_grey(pictures), in_grey(grey))


def test_inversion_of_a_linear_generator_is_the_distance_from_its_plane():
    random = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(16, 3, generator=random)).Q
    pictures = torch.randn(5, 4, 4, generator=random)
    rows = pictures.flatten(1)
    expected = (rows - rows @ basis @ basis.T).norm(dim=1)
    starts = torch.randn(2, 5, 3, generator=random)
    found = inversion(lambda z: (z @ basis.T).view(-1, 4, 4), pictures, starts, steps=400)
    assert torch.allclose(found, expected, atol=1e-3)


@pytest.mark.slow
def test_a_stricter_threshold_finds_fewer_precise():
    real = shapes(30, seed=1)
    spoilt = shapes(30, seed=2)
    spoilt[:15, 0, :2, :2] = 60  # Out by 0.47.
    strict, mild = (compare(filled(real, c), filled(spoilt, c))[1].value for c in (Config(delta=0.2), Config()))
    assert strict <= 0.6 < mild


def test_the_papers_own_triangles_are_measured_by_their_own_manifold():
    from ganvas.data.created_equal import CreatedEqualTriangles

    def drawn(seed):
        return torch.from_numpy(CreatedEqualTriangles(28, count=60, seed=seed).pictures(0, 60)).permute(0, 3, 1, 2)

    config = Config(steps=14, bank=1024)
    results = compare(filled(drawn(1), config), filled(drawn(2), config))
    found = {result.metric: result.value for result in results}
    assert found["polygons.precision"] == 1
    # Coverage of a set by another draw of itself: 1 - (1/2)^5 where each real's ball of five lies in both.
    assert found["polygons.recall"] == pytest.approx(0.97, abs=0.08)
