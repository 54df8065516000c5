import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import prd
from ganvas.metrics.maths.neighbours import kmeans
from ganvas.metrics.prd import Accumulator, Config, compare, curve, f_beta, slopes


def filled(rows, **how):
    accumulator = Accumulator(**how)
    accumulator.update(rows)
    return accumulator


def normal(n, d=5, *, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def measured(real, fake, **how):
    config = Config(**{"clusters": 4, "runs": 3} | how)
    return {r.metric: r for r in compare(filled(real, config=config), filled(fake, config=config))}


def kinds(shares, n, *, random):
    """Rows at far corners, so that clusters are kinds."""
    return 10 * torch.eye(len(shares))[torch.multinomial(torch.tensor(shares), n, replacement=True, generator=random)]


def row(*values):
    return torch.tensor([values], dtype=torch.float64)


def test_the_curve_of_two_bins():
    # p = (1, 0), q = (1/2, 1/2): precision min(l, 1/2), recall that over l, so that precision and recall are at best
    # (1/2, 1) and the curve is precision 1/2 up to recall 1, or recall 1 up to precision 1/2.
    precision, recall = curve(row(1, 0), row(0.5, 0.5))
    assert torch.allclose(precision, slopes().clamp_max(0.5))
    assert torch.allclose(recall, (0.5 / slopes()).clamp_max(1))
    # F_b is largest at that corner: (1 + b^2) / 2 / (b^2 / 2 + 1).
    for beta in (1, 8, 1 / 8):
        expected = (1 + beta**2) * 0.5 / (beta**2 * 0.5 + 1)
        assert f_beta(row(1, 0), row(0.5, 0.5), beta)[0] == pytest.approx(expected, rel=5e-3)  # The grid of angles.


def test_one_law_scores_one_and_laws_apart_nothing():
    p = row(0.2, 0.3, 0.5)
    assert f_beta(p, p, 8)[0] == pytest.approx(1, abs=1e-9)
    assert f_beta(row(1, 0), row(0, 1), 8)[0] == 0


def test_swapping_the_laws_swaps_precision_and_recall():
    p, q = row(0.7, 0.2, 0.1), row(0.1, 0.2, 0.7)
    p2 = row(0.5, 0.5, 0)
    assert f_beta(p, p2, 8)[0] == pytest.approx(f_beta(p2, p, 1 / 8)[0], rel=1e-9)
    assert f_beta(p, q, 1)[0] == pytest.approx(f_beta(q, p, 1)[0], rel=1e-9)


def test_a_set_against_itself_scores_one():
    found = measured(normal(60, seed=1), normal(60, seed=1))
    assert [result.value for result in found.values()] == pytest.approx([1, 1, 1], abs=1e-9)


def test_sets_far_apart_score_nothing():
    found = measured(normal(60, seed=1), normal(60, seed=2) + 100)
    assert [result.value for result in found.values()] == [0, 0, 0]


def test_a_model_that_drops_half_of_the_kinds_lacks_recall_and_noise_lacks_precision():
    random = torch.Generator().manual_seed(0)
    every, half = kinds([0.25] * 4, 400, random=random), kinds([0.5, 0.5, 0, 0], 400, random=random)
    dropped = measured(every, half)
    assert dropped["prd.f8"].value < 0.6 < 0.9 < dropped["prd.f1_8"].value
    invented = measured(half, every)
    assert invented["prd.f1_8"].value < 0.6 < 0.9 < invented["prd.f8"].value


def test_unequal_sets_are_refused_because_the_larger_one_pulls_the_clusters():
    with pytest.raises(UserError, match="equally many"):
        measured(normal(60, seed=1), normal(50, seed=2))


def test_clusters_apart_are_found_whatever_the_seed():
    random = torch.Generator().manual_seed(0)
    rows = kinds([0.25] * 4, 200, random=random) + 0.1 * torch.randn(200, 4, generator=random)
    truth = rows.argmax(1)
    for seed in range(3):
        (labels,) = kmeans.cluster([filled(rows, config=Config(clusters=4))], clusters=4, runs=5, seed=seed)
        # Two rows are in one cluster exactly if they are of one kind; seeds by distance miss a kind once in a while.
        same = labels[:, None] == labels[None]
        right = (same == (truth[:, None] == truth[None])[..., None]).all(0).all(0)
        assert right.sum() >= 4


def test_no_row_is_nearer_to_another_clusters_mean():
    rows = normal(150, seed=1)
    (labels,) = kmeans.cluster([filled(rows)], clusters=6, runs=4, seed=0)
    for run in labels.T:
        means = torch.stack([rows[run == label].mean(0) for label in range(6)])
        assert torch.equal(torch.cdist(rows.double(), means.double()).argmin(1), run)


def test_more_clusters_than_rows_and_rows_all_equal_give_numbers():
    found = measured(torch.ones(5, 3), torch.ones(5, 3), clusters=20)
    assert found["prd"].value == pytest.approx(1, abs=1e-9)
    assert measured(normal(3, seed=1), normal(3, seed=2), clusters=20)["prd"].standard_error is not None


@pytest.mark.slow
def test_the_error_is_the_deviation_over_new_draws():
    # Kinds with known shares, no two alike, so that F has a derivative: the truth is F of the shares.
    p, q = [0.5, 0.2, 0.2, 0.1], [0.15, 0.3, 0.15, 0.4]
    truth = {name: f_beta(row(*p), row(*q), beta)[0] for name, beta in (("prd", 1), ("prd.f8", 8), ("prd.f1_8", 1 / 8))}
    random, held = torch.Generator().manual_seed(0), dict.fromkeys(truth, 0)
    for _ in range(200):
        real, fake = (
            torch.multinomial(torch.tensor(shares), 400, replacement=True, generator=random)[:, None]
            for shares in (p, q)
        )
        for name, beta in (("prd", 1.0), ("prd.f8", 8.0), ("prd.f1_8", 1 / 8)):
            value, error = prd._largest(real, fake, 4, beta)
            held[name] += abs(value - truth[name]) <= 1.96 * error
    assert all(0.90 <= count / 200 <= 0.99 for count in held.values()), held


def test_off_the_grid_f_is_largest_at_the_saddle_point():
    random = torch.Generator().manual_seed(0)
    for beta in (1.0, 8.0, 1 / 8):
        p, q = (torch.rand(3, 6, generator=random, dtype=torch.float64) for _ in range(2))
        p, q = (shares / shares.sum(1, keepdim=True) for shares in (p, q))
        slope, weights = prd._saddle(p, q, beta)
        each = torch.logspace(-4, 4, 20001, dtype=torch.float64)
        f = (1 + beta**2) / (1 + beta**2 * each) * torch.minimum(each[:, None, None] * p, q).sum(2).mean(1)
        assert slope == pytest.approx(float(each[f.argmax()]), rel=1e-3)
        assert float((weights * p).sum()) == pytest.approx(beta**2 * float(((1 - weights) * q).sum()))


def test_runs_that_differ_widen_the_error():
    real, fake = normal(100, seed=1), normal(100, seed=2) + 0.5
    one, many = (measured(real, fake, clusters=8, runs=runs)["prd"] for runs in (1, 10))
    assert one.standard_error > 0
    assert many.standard_error > 0
