import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features.network import dtype_of, identity_of, opaque_rgb
from ganvas.features.untrained import Untrained

TAPS = ("features", "logits", "spatial")


def test_rgba_is_laid_on_white_to_the_nearest_byte():
    colour, alpha = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    rgba = torch.stack([colour, colour, colour, alpha])[None].to(torch.uint8)
    exact = (colour.double() * alpha + 255.0 * (255 - alpha)) / 255
    assert_close(opaque_rgb(rgba)[0, 0], (exact + 0.5).floor().to(torch.uint8), rtol=0, atol=0)


def test_grey_pictures_are_seen_as_their_rgb_copies(pictures):
    grey = pictures[:, :1]
    network = Untrained()
    assert_close(network.extract(grey, TAPS), network.extract(grey.repeat(1, 3, 1, 1), TAPS), rtol=0, atol=0)


def test_opaque_rgba_is_rgb_and_clear_rgba_is_white(pictures):
    network = Untrained()
    opaque = torch.cat([pictures, torch.full_like(pictures[:, :1], 255)], 1)
    assert_close(network.extract(opaque), network.extract(pictures), rtol=0, atol=0)
    clear = torch.cat([pictures, torch.zeros_like(pictures[:, :1])], 1)
    white = torch.full_like(pictures, 255)
    assert_close(network.extract(clear), network.extract(white), rtol=0, atol=0)


def test_rows_depend_neither_on_the_batch_nor_on_its_order(rng):
    pictures = torch.randint(0, 256, (37, 3, 20, 20), generator=rng, dtype=torch.uint8)
    network = Untrained()
    whole = network.extract(pictures, TAPS)
    order = torch.randperm(37, generator=rng)
    shuffled = network.extract(pictures[order], TAPS)
    for tap in TAPS:
        single = torch.cat([network.extract(picture[None], TAPS)[tap] for picture in pictures])
        scale = whole[tap].abs().max()
        assert_close(single / scale, whole[tap] / scale, rtol=0, atol=1e-5)
        assert_close(shuffled[tap] / scale, whole[tap][order] / scale, rtol=0, atol=1e-5)


def test_what_comes_out_is_float32_on_the_cpu_without_a_gradient_and_as_long_as_the_taps_say(pictures):
    network = Untrained()
    for tap, rows in network.extract(pictures, TAPS).items():
        assert rows.shape == (5, network.taps[tap])
        assert (rows.dtype, rows.device.type, rows.requires_grad) == (torch.float32, "cpu", False)


def test_no_pictures_give_no_rows():
    rows = Untrained().extract(torch.empty(0, 3, 8, 8, dtype=torch.uint8), TAPS)
    assert [rows[tap].shape for tap in TAPS] == [(0, 256), (0, 10), (0, 448)]


@pytest.mark.parametrize(
    ("pictures", "taps", "reason"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), ["feature"], "Did you mean 'features'"),
        (torch.zeros(1, 2, 8, 8, dtype=torch.uint8), ["features"], "Give 1 \\(grey\\), 3 \\(RGB\\) or"),
        (torch.zeros(1, 3, 0, 8, dtype=torch.uint8), ["features"], "at least one pixel"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(pictures, taps, reason):
    with pytest.raises(UserError, match=reason):
        Untrained().extract(pictures, taps)


def test_the_identity_says_when_half_precision_was_asked_for():
    full = identity_of("x", sha256="0123456789", resize="r", precision="float32")
    half = identity_of("x", sha256="0123456789", resize="r", precision="bfloat16")
    assert (full, half) == ("x@01234567:r:uint8", "x@01234567:r:uint8:bf16")
    assert Untrained(precision="bfloat16").identity.endswith(":bf16")
    with pytest.raises(UserError, match="Did you mean 'float32'"):
        dtype_of("float23")


def test_seeds_are_different_networks_and_one_seed_is_one_network(pictures):
    one, again, other = Untrained(seed=1), Untrained(seed=1), Untrained(seed=2)
    assert_close(one.extract(pictures), again.extract(pictures), rtol=0, atol=0)
    assert (one.extract(pictures)["features"] - other.extract(pictures)["features"]).abs().max() > 0.01
    assert one.identity == again.identity != other.identity
