import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.layer_norm import LayerNorm2d


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def norm(**options):
    module = LayerNorm2d(3, **options).double()
    with torch.no_grad():
        module.gain.fill_(1.5)
        module.bias.copy_(torch.tensor([0.0, 1.0, -2.0]))
    return module


def test_it_is_torchs_layer_norm_with_one_gain_and_a_bias_per_channel():
    x, module = 3 * randn(4, 3, 2, 5) + 7, norm(eps=0.1)
    expected = 1.5 * F.layer_norm(x, x.shape[1:], eps=0.1) + module.bias.view(3, 1, 1)
    assert_close(module(x), expected, rtol=1e-12, atol=1e-12)


def test_pictures_do_not_mix():
    x, module = randn(4, 3, 4, 4), norm()
    assert_close(module(x)[1:2], module(x[1:2]), rtol=1e-14, atol=1e-14)


def test_epsilon_stands_within_the_root():
    # Values +-0.01 have variance 1e-4 = eps, so they become +-1 / sqrt(2).
    x = torch.tensor([0.01, -0.01], dtype=torch.float64).view(1, 1, 1, 2)
    assert_close(LayerNorm2d(1).double()(x), x.sign() / 2**0.5)


def test_a_start_has_gain_one_and_no_bias():
    module = norm()
    initialise(module, torch.Generator())
    assert module.gain.item() == 1
    assert module.bias.count_nonzero() == 0


def test_bfloat16_statistics_are_those_of_float32():
    x = randn(2, 3, 16, 16, dtype=torch.bfloat16)
    assert torch.equal(LayerNorm2d(3)(x), LayerNorm2d(3)(x.float()).bfloat16())


def test_it_can_be_differentiated_twice():
    x = randn(2, 3, 2, 1).requires_grad_()
    assert gradcheck(norm(), (x,))
    assert gradgradcheck(norm(), (x,))
