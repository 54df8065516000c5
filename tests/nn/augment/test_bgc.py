"""ADA's pipeline: what it leaves alone, its colours by hand, how often each step comes, and its derivatives."""

import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.nn.augment.bgc import (
    ColourChange,
    PlaneChange,
    bgc,
    colour_maps,
    draw_colours,
    draw_geometry,
    inverse_of,
    moved,
    recoloured,
)
from ganvas.nn.augment.homogeneous import along_grey, rotation, scaling, translation
from ganvas.nn.augment.warp import blit, warp

MANY = 20_000


class Rows:
    """One row of numbers per picture, from a stream of its own."""

    def __init__(self, n, seed=0):
        self.n, self.rng = n, torch.Generator().manual_seed(seed)

    def rand(self, *shape):
        return torch.rand(self.n, *shape, generator=self.rng)

    def randn(self, *shape):
        return torch.randn(self.n, *shape, generator=self.rng)


def pictures(n=6, channels=3, height=8, width=10):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def neutral(**changes):
    """One picture whose colours are left alone, but for what is given."""
    values = {"brightness": 0.0, "contrast": 1.0, "luma": 1.0, "hue": 0.0, "saturation": 1.0} | changes
    return colour_maps(**{name: torch.tensor([value]) for name, value in values.items()})


