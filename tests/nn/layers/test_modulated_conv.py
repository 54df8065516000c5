"""Modulated convolution against equations 1 and 3 of the paper, sample by sample, in float64."""

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import grad, gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.modulated_conv import ModulatedConv2d, demodulation, modulated_conv
from ganvas.nn.layers.smooth_resample import smooth_up_conv

EXACT = {"rtol": 1e-11, "atol": 1e-12}  # float64, products taken in another order
FORMS = ["scaled", "grouped"]


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def operands(side=3, n=3):
    return randn(n, 4, 5, 6), randn(2, 4, side, side, seed=1), randn(n, 4, seed=2)


def by_definition(x, weight, style, *, demodulate, up, gain):
    """One sample after the other, each with the kernel that the equations give it."""
    rows = []
    for picture, scale in zip(x, style, strict=True):
        kernel = weight * scale[None, :, None, None]
        if demodulate:
            norms = torch.stack([(row.square().sum() + 1e-8).sqrt() for row in kernel])
            kernel = kernel / norms[:, None, None, None]
        picture = picture[None]
        y = smooth_up_conv(picture, kernel) if up else F.conv2d(picture, kernel, padding=weight.shape[-1] // 2)
        rows.append(gain * y)
    return torch.cat(rows)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize(("side", "up"), [(3, False), (3, True), (1, False), (5, False)])
def test_both_forms_are_the_equations(form, demodulate, side, up):
    x, weight, style = operands(side)
    options = {"demodulate": demodulate, "up": up, "gain": 1.7}
    found = modulated_conv(x, weight, style, form=form, **options)
    assert_close(found, by_definition(x, weight, style, **options), **EXACT)


@pytest.mark.parametrize("up", [False, True])
def test_both_forms_have_the_same_gradients_and_gradients_of_gradients(up):
    found = []
    for form in FORMS:
        x, weight, style = (t.requires_grad_() for t in operands())
        y = F.softplus(modulated_conv(x, weight, style, up=up, form=form)).sum()
        first = grad(y, [x, weight, style], create_graph=True)
        second = grad(sum(g.square().sum() for g in first), [x, weight, style])
        found.append([*(g.detach() for g in first), *second])
    for one, other in zip(*found, strict=True):
        assert_close(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_differentiated_twice_by_picture_kernel_and_style(form):
    shapes = (2, 2, 2, 1), (1, 2, 3, 3), (2, 2)
    given = [randn(*shape, seed=at).requires_grad_() for at, shape in enumerate(shapes)]
    for up in (False, True):
        assert gradcheck(lambda x, w, s, up=up: modulated_conv(x, w, s, up=up, form=form), given)
        assert gradgradcheck(lambda x, w, s, up=up: modulated_conv(x, w, s, up=up, form=form), given)


def test_demodulated_kernels_have_unit_norm_whatever_the_style():
    weight, style = randn(5, 4, 3, 3), 100 * randn(3, 4, seed=1)
    kernels = weight * style[:, None, :, None, None] * demodulation(weight, style)[:, :, None, None, None]
    assert_close(kernels.square().sum((2, 3, 4)), torch.ones(3, 5, dtype=torch.float64), rtol=1e-9, atol=0)


def test_a_picture_of_white_noise_comes_out_with_unit_variance():
    # Inputs of unit variance, kernels of unit norm: the assumption of section 2.2 holds, and so does its consequence.
    x, weight, style = randn(64, 8, 16, 16), randn(3, 8, 3, 3, seed=1), 5 * randn(64, 8, seed=2)
    inside = modulated_conv(x, weight, style)[..., 1:-1, 1:-1]
    assert abs(inside.var().item() - 1) < 0.05  # 38,000 numbers, neighbours correlated over 9 pixels


@pytest.mark.parametrize("demodulate", [True, False])
def test_without_demodulation_a_layer_scales_its_weights_by_the_root_of_their_number(demodulate):
    layer = ModulatedConv2d(4, 2, 3, style_size=5, demodulate=demodulate)
    initialise(layer, torch.Generator().manual_seed(0))
    layer.style.weight.data.zero_()  # The style is 1 then: its bias starts there.
    layer = layer.double()
    x = randn(1, 4, 5, 5)
    plain = F.conv2d(x, layer.weight, padding=1)
    norms = layer.weight.square().sum((1, 2, 3)).sqrt() if demodulate else torch.full((2,), 36**0.5)
    assert_close(layer(x, randn(1, 5, seed=3)), plain / norms[:, None, None].double(), rtol=1e-7, atol=1e-9)


def test_a_large_style_in_half_precision_is_brought_back_as_in_float64():
    # Its squares do not fit into float16; they are summed in float32. Half a per cent is ten of its roundings.
    weight, style, x = randn(2, 4, 3, 3), torch.full((1, 4), 1000.0, dtype=torch.float64), randn(1, 4, 4, 4) / 100
    found = modulated_conv(x.half(), weight.half(), style.half())
    assert_close(found.double(), modulated_conv(x, weight, style), rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize(("side", "up", "said"), [(2, False, "2 x 2"), (5, True, "doubles")])
def test_a_kernel_without_a_middle_or_too_large_to_double_is_refused(side, up, said):
    with pytest.raises(UserError, match=said):
        modulated_conv(randn(1, 4, 4, 4), randn(2, 4, side, side), randn(1, 4), up=up)


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_form_is_refused_by_name():
    with pytest.raises(UserError, match="groupd"):
        modulated_conv(*operands(), form="groupd")
