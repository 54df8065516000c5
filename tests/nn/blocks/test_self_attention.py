import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.spectral_norm import SpectralNorm


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def started(channels, *, gamma=0.5, **options):
    module = SelfAttention2d(channels, **options)
    initialise(module, torch.Generator().manual_seed(1))
    with torch.no_grad():
        module.gamma.fill_(gamma)
    return module.double()


def sagan(module, x, *, pool=False):
    """Equations 1 to 3 of Zhang et al. 2019: the softmax over the places i that are looked at, of each place j."""
    f, g, h = (torch.einsum("nchw,oc->nohw", x, module.maps[name].weight[:, :, 0, 0]) for name in "fgh")
    if pool:
        f, h = F.max_pool2d(f, 2), F.max_pool2d(h, 2)
    s = torch.einsum("nci,ncj->nij", f.flatten(2), g.flatten(2))
    beta = s.exp() / s.exp().sum(1, keepdim=True)
    o = torch.einsum("nij,nci->ncj", beta, h.flatten(2))
    v = torch.einsum("ncj,oc->noj", o, module.maps["v"].weight[:, :, 0, 0])
    return x + module.gamma * v.view_as(x)


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("size", [(4, 6), (5, 7)])
def test_it_is_the_papers_softmax_written_out_and_not_divided_by_a_root(size, pool, twice):
    module, x = started(16, reduction=4, pool=pool, twice=twice), randn(2, 16, *size)
    expected = sagan(module, x, pool=pool)
    assert_close(module(x), expected, rtol=1e-12, atol=1e-12)
    assert (expected - x).abs().max() > 0.1


def test_at_the_start_it_is_the_identity():
    module = SelfAttention2d(16)
    initialise(module, torch.Generator().manual_seed(0))
    x = randn(2, 16, 3, 5).float()
    assert torch.equal(module(x), x)


def test_it_may_start_with_another_weight():
    module = SelfAttention2d(16, start=0.25)
    initialise(module, torch.Generator().manual_seed(0))
    assert module.gamma == 0.25


def test_where_all_places_are_alike_every_place_sees_their_mean():
    module, x = started(8), randn(1, 8, 1, 1).expand(1, 8, 4, 3)
    v = module.maps["v"](module.maps["h"](x))
    assert_close(module(x), x + 0.5 * v, rtol=1e-12, atol=1e-12)


def test_places_may_change_places():
    # Without a position in it, attention commutes with any permutation of the pixels.
    module, x = started(8), randn(1, 8, 3, 4)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    shuffled = x.flatten(2)[..., order].view(1, 8, 4, 3)
    assert_close(module(shuffled).flatten(2), module(x).flatten(2)[..., order], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pool", [False, True])
def test_it_can_be_differentiated_twice(pool):
    module, x = started(4, reduction=2, pool=pool, twice=True), randn(1, 4, 2, 3).requires_grad_()
    assert gradcheck(module, (x,))
    assert gradgradcheck(module, (x,))


def test_torchs_fast_form_refuses_a_second_derivative_rather_than_being_wrong():
    module, x = started(8, reduction=4), randn(1, 8, 4, 4).requires_grad_()
    (first,) = torch.autograd.grad(module(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"derivative for .* is not implemented"):
        first.square().sum().backward()


def test_channels_last_stays_so():
    x = randn(2, 8, 3, 5).to(memory_format=torch.channels_last)
    assert started(8)(x).is_contiguous(memory_format=torch.channels_last)


def test_its_parameters_are_those_of_four_maps_and_gamma():
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    assert count(SelfAttention2d(64)) == 4 * 64 * 8 + 1  # C/8 each way, without biases.
    assert count(SelfAttention2d(64, pool=True)) == 2 * 64 * 8 + 2 * 64 * 32 + 1  # Values of C/2.


def test_its_maps_can_be_spectrally_normalised():
    module = started(16, wrap=SpectralNorm)
    norms = [torch.linalg.matrix_norm(part.weight().flatten(1), 2).item() for part in module.maps.values()]
    assert all(math.isclose(norm, 1, rel_tol=0.05) for norm in norms)  # 15 steps of the power method.


def test_too_few_channels_are_refused():
    with pytest.raises(UserError, match="none of 4 channels"):
        SelfAttention2d(4)
