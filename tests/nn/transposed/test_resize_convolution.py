import random

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.transposed.resize_convolution import resize_conv_inverse, resize_conv_kernel
from ganvas.nn.transposed.transposed import conv_transpose


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=rng(seed), dtype=torch.float64)


@pytest.mark.parametrize("s", [2, 3, 4])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_nearest_resize_and_convolution_is_the_transposed_convolution_of_the_box_times_v(s, k):
    """Reference: interpolate and conv2d themselves, padding k // 2, borders and odd sides included."""
    v, x = normal(2, 3, k, k), normal(1, 2, 5, 4, seed=1)  # v as of a transposed convolution: (in, out), turned round.
    ordinary = v.flip(2, 3).transpose(0, 1)
    expected = F.conv2d(F.interpolate(x, scale_factor=s, mode="nearest"), ordinary, padding=k // 2)
    w = resize_conv_kernel(v, s)
    assert w.shape[2:] == (k + s - 1, k + s - 1)
    assert_close(F.conv_transpose2d(x, w, stride=s, padding=k // 2), expected, rtol=0, atol=1e-12)


def test_the_method_resize_is_native_for_every_such_kernel():
    draw, done, worst = random.Random(0), 0, 0.0
    while done < 150:
        dims, g = draw.choice((1, 2, 3)), draw.choice((1, 2))
        k, s, p = ([draw.randint(least, most) for _ in range(dims)] for least, most in ((1, 4), (1, 4), (0, 5)))
        n, op = [draw.randint(1, 5) for _ in range(dims)], [draw.randint(0, stride - 1) for stride in s]
        axes = zip(n, k, s, p, op, strict=True)
        if min((n - 1) * s - 2 * p + (k + s - 1) + op for n, k, s, p, op in axes) < 1:
            continue
        w = resize_conv_kernel(normal(2 * g, 2, *k, seed=done), s)
        x, bias = normal(2, 2 * g, *n, seed=done + 1), normal(2 * g)
        settings = {"stride": s, "padding": p, "output_padding": op, "groups": g}
        native = conv_transpose(x, w, bias, **settings, method="native")
        worst = max(worst, (conv_transpose(x, w, bias, **settings, method="resize") - native).abs().max().item())
        done += 1
    assert worst < 1e-12


@pytest.mark.parametrize("s", [1, 2, 3, (2, 4)])
def test_the_inverse_finds_v(s):
    for seed in range(20):
        v = normal(2, 3, 4, 5, seed=seed)
        assert_close(resize_conv_inverse(resize_conv_kernel(v, s), s), v, rtol=0, atol=1e-13)
    single = v.float()
    assert_close(resize_conv_inverse(resize_conv_kernel(single, s), s), single, rtol=0, atol=1e-5)


def test_a_general_kernel_is_refused_and_so_is_one_that_leaves_holes():
    with pytest.raises(UserError, match=r"not the sum of shifts.*off by.*strict subset.*method='subpixel' is exact"):
        conv_transpose(normal(1, 2, 4, 4), normal(2, 3, 4, 4), stride=2, padding=1, method="resize")
    with pytest.raises(UserError, match="2 taps with stride 3 leaves holes"):
        resize_conv_inverse(normal(2, 3, 2, 2), 3)


def test_one_weight_a_thousandth_off_is_seen():
    w = resize_conv_kernel(normal(1, 1, 3, 3), 2)
    w[0, 0, 1, 2] += 1e-3 * w.abs().max()
    with pytest.raises(UserError, match="no nearest resize by 2 and convolution"):
        resize_conv_inverse(w, 2)


def test_of_a_kernel_s_16_numbers_9_are_free():
    """Rank of the map v -> W: the subset is strict, (k - s + 1)^2 of k^2 dimensions."""
    basis = torch.eye(9, dtype=torch.float64).view(9, 1, 3, 3)
    assert torch.linalg.matrix_rank(resize_conv_kernel(basis, 2).flatten(1)) == 9


def test_gradients_reach_v_as_through_torch_s_own():
    grads = []
    for method in ("native", "resize"):
        v, x = normal(2, 3, 3, 3).requires_grad_(), normal(1, 2, 4, 4, seed=1)
        y = conv_transpose(x, resize_conv_kernel(v, 2), stride=2, padding=1, method=method)
        grads.append(torch.autograd.grad(y.pow(3).sum(), v)[0])
    assert_close(*grads, rtol=1e-11, atol=1e-11)


def test_a_dilated_kernel_counts_with_its_holes():
    """w = 1 with dilation 1 apart is a box of 2; a kernel 1 . 1 (dilation 2) is 1 0 1, not divisible by 1 1."""
    ones, x = torch.ones(1, 1, 2, dtype=torch.float64), normal(1, 1, 4)
    assert conv_transpose(x, ones, stride=2, method="resize").shape == (1, 1, 8)
    with pytest.raises(UserError, match="not the sum of shifts"):
        conv_transpose(x, ones, stride=2, dilation=2, method="resize")
