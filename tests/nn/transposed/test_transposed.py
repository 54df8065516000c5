import itertools
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.transposed.transposed import conv_transpose, subpixel_is_faster
from ganvas.nn.transposed.transposed_geometry import geometry

EXACT = 1e-12  # Sums of at most 7 x 7 x 4 products of N(0, 1) numbers in float64: 200 roundings of 1e-16 times 30.
NATIVE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def by_hand(x, w, *, stride, padding, output_padding, dilation):
    """The definition along one axis, one channel: y[o] = sum of x[i] w[k] over i s + k d - p = o."""
    size = (len(x) - 1) * stride - 2 * padding + dilation * (len(w) - 1) + output_padding + 1
    y = [0.0] * size
    for i, k in itertools.product(range(len(x)), range(len(w))):
        o = i * stride + k * dilation - padding
        if 0 <= o < size:
            y[o] += x[i] * w[k]
    return y


@pytest.mark.parametrize("method", ["native", "zero", "subpixel", "auto"])
@pytest.mark.parametrize(("s", "p", "op", "d"), [(1, 0, 0, 1), (2, 1, 1, 1), (3, 4, 2, 1), (2, 3, 0, 2), (2, 1, 2, 3)])
def test_every_method_is_the_definition(method, s, p, op, d, float64):
    x, w = torch.randn(5, generator=rng()), torch.randn(4, generator=rng(1))
    settings = {"stride": s, "padding": p, "output_padding": op, "dilation": d}
    found = conv_transpose(x.view(1, 1, -1), w.view(1, 1, -1), **settings, method=method)
    assert_close(found.flatten(), torch.tensor(by_hand(x.tolist(), w.tolist(), **settings)), rtol=0, atol=1e-14)


def worst_of_the_grid(every):
    """k 1..7, s 1..4, p 0..3, every output padding, groups 1 and 2, sides 1..7; the widths differ from the heights."""
    ranges = (range(1, 8), range(1, 5), range(4), range(4), (1, 2), range(1, 8))
    cases, worst = 0, 0.0
    for k, s, p, op, g, side in list(itertools.product(*ranges))[::every]:
        height, width = side, side % 7 + 1
        if op >= s or min((n - 1) * s - 2 * p + t + op for n, t in ((height, k), (width, k % 7 + 1))) < 1:
            continue
        w, bias = torch.randn(2 * g, 2, k, k % 7 + 1, generator=rng(k)), torch.randn(2 * g, generator=rng(s))
        x = torch.randn(1, 2 * g, height, width, generator=rng(p))
        expected = F.conv_transpose2d(x, w, bias, s, p, op, g)
        for method in ("zero", "subpixel"):
            settings = {"stride": s, "padding": p, "output_padding": op, "groups": g, "method": method}
            worst = max(worst, (conv_transpose(x, w, bias, **settings) - expected).abs().max().item())
            cases += 1
    return cases, worst


@pytest.mark.slow
def test_a_thousand_pictures_come_out_alike_of_all_methods(float64):
    cases, worst = worst_of_the_grid(every=5)  # Coprime to every range: all values of all settings occur.
    assert cases > 1300
    assert worst < EXACT


def drawn(random, *, dims=None):
    """A case with settings per axis, dilation included; None where nothing would be left."""
    dims = dims or random.choice((1, 2, 3))
    groups = random.choice((1, 2))
    k, d, n = ([random.randint(1, most) for _ in range(dims)] for most in (5, 3, 5))
    s, p = ([random.randint(least, most) for _ in range(dims)] for least, most in ((1, 4), (0, 5)))
    op = [random.randint(0, max(a, b) - 1) for a, b in zip(s, d, strict=True)]
    sides = zip(n, s, p, d, k, op, strict=True)
    if min((n - 1) * s - 2 * p + d * (k - 1) + op + 1 for n, s, p, d, k, op in sides) < 1:
        return None
    source = rng(random.randrange(2**32))
    x, w = torch.randn(2, 2 * groups, *n, generator=source), torch.randn(2 * groups, 2, *k, generator=source)
    bias = torch.randn(2 * groups, generator=source) if random.random() < 0.7 else None
    return x, w, bias, {"stride": s, "padding": p, "output_padding": op, "groups": groups, "dilation": d}


def worst_of(random, cases):
    worst, done = 0.0, 0
    while done < cases:
        case = drawn(random)
        if case is None:
            continue
        x, w, bias, settings = case
        x.requires_grad_(random.random() < 0.5)  # Without gradients the phases are written another way.
        expected = NATIVE[x.ndim - 2](x, w, bias, **settings)
        for method in ("zero", "subpixel", "auto"):
            worst = max(worst, (conv_transpose(x, w, bias, **settings, method=method) - expected).abs().max().item())
        done += 1
    return worst


@pytest.mark.slow
def test_one_to_three_axes_with_settings_of_their_own_and_dilation_come_out_alike(float64):
    assert worst_of(random.Random(0), 150) < EXACT


@pytest.mark.slow
def test_five_hundred_more_come_out_alike(float64):
    assert worst_of(random.Random(1), 500) < EXACT


@pytest.mark.parametrize("method", ["native", "zero", "subpixel"])
@settings(max_examples=25)
@given(n=st.integers(1, 9), k=st.integers(1, 7), s=st.integers(1, 4), p=st.integers(0, 3), seed=st.integers(0, 99))
def test_a_transposed_convolution_is_the_adjoint_of_the_convolution(method, n, k, s, p, seed):
    """<conv(x), u> = <x, conv_transpose(u)> once the output padding makes up for what the stride leaves over."""
    if n + 2 * p < k:
        return
    x, w = (torch.randn(shape, generator=rng(seed), dtype=torch.float64) for shape in ((2, 3, n, n), (4, 3, k, k)))
    forward = F.conv2d(x, w, stride=s, padding=p)
    u = torch.randn(forward.shape, generator=rng(seed + 1), dtype=torch.float64)
    extra = (n + 2 * p - k) % s
    back = conv_transpose(u, w, stride=s, padding=p, output_padding=extra, method=method)
    assert back.shape == x.shape
    assert_close((forward * u).sum(), (x * back).sum(), rtol=1e-12, atol=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["zero", "subpixel"])
