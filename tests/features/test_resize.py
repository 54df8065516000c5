import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.features.resize import IMAGENET, bicubic, standardised, tf1_bilinear


def as_tensorflow_1(picture: np.ndarray, size: int) -> np.ndarray:
    """The index formula, pixel by pixel: ``source = i * in / out``, no half pixels, the last row beyond the border."""
    height, width = picture.shape
    result = np.empty((size, size))
    for row in range(size):
        y = np.float32(row) * np.float32(np.float32(height) / np.float32(size))
        top, down = int(y), y - int(y)
        below = min(top + 1, height - 1)
        for column in range(size):
            x = np.float32(column) * np.float32(np.float32(width) / np.float32(size))
            left, across = int(x), x - int(x)
            right = min(left + 1, width - 1)
            upper = picture[top, left] * (1 - across) + picture[top, right] * across
            lower = picture[below, left] * (1 - across) + picture[below, right] * across
            result[row, column] = upper * (1 - down) + lower * down
    return result


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 29), (60, 9), (30, 30), (1, 1), (75, 90)])
def test_tf1_bilinear_is_the_index_formula(rng, height, width):
    pictures = torch.randint(0, 256, (2, 1, height, width), generator=rng, dtype=torch.uint8)
    expected = np.stack([as_tensorflow_1(picture[0].double().numpy(), 30) for picture in pictures])
    # Float32 products of numbers up to 255, two per pixel and direction.
    assert_close(tf1_bilinear(pictures, 30)[:, 0].double(), torch.from_numpy(expected), rtol=0, atol=1e-4)


def test_tf1_bilinear_has_no_half_pixel_centres():
    ramp = torch.arange(0, 250, 10, dtype=torch.uint8).expand(1, 1, 25, 25)
    resized = tf1_bilinear(ramp, 50)[0, 0, 0]
    # Pixel i is read at i / 2: a step of 5, until the last pixel stands in for what is beyond it.
    assert_close(resized, torch.minimum(torch.arange(50) * 5.0, torch.tensor(240.0)), rtol=0, atol=1e-4)
    centred = F.interpolate(ramp.float(), (50, 50), mode="bilinear", align_corners=False)[0, 0, 0]
    assert (resized[:48] - centred[:48]).max() > 2  # A quarter of a pixel apart.


def test_a_picture_of_the_right_size_is_not_changed(rng):
    pictures = torch.randint(0, 256, (1, 3, 12, 12), generator=rng, dtype=torch.uint8)
    assert_close(tf1_bilinear(pictures, 12), pictures.float(), rtol=0, atol=0)
    assert_close(bicubic(pictures, 12), pictures.float(), rtol=0, atol=0)


def test_bicubic_with_antialiasing_is_that_of_pillow_but_for_its_rounding(rng):
    from PIL import Image

    pixels = torch.randint(0, 256, (1, 1, 50, 64), generator=rng, dtype=torch.uint8)
    by_pillow = Image.fromarray(pixels[0, 0].float().numpy()).resize((20, 20), Image.Resampling.BICUBIC)
    assert_close(bicubic(pixels, 20)[0, 0], torch.from_numpy(np.array(by_pillow)), rtol=0, atol=1e-3)


def test_a_plain_picture_stays_plain_in_every_resize():
    plain = torch.full((1, 3, 17, 23), 201, dtype=torch.uint8)
    for resized in (tf1_bilinear(plain, 31), tf1_bilinear(plain, 9), bicubic(plain, 31), bicubic(plain, 9)):
        assert_close(resized, torch.full_like(resized, 201.0), rtol=0, atol=1e-3)


def test_standardised_takes_off_the_mean_and_divides_by_the_deviation():
    white = torch.full((1, 3, 1, 1), 255.0)
    expected = torch.tensor([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    assert_close(standardised(white, IMAGENET).flatten(), expected)
