import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.resample import double, enlarge, halve, shrink


def randn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_doubling_repeats_every_pixel():
    x = randn(2, 3, 4, 5)
    assert torch.equal(double(x), torch.from_numpy(x.numpy().repeat(2, axis=2).repeat(2, axis=3)))
    assert torch.equal(enlarge(x, 3), torch.from_numpy(np.kron(x.numpy(), np.ones((3, 3)))))


def test_halving_takes_the_mean_of_two_by_two():
    x = torch.arange(8.0).view(1, 1, 2, 4)  # rows 0 1 2 3 and 4 5 6 7
    assert torch.equal(halve(x), torch.tensor([2.5, 4.5]).view(1, 1, 1, 2))
    assert_close(shrink(randn(1, 2, 8, 4), 4)[..., 0, 0], randn(1, 2, 8, 4)[..., :4, :].mean((2, 3)))


def test_halving_undoes_doubling():
    x = randn(2, 3, 4, 5)
    assert torch.equal(halve(double(x)), x)


def test_the_transpose_of_doubling_is_four_times_halving():
    x, y = randn(1, 2, 3, 4), randn(1, 2, 6, 8)
    assert_close((double(x) * y).sum(), 4 * (x * halve(y)).sum(), rtol=1e-12, atol=1e-12)


def test_sides_that_do_not_divide_are_refused():
    with pytest.raises(UserError, match="5 x 4"):
        halve(randn(1, 1, 5, 4))
