import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.batch_norm import BatchNorm2d


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def norm(**options):
    module = BatchNorm2d(3, **options).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        module.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    return module


def test_each_channel_is_normalised_over_batch_and_pixels():
    x, module = 3 * randn(4, 3, 2, 5) + 7, norm(eps=0.1)
    mean, deviation = x.mean((0, 2, 3), keepdim=True), (x.var((0, 2, 3), correction=0, keepdim=True) + 0.1).sqrt()
    expected = (x - mean) / deviation * module.weight.view(3, 1, 1) + module.bias.view(3, 1, 1)
    assert_close(module(x), expected, rtol=1e-12, atol=1e-12)


def test_running_statistics_move_by_the_momentum_and_serve_in_evaluation():
    x, module = 3 * randn(4, 3, 2, 5) + 7, norm(momentum=0.25, eps=0.1)
    module(x)
    mean, variance = 0.25 * x.mean((0, 2, 3)), 0.75 + 0.25 * x.var((0, 2, 3))  # from 0 and 1; unbiased
    assert_close(module.running_mean, mean)
    assert_close(module.running_var, variance)
    one = randn(1, 3, 1, 1)
    expected = (one[0, :, 0, 0] - mean) / (variance + 0.1).sqrt() * module.weight + module.bias
    assert_close(module.eval()(one)[0, :, 0, 0], expected)


def test_a_start_forgets_everything():
    module = norm()
    module(randn(4, 3, 2, 2))
    initialise(module, torch.Generator())
    fresh = BatchNorm2d(3).state_dict()
    assert all(torch.equal(value.float(), fresh[name]) for name, value in module.state_dict().items())


def test_one_value_per_channel_cannot_be_normalised():
    with pytest.raises(UserError, match="Use a larger batch"):
        norm()(randn(1, 3, 1, 1))


def test_it_can_be_differentiated_twice():
    x = randn(2, 3, 2, 1).requires_grad_()
    assert gradcheck(norm(), (x,))
    assert gradgradcheck(norm(), (x,))
