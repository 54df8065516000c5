import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.claims.operators.resize_kernel import resize, resize_kernel
from ganvas.core.errors import UserError

MODES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "trilinear": (3,)}
MODES |= {"bicubic": (2,)}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_every_factor_and_side_equals_interpolate_to_the_border(mode, align_corners):
    if align_corners and mode.startswith("nearest"):
        return
    said = {} if mode.startswith("nearest") else {"align_corners": align_corners}
    for dims in MODES[mode]:
        for scale in (1, 2, 3, 4, 5, 8) if dims < 3 else (2, 3):
            for side in (1, 2, 5):
                x = torch.randn(2, 2, *range(side, side + dims), generator=rng(), dtype=torch.float64)
                sides = [(n - 1) * scale + 1 if align_corners else n * scale for n in x.shape[2:]]
                expected = F.interpolate(x, size=sides, mode=mode, **said)
                assert_close(resize(x, scale, mode, **said), expected, rtol=0, atol=2e-14)


def test_every_axis_may_have_its_factor(float64):
    x = torch.randn(1, 2, 4, 5, generator=rng())
    expected = F.interpolate(x, size=(8, 15), mode="bicubic", align_corners=False)
    assert_close(resize(x, (2, 3), "bicubic"), expected, rtol=0, atol=1e-14)


def test_bilinear_by_two_is_one_three_three_one():
    kernel = resize_kernel("bilinear", 2)
    assert (kernel.taps * 4).tolist() == [1, 3, 3, 1]
    assert (kernel.stride, kernel.edge, kernel.padding) == (2, 1, 3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5, 8])
def test_kernels_sum_to_the_factor_and_every_phase_to_one(mode, scale):
    """On a picture the gain of the transposed convolution at frequency 0 is s^2, as a bed of nails loses."""
    for corners in (False,) if mode.startswith("nearest") else (False, True):
        taps = resize_kernel(mode, scale, align_corners=corners).taps
        assert_close(torch.outer(taps, taps).sum().item(), float(scale**2), rtol=1e-14, atol=0)
        for phase in range(scale):
            assert_close(taps[phase::scale].sum().item(), 1.0, rtol=0, atol=1e-15)


def test_channels_last_and_precision_stay():
    x = torch.randn(2, 3, 5, 4, generator=rng()).contiguous(memory_format=torch.channels_last)
    assert resize(x, 2).is_contiguous(memory_format=torch.channels_last)
    assert resize(x.double(), 2, "bicubic").dtype == torch.float64


def test_gradients_are_right():
    x = torch.randn(1, 1, 3, 2, generator=rng(), dtype=torch.float64, requires_grad=True)
    for mode in ("nearest", "bilinear", "bicubic"):
        assert torch.autograd.gradcheck(lambda x, mode=mode: resize(x, 2, mode), x)


def test_what_is_not_shift_invariant_is_refused():
    x = torch.zeros(1, 3, 4, 4)
    with pytest.raises(UserError, match=r"align_corners=True only \(7, 7\) is one kernel repeated at every place"):
        resize(x, 2, align_corners=True, size=(8, 8))
    with pytest.raises(UserError, match=r"scale=1.5 is not a whole factor"):
        resize_kernel("bilinear", 1.5)
    with pytest.raises(UserError, match="align_corners says where pixels lie between others"):
        resize(x, 2, "nearest", align_corners=True)
    with pytest.raises(UserError, match="mode='trilinear' does not resize 2 axes"):
        resize(x, 2, "trilinear")
    assert resize(x, 2, align_corners=True, size=(7, 7)).shape == (1, 3, 7, 7)
