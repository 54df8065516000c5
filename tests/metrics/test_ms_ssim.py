import numpy as np
import pytest
import torch
from scipy import ndimage, signal

from ganvas.metrics import ms_ssim as module
from ganvas.metrics.maths.pairs.ssim_map import ssim
from ganvas.metrics.ms_ssim import Accumulator, ms_ssim

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]  # Wang et al. 2003.


def pair(n=4, *, channels=3, size=(64, 64), seed=0, dtype=torch.float64):
    """Pictures that share their large shapes."""
    random = np.random.default_rng(seed)
    shapes, own, other = (
        ndimage.zoom(random.uniform(0, 255, (n, channels, 4, 4)), (1, 1, size[0] / 4, size[1] / 4), order=1)
        for _ in range(3)
    )
    return tuple(torch.from_numpy(0.6 * shapes + 0.4 * rest).round().to(dtype) for rest in (own, other))


def plain(x, y, *, full=255.0):
    """The definition with FFT convolution and a 2 x 2 box filter, level by level."""

    def one(a, b):
        size = min(11, *a.shape[2:])
        place = np.arange(size) - (size - 1) / 2
        kernel = np.exp(-(place[:, None] ** 2 + place**2) / (2 * (1.5 * size / 11) ** 2))
        kernel = (kernel / kernel.sum())[None, None]
        c1, c2 = (0.01 * full) ** 2, (0.03 * full) ** 2
        ma, mb, aa, bb, ab = (signal.fftconvolve(v, kernel, mode="valid") for v in (a, b, a * a, b * b, a * b))
        contrast = (2 * (ab - ma * mb) + c2) / (aa - ma**2 + bb - mb**2 + c2)
        brightness = (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)
        return (brightness * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))

    product, box = 1.0, np.ones((1, 1, 2, 2)) / 4
    for level, weight in enumerate(WEIGHTS):
        both, contrast = one(x, y)
        product = product * np.maximum(both if level == 4 else contrast, 0) ** weight
        x, y = (ndimage.convolve(v, box, mode="reflect")[:, :, ::2, ::2] for v in (x, y))
    return product


@pytest.mark.parametrize("size", [(128, 128), (32, 32), (47, 30), (16, 9), (5, 4), (300, 140)])
def test_ms_ssim_is_the_definition_written_plainly(size):
    x, y = pair(size=size)
    np.testing.assert_allclose(ms_ssim(x, y).numpy(), plain(x.numpy(), y.numpy()), rtol=1e-11)


def test_float32_is_within_a_millionth_of_float64():
    # Pictures around a bright mean are the hard case: variances are small differences of large squares.
    x, y = (200 + picture / 10 for picture in pair(size=(128, 128)))
    torch.testing.assert_close(ms_ssim(x.float(), y.float()).double(), ms_ssim(x, y), rtol=0, atol=1e-6)


def test_single_scale_agrees_with_scikit_image():
    from skimage.metrics import structural_similarity

    x, y = pair(1, size=(40, 48))
    # scikit-image pads and then leaves out the border, which is what is never computed here; same Gaussian, 11 taps.
    expected = structural_similarity(
        x[0].numpy(),
        y[0].numpy(),
        channel_axis=0,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert float(ssim(x, y)[0]) == pytest.approx(expected, rel=1e-12)


def test_a_picture_is_itself():
    x, _ = pair()
    assert ssim(x, x).tolist() == pytest.approx([1.0] * 4, abs=1e-14)
    assert ms_ssim(x, x).tolist() == pytest.approx([1.0] * 4, abs=1e-14)


def test_constant_pictures_differ_by_brightness_alone():
    a, b, c1 = 60.0, 180.0, (0.01 * 255) ** 2
    x, y = (torch.full((2, 3, 48, 48), grey, dtype=torch.float64) for grey in (a, b))
    brightness = (2 * a * b + c1) / (a**2 + b**2 + c1)
    assert ssim(x, y).tolist() == pytest.approx([brightness] * 2, rel=1e-12)
    assert ms_ssim(x, y).tolist() == pytest.approx([brightness ** WEIGHTS[-1]] * 2, rel=1e-12)


def test_scaling_pictures_and_their_range_changes_nothing():
    x, y = pair()
    torch.testing.assert_close(ms_ssim(x / 255, y / 255, data_range=1.0), ms_ssim(x, y), rtol=1e-10, atol=0)


def test_negative_similarity_counts_as_none():
    x, _ = pair(size=(64, 64))
    assert ms_ssim(x, 255 - x).tolist() == [0.0] * 4


def test_the_value_and_its_error_are_the_mean_and_its_deviation_over_pairs():
    pictures = torch.stack(pair(8, dtype=torch.uint8), 1).flatten(0, 1)
    real, fake = Accumulator(), Accumulator()
    fake.update(pictures)
    real.update(pictures.flip(0))
    by_hand = plain(*(pictures[start::2].double().numpy() for start in (0, 1)))
    found, reals = module.compare(real, fake)
    assert found.value == pytest.approx(by_hand.mean(), abs=1e-6)
    assert found.standard_error == pytest.approx(by_hand.std(ddof=1) / np.sqrt(8), rel=1e-4)
    assert (found.metric, reals.metric) == ("ms_ssim", "ms_ssim.real")
    assert reals.value == pytest.approx(found.value, rel=1e-6)


def test_a_last_picture_without_partner_is_left_out():
    pictures = torch.stack(pair(4, dtype=torch.uint8), 1).flatten(0, 1)
    even, odd = Accumulator(), Accumulator()
    even.update(pictures)
    odd.update(torch.cat([pictures, pictures[:1]]))
    assert module.compare(odd, odd)[0].value == module.compare(even, even)[0].value


def test_pictures_wait_only_for_their_partner():
    accumulator = Accumulator()
    accumulator.update(torch.zeros(101, 3, 16, 16, dtype=torch.uint8))
    assert accumulator.tables["waiting"].count == 1
    accumulator.update(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))
    assert accumulator.tables["waiting"].count == 0
    assert accumulator.tables["similarity"].count == 51
