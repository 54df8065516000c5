import io

import numpy as np
import pytest
from PIL import Image

from ganvas.report.pictures.reduced import LEAST_SIDE_PX, reduced

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))


@pytest.mark.parametrize("most_bytes", [60_000, 20_000, 5_000])
def test_a_picture_fits_into_the_bytes_and_keeps_its_shape(most_bytes):
    data, (width, height) = reduced(NOISE, most_bytes=most_bytes, most_side=400)
    assert len(data) <= most_bytes
    assert width / height == pytest.approx(4 / 3, rel=0.03)
    assert Image.open(io.BytesIO(data)).size == (width, height)


def test_a_picture_of_few_bytes_is_only_brought_to_the_longest_side():
    flat = Image.new("RGBA", (400, 100), (1, 2, 3, 4))
    data, size = reduced(flat, most_bytes=10_000, most_side=200)
    assert size == (200, 50)
    assert Image.open(io.BytesIO(data)).mode == "RGBA"


def test_no_picture_becomes_smaller_than_can_be_seen():
    _, size = reduced(NOISE, most_bytes=1, most_side=400)
    assert max(size) == LEAST_SIDE_PX
