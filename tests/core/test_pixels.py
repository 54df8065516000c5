import pytest
import torch
from torch.testing import assert_close

from ganvas.core.pixels import to_bytes, to_float

EVERY_BYTE = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)


def test_every_byte_comes_back():
    assert torch.equal(to_bytes(to_float(EVERY_BYTE)), EVERY_BYTE)


def test_the_ends_of_the_scale_are_exact():
    images = to_float(EVERY_BYTE).flatten()
    assert (images[0].item(), images[-1].item()) == (-1.0, 1.0)
    assert_close(images.diff(), torch.full((255,), 2 / 255), rtol=0, atol=1.2e-7)  # One float32 step at 1.


def test_what_is_beyond_the_scale_is_clamped():
    images = torch.tensor([-3.0, -1.001, 1.001, 3.0]).reshape(1, 1, 2, 2)
    assert to_bytes(images).flatten().tolist() == [0, 0, 255, 255]


def test_a_value_between_two_bytes_goes_to_the_nearer():
    images = torch.tensor([10.4, 10.6, 200.49, 200.51], dtype=torch.float64).reshape(1, 1, 2, 2) / 127.5 - 1
    assert to_bytes(images).flatten().tolist() == [10, 11, 200, 201]


def test_rounding_does_not_darken_a_picture_on_average(rng):
    # Truncation would lose 1/2 a level; the mean rounding error of n uniform values is 0 +- (12 n)^-1/2 levels.
    images = torch.rand(1, 1, 500, 500, generator=rng, dtype=torch.float64) * 1.9 - 0.95
    error = (to_bytes(images).double() - (images + 1) * 127.5).mean()
    assert abs(error.item()) < 5 / (12 * 250_000) ** 0.5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_pictures_are_converted_in_float32(dtype: torch.dtype, rng):
    # 127.5 (x + 1) has no room for its last bits in half precision; exactly, in float64, 129 / 256 becomes 191.7.
    images = (torch.rand(1, 1, 64, 64, generator=rng) * 2 - 1).to(dtype)
    images[0, 0, 0, 0] = 129 / 256
    exact = (images.double() + 1) * 127.5
    assert torch.equal(to_bytes(images), exact.round().to(torch.uint8))
    assert to_bytes(images)[0, 0, 0, 0] == 192
