import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from ganvas.features import inception_clean, network_catalogue
from ganvas.features.inception import Inception
from ganvas.features.resize import clean_bicubic
from ganvas.features.weights import Weights


def by_pillow(picture: torch.Tensor, size: int) -> torch.Tensor:
    """The paper's recipe: each channel as floating point numbers, Pillow's bicubic, clipped, not rounded."""
    channels = [Image.fromarray(channel.float().numpy()) for channel in picture]
    resized = [np.array(channel.resize((size, size), Image.Resampling.BICUBIC)) for channel in channels]
    return torch.from_numpy(np.stack(resized)).clamp(0, 255)


@pytest.mark.parametrize(
    ("height", "width", "size"), [(50, 64, 20), (11, 8, 20), (20, 20, 20), (64, 9, 20), (21, 19, 20)]
)
def test_the_clean_resize_is_that_of_pillow_in_floating_point_clipped(rng, height, width, size):
    pictures = torch.randint(0, 2, (2, 3, height, width), generator=rng, dtype=torch.uint8) * 255  # Overshoots.
    expected = torch.stack([by_pillow(picture, size) for picture in pictures])
    found = clean_bicubic(pictures, size)
    assert_close(found, expected, rtol=0, atol=1e-3)  # Both sum in float32, in two orders.
    assert 0 <= found.min() <= found.max() <= 255


@pytest.mark.slow
def test_it_is_the_network_of_fid_but_for_the_resize(rng, inception_tensors):
    weights = Weights(tensors=inception_tensors, sha256="0" * 64)
    clean, usual = inception_clean.build(weights, device=torch.device("cpu"), precision="float32"), Inception(weights)
    assert (clean.identity, usual.identity) == (
        "inception-2015-12-05@00000000:clean-bicubic:uint8",
        "inception-2015-12-05@00000000:tf1-bilinear:uint8",
    )
    whole = torch.randint(0, 256, (1, 3, 299, 299), generator=rng, dtype=torch.uint8)
    assert torch.equal(clean.extract(whole)["features"], usual.extract(whole)["features"])
    large = torch.randint(0, 256, (1, 3, 400, 350), generator=rng, dtype=torch.uint8)
    a, b = clean.extract(large)["features"], usual.extract(large)["features"]
    assert (a - b).norm() > 0.01 * b.norm()  # Noise is smoothed by one, aliased by the other; rounding is 1e-6.


def test_it_takes_the_same_file_of_weights():
    assert network_catalogue.entry("inception_clean").release == network_catalogue.entry("inception").release
