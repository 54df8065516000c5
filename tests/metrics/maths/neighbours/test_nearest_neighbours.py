import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.maths.neighbours import nearest_neighbours
from ganvas.metrics.precision_recall import Accumulator


def squares(x, y):
    """The definition, in float64: every pair on its own."""
    return (x.double()[:, None] - y.double()[None]).square().sum(2)


def kth(x, k):
    return squares(x, x).fill_diagonal_(torch.inf).kthvalue(k, 1).values


def grid(n, *, seed, sides=3, d=5):
    return torch.randint(0, sides, (n, d), generator=torch.Generator().manual_seed(seed)).float()


def normal(n, d=20, *, seed, dtype=torch.float32):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


CLOUDS = {
    "normal": (normal(150, seed=1), normal(130, seed=2)),
    "wide": (normal(150, 300, seed=1), normal(70, 300, seed=2)),
    "far from zero": (normal(150, seed=1) + 1000, normal(130, seed=2) + 1000),
    "float64": (normal(150, seed=1, dtype=torch.float64), normal(130, seed=2, dtype=torch.float64)),
    "on a grid": (grid(150, seed=1), grid(200, seed=2)),
    "one hot": (torch.eye(150), torch.eye(150).repeat(2, 1)[:200]),
    "all equal": (torch.full((150, 5), 0.1), torch.full((90, 5), 0.1)),
    "each twice": (normal(75, seed=1).repeat(2, 1), normal(75, seed=1)),
    "large": (normal(150, seed=1) * 1e30, normal(130, seed=2) * 1e30),
    "small": (normal(150, seed=1) * 1e-30, normal(130, seed=2) * 1e-30),
    "tight clusters": (
        normal(150, seed=1) * 1e-4 + 10 * grid(150, seed=2, d=20),
        normal(130, seed=3) * 1e-4 + 10 * grid(130, seed=4, d=20),
    ),
}