@pytest.mark.parametrize(
    ("k", "s", "p", "op", "d"), [(4, 2, 1, 0, 1), (3, 2, 1, 1, 1), (2, 3, 2, 2, 1), (2, 2, 0, 1, 2)]
)
def test_gradients_and_gradients_of_gradients_are_right(method, k, s, p, op, d):
    def function(x, w, bias):
        settings = {"stride": s, "padding": p, "output_padding": op, "dilation": d, "groups": 2}
        return conv_transpose(x, w, bias, **settings, method=method)

    shapes = ((1, 2, 2, 2), (2, 1, k, k), (2,))
    inputs = [torch.randn(shape, generator=rng(), dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


@pytest.mark.parametrize("method", ["native", "zero", "subpixel", "resize", "auto"])
@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("c_out", [3, 20])
def test_channels_last_stays_channels_last_and_plain_stays_plain(method, grad, c_out):
    w = torch.ones(4, c_out, 4, 4)
    for layout in (torch.channels_last, torch.contiguous_format):
        x = torch.randn(2, 4, 5, 7, generator=rng()).contiguous(memory_format=layout).requires_grad_(grad)
        y = conv_transpose(x, w, stride=2, padding=1, method=method)
        assert y.is_contiguous(memory_format=layout)
        assert_close(y, F.conv_transpose2d(x, w, stride=2, padding=1))
    volume = torch.randn(2, 2, 3, 3, 3, generator=rng()).contiguous(memory_format=torch.channels_last_3d)
    y = conv_transpose(volume.requires_grad_(grad), torch.ones(2, 3, 2, 2, 2), stride=2, method=method)
    assert y.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_padding_beyond_the_kernel_cuts_into_the_picture(float64):
    x = torch.arange(1.0, 6.0).view(1, 1, 5)
    for method in ("zero", "subpixel", "resize"):  # One tap, stride 2: 1 0 2 0 3 0 4 0 5 without its outer three.
        found = conv_transpose(x, torch.ones(1, 1, 2), stride=2, padding=3, method=method)
        assert found.flatten().tolist() == [2.0, 3.0, 3.0, 4.0]


def test_an_output_padding_beyond_every_tap_shows_the_bias(float64):
    x, w, bias = torch.ones(1, 1, 1), torch.ones(1, 1, 1), torch.tensor([7.0])
    for method in ("native", "zero", "subpixel"):
        assert conv_transpose(x, w, bias, stride=4, output_padding=3, method=method).flatten().tolist() == [8, 7, 7, 7]


BAD = {
    "method='subpixl' is not one of .* Did you mean 'subpixel'": {"method": "subpixl"},
    "output_padding=2 must be below the stride": {"output_padding": 2},
    "stride=0 must be one number of at least 1, or 2 of them": {"stride": 0},
    "padding=\\(1, 2, 3\\) must be one number": {"padding": (1, 2, 3)},
    "groups=2 does not divide the 3 input channels": {"groups": 2},
    "padding=\\(9, 9\\) cuts away everything": {"padding": 9},
    "The bias has shape 5; there are 4 output channels": {"bias": torch.zeros(5)},
    "has 4 channels and the weight is for 3": {"x": torch.zeros(1, 4, 4, 4)},
    "a single picture is x\\[None\\]": {"x": torch.zeros(3, 4, 4)},
    "has 4 axes after its two of channels": {"weight": torch.zeros(3, 4, 2, 2, 2, 2)},
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_said(message):
    given = {"x": torch.zeros(1, 3, 4, 4), "weight": torch.zeros(3, 4, 4, 4), "stride": 2, **BAD[message]}
    with pytest.raises(UserError, match=message):
        conv_transpose(given.pop("x"), given.pop("weight"), given.pop("bias", None), **given)


@pytest.mark.parametrize("trains", [False, True])
def test_auto_is_subpixel_for_few_channels_and_native_for_many(trains):
    calls = []
    for c_out in (3, 64):
        x = torch.randn(8, 16, 8, 8, generator=rng()).contiguous(memory_format=torch.channels_last)
        weight = torch.randn(16, c_out, 4, 4, generator=rng(), requires_grad=trains)
        with torch.profiler.profile() as profile:
            conv_transpose(x, weight, stride=2, padding=1, method="auto")
        calls.append(any("transpose" in event.key for event in profile.key_averages() if "conv" in event.key))
    assert calls == [False, True]


@pytest.mark.parametrize(
    ("shape", "subpixel"),
    [  # What was measured on two CPUs, ratios to torch's own: 0.5; 0.5; 1.9; 0.8 to 1.3; 1.3 to 2.2; 1.1 to 2.1.
        ((1, 64, 3, 64, 4), True),
        ((8, 64, 3, 32, 4), True),
        ((4, 512, 512, 8, 4), False),
        ((8, 128, 64, 32, 4), False),
        ((8, 512, 256, 8, 3), False),  # A stride that does not divide the kernel.
        ((8, 512, 256, 8, 2), False),
    ],
)
def test_the_rule_is_what_was_measured(shape, subpixel):
    n, c_in, c_out, side, k = shape
    x, weight = torch.empty(n, c_in, side, side), torch.empty(c_in, c_out, k, k)
    assert subpixel_is_faster(x, weight, geometry(weight, stride=2, padding=(k - 1) // 2)) == subpixel
