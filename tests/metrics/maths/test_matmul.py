import pytest
import torch

from ganvas.metrics.maths import matmul


def normal(n, d, *, seed, dtype=torch.float32):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize(("n", "m", "d"), [(1, 1, 1), (5, 3, 2), (70, 33, 130), (64, 128, 2050)])
def test_a_product_is_right_to_the_rounding_of_its_sums(n, m, d):
    a, b = normal(n, d, seed=1), normal(m, d, seed=2)
    exact = a.double() @ b.double().T
    bound = d * 2.0**-24 * (a.double().abs() @ b.double().abs().T)  # Higham 2002, section 3.1.
    found = matmul.times(matmul.factor(a), b)
    assert found.dtype == torch.float32
    assert ((found.double() - exact).abs() <= bound).all()


def test_double_precision_stays_double():
    a, b = normal(7, 9, seed=1, dtype=torch.float64), normal(4, 9, seed=2, dtype=torch.float64)
    torch.testing.assert_close(matmul.times(matmul.factor(a), b), a @ b.T, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(("n", "m", "d"), [(0, 3, 4), (3, 0, 4), (2, 3, 0)])
def test_nothing_times_nothing_is_a_table_of_that_size(n, m, d):
    found = matmul.times(matmul.factor(torch.ones(n, d)), torch.ones(m, d))
    assert found.shape == (n, m)
    assert not found.any()


def test_the_product_is_ours_to_change():
    a, b = normal(40, 30, seed=1), normal(20, 30, seed=2)
    ready = matmul.factor(a)
    first = matmul.times(ready, b)
    kept = first.clone()
    matmul.times(ready, b).zero_()
    assert torch.equal(first, kept)


@pytest.mark.parametrize("d", [1, 3, 8, 61])
def test_a_congruence_is_the_lower_triangle_of_the_triple_product(d):
    f = normal(d, d, seed=1, dtype=torch.float64).tril()
    b = normal(d, d, seed=2, dtype=torch.float64)
    b = b + b.T
    torch.testing.assert_close(matmul.congruence(f, b).tril(), (f.T @ b @ f).tril(), rtol=1e-12, atol=1e-12)


def test_what_is_not_finite_goes_on_without_a_warning():
    for dtype in (torch.float32, torch.float64):
        a = torch.tensor([[torch.inf, 1.0], [1.0, 1.0]], dtype=dtype)
        found = matmul.times(matmul.factor(a), torch.tensor([[0.0, 1.0]], dtype=dtype))
        assert found[0].isnan()
        assert found[1] == 1