@pytest.fixture(params=CLOUDS)
def clouds(request):
    return CLOUDS[request.param]


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Many tiles of few rows, the last ones ragged."""
    monkeypatch.setattr(nearest_neighbours, "ROWS", 64)
    monkeypatch.setattr(nearest_neighbours, "COLUMNS", 32)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_a_ball_reaches_exactly_to_the_kth_nearest_other_row(clouds, k):
    x = clouds[0]
    (points,) = nearest_neighbours.together(x)
    around = nearest_neighbours.balls(points, k=k, wide=12)
    expected = kth(x, k) / points.scale**2
    assert torch.allclose(around.radius, expected, rtol=1e-12, atol=0)
    assert (around.squared.diff(dim=1) >= 0).all()
    rows = torch.arange(len(x)).repeat_interleave(12)
    found = nearest_neighbours.distances(points, points, rows, around.places.flatten()).view(-1, 12)
    assert torch.equal(found.kthvalue(k, 1).values, around.radius)  # The places are those of the distances.
    assert (around.places != torch.arange(len(x))[:, None]).all()


def test_the_pairs_within_balls_are_those_of_the_definition(clouds):
    x, y = clouds
    first, second = nearest_neighbours.together(x, y)
    of_x, of_y = (nearest_neighbours.balls(points, k=3) for points in (first, second))
    inside_x, inside_y = torch.zeros(len(x), len(y)), torch.zeros(len(x), len(y))
    for pairs in nearest_neighbours.within(first, second, of_x, of_y):
        for table, radii in ((inside_x, of_x.radius[pairs.rows]), (inside_y, of_y.radius[pairs.columns])):
            table[pairs.rows, pairs.columns] += (pairs.squared <= radii).float()
    apart = squares(x, y)
    assert torch.equal(inside_x.bool(), apart <= kth(x, 3)[:, None])
    assert torch.equal(inside_y.bool(), apart <= kth(y, 3)[None])
    assert inside_x.max() <= 1  # No pair comes twice.


def test_the_nearest_row_of_another_set(clouds):
    x, y = clouds
    first, second = nearest_neighbours.together(x, y)
    squared, places = nearest_neighbours.nearest(first, second, wide=4)
    apart = squares(x, y)
    assert torch.allclose(squared[:, 0] * first.scale**2, apart.amin(1), rtol=1e-12, atol=0)
    # The place is of a row that is that near; of several, any.
    assert torch.allclose(apart.gather(1, places[:, :1])[:, 0], apart.amin(1), rtol=1e-12, atol=0)


def test_copies_are_at_distance_zero_however_far_from_the_origin():
    x = normal(100, 2048, seed=1) + 3000
    first, second = nearest_neighbours.together(x, x)
    squared, places = nearest_neighbours.nearest(first, second)
    assert (squared == 0).all()
    assert torch.equal(places[:, 0], torch.arange(100))


@pytest.mark.slow
@pytest.mark.parametrize("d", [512, 2048, 4096])
def test_sums_that_round_one_way_find_every_copy(d):
    """Rows of one value each: a sum of d equal numbers rounds to one side at every step, which adds up as d, not its
    root."""
    values = torch.linspace(1.0, 1.3, 97)
    x = torch.cat([values, -values])[:, None].repeat(2, d)  # All come twice, and their mean is 0.
    first, second = nearest_neighbours.together(x, x[: len(x) // 2])
    around = nearest_neighbours.balls(first, k=1)
    assert (around.radius == 0).all()
    held = [
        pairs.columns[pairs.squared <= around.radius[pairs.rows]]
        for pairs in nearest_neighbours.within(first, second, around)
    ]
    assert torch.equal(torch.cat(held).bincount(minlength=second.n), torch.full((second.n,), 2))


def test_close_calls_are_decided_in_double_precision():
    # The third neighbour of row 0 is at 1, and y at 1 plus or minus less than float32 can tell.
    x = torch.tensor([[0.0], [0.1], [0.2], [1.0], [9.0]], dtype=torch.float64).expand(-1, 3).contiguous()
    for sign, inside in ((-1, True), (1, False)):
        y = torch.full((1, 3), -(1.0 + sign * 1e-12), dtype=torch.float64)
        first, second = nearest_neighbours.together(x, y)
        around = nearest_neighbours.balls(first, k=3)
        found = list(nearest_neighbours.within(first, second, around))
        held = any(bool(((p.rows == 0) & (p.squared <= around.radius[p.rows])).any()) for p in found)
        assert held is inside


def test_more_near_ties_than_are_kept_are_searched_again():
    # Forty rows around one, at distances that only float64 tells apart; float32 keeps some seven of them.
    angle = torch.arange(40, dtype=torch.float64) * 2.4
    far = 1 + 1e-9 * torch.randperm(40, generator=torch.Generator().manual_seed(0)).double()
    x = torch.cat([torch.zeros(1, 2).double(), far[:, None] * torch.stack([angle.sin(), angle.cos()], 1)])
    (points,) = nearest_neighbours.together(x)
    around = nearest_neighbours.balls(points, k=3)
    assert float(around.radius[0]) * points.scale**2 == pytest.approx((1 + 2e-9) ** 2, rel=1e-12)


def test_rows_of_an_accumulator_are_read_by_their_places():
    x = normal(100, seed=1)
    shuffled = Accumulator()
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    for part in order.split(7):
        shuffled.update(x[part], index=part)
    (expected,), (found,) = nearest_neighbours.together(x), nearest_neighbours.together(shuffled)
    assert torch.equal(
        nearest_neighbours.balls(found, k=3, wide=9).places, nearest_neighbours.balls(expected, k=3, wide=9).places
    )


def test_values_that_are_not_finite_are_refused():
    x = normal(10, seed=1)
    for bad in (torch.nan, torch.inf, -torch.inf):
        x[3, 4] = bad
        with pytest.raises(UserError, match="not finite"):
            nearest_neighbours.together(x)


def test_the_largest_doubles_do_not_overflow():
    x = torch.tensor([[1e308], [-1e308], [0.0], [1e307]], dtype=torch.float64)
    (points,) = nearest_neighbours.together(x)
    assert nearest_neighbours.balls(points, k=1).places[:, 0].tolist() == [3, 2, 3, 2]


@pytest.mark.slow
def test_many_rows_take_bounded_memory():
    # In a process of its own, so that its peak is not another test's.
    import subprocess
    import sys

    code = """
import resource, torch
from ganvas.metrics.maths.neighbours import nearest_neighbours
x = torch.randn(16_000, 16, generator=torch.Generator().manual_seed(0))
first, second = nearest_neighbours.together(x, x)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
around = nearest_neighbours.balls(first, k=5, wide=24)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 250  # MB; one table of all pairs would be 1,024.
