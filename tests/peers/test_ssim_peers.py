"""pytorch-msssim and torchmetrics: SSIM, MS-SSIM, PSNR. Where values differ, the whole difference is explained."""

import pytest
import torch
from torch.testing import assert_close

from ganvas.metrics import ms_ssim, psnr
from ganvas.metrics.maths.pairs import ssim_map


@pytest.fixture
def pairs():
    """Four pairs of pictures of 176 x 192 in colour, one a noisy copy of the other: float64, [0, 255]."""
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(4, 3, 9, 9, generator=rng, dtype=torch.float64)
    x = 255 * torch.nn.functional.interpolate(coarse, size=(176, 192), mode="bilinear")
    return x, (x + 30 * torch.randn(x.shape, generator=rng, dtype=torch.float64)).clamp(0, 255)


def window(channels):
    """Wang et al.'s, in float64; pytorch-msssim's own is rounded to float32, which moves values by 1e-6 to 1e-5."""
    place = torch.arange(11, dtype=torch.float64) - 5
    weights = torch.exp(-(place**2) / (2 * 1.5**2))
    return (weights / weights.sum()).expand(channels, 1, 1, 11)


def test_ssim_is_that_of_pytorch_msssim(pairs):
    msssim = pytest.importorskip("pytorch_msssim", reason="needs pytorch-msssim: make peers")
    their = msssim.ssim(*pairs, data_range=255, size_average=False, win=window(3))
    assert_close(ssim_map.ssim(*pairs), their, rtol=1e-10, atol=0)
    rounded = msssim.ssim(*pairs, data_range=255, size_average=False)
    assert_close(rounded, their, rtol=1e-4, atol=0)
    assert their.max() < 0.9


def test_ms_ssim_of_grey_pictures_is_that_of_pytorch_msssim(pairs):
    msssim = pytest.importorskip("pytorch_msssim", reason="needs pytorch-msssim: make peers")
    grey = [side[:, :1] for side in pairs]
    their = msssim.ms_ssim(*grey, data_range=255, size_average=False, win=window(1))
    assert_close(ms_ssim.ms_ssim(*grey), their, rtol=1e-10, atol=0)


def test_in_colour_pytorch_msssim_multiplies_levels_channel_by_channel_and_that_is_all_that_differs(pairs):
    msssim = pytest.importorskip("pytorch_msssim", reason="needs pytorch-msssim: make peers")
    their = msssim.ms_ssim(*pairs, data_range=255, size_average=False, win=window(3))
    per_channel = [ms_ssim.ms_ssim(pairs[0][:, [c]], pairs[1][:, [c]]) for c in range(3)]
    assert_close(torch.stack(per_channel).mean(0), their, rtol=1e-10, atol=0)
    assert (ms_ssim.ms_ssim(*pairs) - their).abs().max() > 1e-7


@pytest.mark.slow
def test_ssim_is_that_of_torchmetrics_where_its_window_lies_inside_the_picture(pairs):
    torchmetrics = pytest.importorskip("torchmetrics.functional.image", reason="needs torchmetrics: make peers")
    whole, maps = torchmetrics.structural_similarity_index_measure(
        pairs[1], pairs[0], data_range=255.0, reduction="none", return_full_image=True
    )
    inside = maps[..., 5:-5, 5:-5]
    assert_close(ssim_map.ssim(*pairs), inside.flatten(1).mean(1), rtol=1e-10, atol=0)
    assert (whole - inside.flatten(1).mean(1)).abs().max() > 1e-5  # What it adds are mirrored borders.


@pytest.mark.slow
def test_torchmetrics_passes_over_the_kernel_size_of_a_gaussian(pairs):
    torchmetrics = pytest.importorskip("torchmetrics.functional.image", reason="needs torchmetrics: make peers")
    how = {"data_range": 255.0, "reduction": "none"}
    small, usual = (
        torchmetrics.structural_similarity_index_measure(*pairs, kernel_size=size, **how) for size in (5, 11)
    )
    assert torch.equal(small, usual)


@pytest.mark.slow
def test_the_contrasts_of_ms_ssim_are_those_of_torchmetrics_and_its_last_level_has_mirrored_borders(pairs):
    torchmetrics = pytest.importorskip("torchmetrics.functional.image", reason="needs torchmetrics: make peers")
    how = {"data_range": 255.0, "reduction": "none"}
    their = torchmetrics.multiscale_structural_similarity_index_measure(
        *pairs, betas=(*ms_ssim.WEIGHTS[:4], 0.0), **how
    )
    x, y = pairs
    product = torch.ones(len(x), dtype=x.dtype)
    for weight in ms_ssim.WEIGHTS[:4]:
        product *= ssim_map.similarity(x, y, 255.0)[1].clamp_min(0) ** weight
        x, y = (torch.nn.functional.avg_pool2d(side, 2) for side in (x, y))
    assert_close(product, their, rtol=1e-6, atol=0)  # Their exponents are float32.
    last = torchmetrics.structural_similarity_index_measure(x, y, **how)
    whole = torchmetrics.multiscale_structural_similarity_index_measure(*pairs, **how)
    assert_close(product * last ** ms_ssim.WEIGHTS[4], whole, rtol=1e-6, atol=0)
    assert (ms_ssim.ms_ssim(*pairs) / whole - 1).abs().max() > 1e-5


def test_psnr_of_torchmetrics_is_that_of_the_mean_error(pairs):
    torchmetrics = pytest.importorskip("torchmetrics.functional.image", reason="needs torchmetrics: make peers")
    x, y = (side.round().to(torch.uint8) for side in pairs)
    side_x, side_y = psnr.Accumulator(), psnr.Accumulator()
    side_x.update(x)
    side_y.update(y)
    found = {one.metric: one.value for one in psnr.compare(side_x, side_y)}
    their = torchmetrics.peak_signal_noise_ratio(y.double(), x.double(), data_range=255.0)
    assert found["psnr.of_mean_error"] == pytest.approx(float(their), rel=1e-6)  # Their logarithms are float32.
    each = torchmetrics.peak_signal_noise_ratio(
        y.double(), x.double(), data_range=255.0, reduction="none", dim=(1, 2, 3)
    )
    assert found["psnr"] == pytest.approx(float(each.mean()), rel=1e-6)