def coloured(images, **changes):
    maps = neutral(**changes).expand(len(images), -1, -1)
    return recoloured(images, ColourChange(maps=maps, changed=torch.ones(len(images), dtype=torch.bool)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_with_probability_0_every_bit_stays(channels):
    x = pictures(channels=channels)
    assert torch.equal(bgc(x, torch.tensor(0.0), Rows(len(x))), x)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_with_probability_1_every_picture_changes_and_keeps_its_shape(channels):
    x = pictures(channels=channels)
    found = bgc(x, torch.tensor(1.0), Rows(len(x)))
    assert found.shape == x.shape
    assert ((found - x).abs().amax((1, 2, 3)) > 1e-3).all()


@pytest.mark.parametrize("size", [(8, 8), (5, 12)])
def test_a_picture_of_one_colour_stays_so_under_geometry(size):
    x = torch.tensor([0.9, -0.2, 0.4]).view(1, 3, 1, 1).expand(64, 3, *size)
    found = moved(x, draw_geometry(torch.tensor(1.0), Rows(64), *size))
    assert_close(found, x, atol=2e-6, rtol=0)


def test_pictures_that_no_step_is_drawn_for_keep_every_bit_beside_others():
    x = pictures(n=200)
    geometry = draw_geometry(torch.tensor(0.1), Rows(200), 8, 10)
    kept = (moved(x, geometry) == x).flatten(1).all(1)
    assert 0 < int(geometry.moved.sum()) < 200
    assert kept[~geometry.moved].all()
    assert not kept[geometry.moved].any()


def test_autocast_does_not_reach_places_and_colours():
    x = pictures()
    with torch.autocast("cpu", torch.bfloat16):
        found = bgc(x, torch.tensor(0.8), Rows(6))
    assert_close(found.double(), bgc(x.double(), torch.tensor(0.8), Rows(6)), atol=1e-4, rtol=0)


def test_pictures_in_bfloat16_stay_so():
    x = pictures().to(torch.bfloat16)
    found = bgc(x, torch.tensor(0.8), Rows(6))
    assert torch.equal(found, bgc(x.float(), torch.tensor(0.8), Rows(6)).to(torch.bfloat16))


def test_pictures_that_need_no_filter_change_nothing_for_those_that_do():
    x = pictures(n=50)
    geometry = draw_geometry(torch.tensor(0.3), Rows(50), 8, 10)
    filtered, copied = warp(x, geometry.inverse), blit(x, geometry.inverse)
    found = moved(x, geometry)
    for i in range(50):
        wanted = copied if geometry.blitted[i] else filtered
        assert_close(found[i], wanted[i] if geometry.moved[i] else x[i], atol=1e-5, rtol=0)


def test_opacity_follows_the_geometry_and_no_colour():
    x = pictures(channels=4)
    together = bgc(x, torch.tensor(1.0), Rows(6))
    geometry = draw_geometry(torch.tensor(1.0), Rows(6), 8, 10)
    assert torch.equal(together[:, 3:], moved(x, geometry)[:, 3:])


def test_the_whole_map_undoes_the_steps_in_their_order():
    one = lambda value: torch.tensor([value])  # noqa: E731
    inverse = inverse_of(
        mirrored=torch.tensor([True]),
        turns=one(1.0),
        whole=(one(2.0), one(-1.0)),
        scale=one(1.5),
        first=one(0.3),
        stretch=one(1.2),
        second=one(-0.7),
        shift=(one(0.4), one(0.9)),
    )
    quarter = rotation(one(math.pi / 2))
    forward = translation(one(0.4), one(0.9)) @ rotation(one(-0.7)) @ scaling(one(1.2), one(1 / 1.2))
    forward = forward @ rotation(one(0.3)) @ scaling(one(1.5), one(1.5)) @ translation(one(2.0), one(-1.0))
    forward = forward @ quarter @ scaling(one(-1.0), one(1.0))
    assert_close(inverse @ forward, torch.eye(3)[None], atol=1e-6, rtol=0)


def test_brightness_is_added_and_contrast_multiplies_about_mid_grey():
    x = pictures()
    assert_close(coloured(x, brightness=0.3), x + 0.3)
    assert_close(coloured(x, contrast=1.7), 1.7 * x)
    assert_close(coloured(x, brightness=0.3, contrast=1.7), 1.7 * (x + 0.3))


def test_mirrored_luma_negates_the_mean_of_the_colours_and_keeps_their_differences():
    x = pictures()
    assert_close(coloured(x, luma=-1.0), x - 2 * x.mean(1, keepdim=True))


def test_a_third_of_a_turn_of_the_hue_passes_the_colours_on():
    x = pictures()
    assert_close(coloured(x, hue=2 * math.pi / 3), x.roll(1, 1), atol=1e-6, rtol=0)


def test_saturation_multiplies_the_distance_from_grey():
    x = pictures()
    grey = x.mean(1, keepdim=True)
    assert_close(coloured(x, saturation=2.5), grey + 2.5 * (x - grey))


def test_a_grey_picture_knows_brightness_contrast_and_luma_alone():
    x = pictures(channels=1)
    found = coloured(x, brightness=0.2, contrast=1.5, luma=-1.0, hue=1.0, saturation=3.0)
    assert_close(found, -1.5 * (x + 0.2), atol=1e-6, rtol=0)


def test_the_steps_of_colour_come_in_their_order():
    found = neutral(brightness=0.2, contrast=1.5, luma=-1.0, hue=2 * math.pi / 3, saturation=0.5)
    one, nought = torch.ones(1), torch.zeros(1)
    steps = [
        along_grey(one, one, 0.2 * one),
        along_grey(1.5 * one, 1.5 * one, nought),
        along_grey(-one, one, nought),
        torch.eye(4)[[2, 0, 1, 3]][None],
        along_grey(one, 0.5 * one, nought),
    ]
    wanted = steps[4] @ steps[3] @ steps[2] @ steps[1] @ steps[0]
    assert_close(found, wanted, atol=1e-6, rtol=0)


def share(marks):
    return float(marks.double().mean())


def test_geometry_comes_as_often_as_its_probabilities_say():
    p = 0.3
    found = draw_geometry(torch.tensor(p), Rows(MANY), 64, 64)
    # A mirror shows half of the time, a turn three times of four, a whole shift 16 of 17 times a side.
    quiet = (1 - p / 2) * (1 - 3 * p / 4) * (1 - p * (1 - (1 / 16) ** 2))
    general = 1 - (1 - p) ** 4  # Scale, opposite scales, shift, and either rotation.
    sd = 0.5 / math.sqrt(MANY)
    assert share(~found.blitted) == pytest.approx(general, abs=5 * sd)
    assert share(found.moved) == pytest.approx(1 - (1 - general) * quiet, abs=5 * sd)


def test_colour_comes_as_often_as_its_probabilities_say():
    changed = draw_colours(torch.tensor(0.2), Rows(MANY)).changed
    assert share(changed) == pytest.approx(1 - 0.8**5, abs=5 * 0.5 / math.sqrt(MANY))


def test_shifts_scales_and_turns_have_the_spread_of_the_paper():
    found = draw_geometry(torch.tensor(1.0), Rows(MANY), 64, 32).inverse
    area = found[:, 0, 0] * found[:, 1, 1] - found[:, 0, 1] * found[:, 1, 0]
    logs = -area.abs().log2() / 2  # Of the scale: the other steps keep areas.
    assert float(logs.std()) == pytest.approx(0.2, rel=0.03)
    assert float(logs.mean()) == pytest.approx(0.0, abs=5 * 0.2 / math.sqrt(MANY))
    assert share(area < 0) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(MANY))  # Mirrored.


def test_a_quarter_turn_that_puts_pixels_between_pixels_goes_through_the_filters():
    odd = draw_geometry(torch.tensor(1.0), Rows(MANY), 7, 10)
    assert not odd.blitted.any()
    quarter = draw_geometry(torch.tensor(0.02), Rows(MANY), 7, 10)
    turned = quarter.blitted & (quarter.inverse[:, 0, 0].abs() < 0.5)
    assert not turned.any()
    assert isinstance(quarter, PlaneChange)


@pytest.mark.usefixtures("float64")
def test_it_can_be_differentiated_twice():
    x = pictures(n=2, channels=4, height=4, width=3).double().requires_grad_()
    p = torch.tensor(0.9)
    assert torch.autograd.gradcheck(lambda x: bgc(x, p, Rows(2, 3)), (x,))
    assert torch.autograd.gradgradcheck(lambda x: bgc(x, p, Rows(2, 3)).pow(3), (x,), fast_mode=True)
