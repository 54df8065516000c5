"""Errors by region of pictures whose errors are known beforehand."""

import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.metrics.maths.pairs.region_errors import RegionTable, region_errors


def pair(off):
    """A truth, the same with the left quarter off by so many levels, and that quarter."""
    truth = torch.randint(20, 200, (3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    hole = torch.zeros(32, 32, dtype=torch.bool)
    hole[:, :8] = True
    return torch.where(hole, truth + off, truth).to(torch.uint8), truth, hole


def test_an_error_of_ten_levels_in_the_hole_is_of_the_hole_and_a_quarter_of_it_of_the_whole():
    found = region_errors(*pair(10))
    assert found.share == 0.25
    assert found.values["l1.hole"] == pytest.approx(10 / 255)
    assert found.values["l1.whole"] == pytest.approx(2.5 / 255)
    assert found.values["psnr.hole"] == pytest.approx(28.1308, abs=1e-4)  # 20 log10(255 / 10)
    # The whole picture gains 10 log10(1 / share) from the pixels that were copied.
    assert found.values["psnr.whole"] - found.values["psnr.hole"] == pytest.approx(6.0206, abs=1e-4)


def test_a_perfect_filling_is_alike_everywhere():
    found = region_errors(*pair(0))
    assert found.values["ssim.hole"] == found.values["ssim.whole"] == pytest.approx(1)
    assert found.values["l1.hole"] == 0


def test_similarity_in_the_hole_is_of_windows_whose_centre_lies_in_it():
    filled, truth, hole = pair(0)
    filled[:, :, 20:] = 0  # Windows about columns of the hole reach to column 12 at most.
    found = region_errors(filled, truth, hole)
    assert found.values["ssim.hole"] == pytest.approx(1)
    assert found.values["ssim.whole"] < 0.7


def test_the_figures_of_edgeconnects_scripts_are_scikit_images_of_grey_pictures():
    from skimage.color import rgb2gray
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    truth, noise = (torch.randint(0, 256, (3, 60, 56), generator=stream(0, name), dtype=torch.uint8) for name in "ab")
    filled = torch.where(torch.arange(56) < 20, noise, truth)
    found = region_errors(filled, truth, torch.arange(56).expand(60, 56) < 20).values
    x, y = (rgb2gray(picture.permute(1, 2, 0).numpy()) for picture in (filled, truth))
    assert found["ssim.whole_grey"] == pytest.approx(structural_similarity(x, y, data_range=1, win_size=51), abs=1e-9)
    assert found["psnr.whole_grey"] == pytest.approx(peak_signal_noise_ratio(y, x, data_range=1), abs=1e-9)
    assert found["mae.whole_grey"] == pytest.approx(abs(x - y).sum() / (x + y).sum())
    assert "ssim.whole_grey" not in region_errors(*pair(10)).values


def test_tables_add_and_say_region_channels_window_and_share():
    table = RegionTable(3, [region_errors(*pair(10))]) + RegionTable(3, [region_errors(*pair(20))])
    results = {result.metric: result for result in table.results()}
    assert results["l1.hole"].value == pytest.approx(15 / 255)
    assert results["l1.hole"].n == 2
    assert results["l1.hole"].standard_error == pytest.approx(5 / 255)
    assert results["l1.hole.0.2-0.3"].protocol == "l1:hole:n2:rgb:uint8:mean-of-pictures:share0.2-0.3"
    assert results["psnr.whole_grey"].protocol == "psnr:whole:n2:luma709:uint8:mean-of-pictures"
    assert "window11:sigma1.5" in results["ssim.hole"].protocol
