import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.core.hashes.splitmix import mix
from ganvas.data.scenes.factors import KINDS, LANDSCAPES, TIMES, draw
from ganvas.data.scenes.scenes import CLASS_NAMES, MASK_NAMES, Scenes, render

# Of images, masks and labels of `Scenes(32, 32).pictures(0, 256)` and `Scenes(48, 80, seed=1).pictures(0, 16)`, written
# on 21 November 2026 with numpy 2.4.6 on x86-64 with AVX-512. It changes only when the pictures are changed on purpose.
GOLDEN = "ce052cd5fc1a12261670c8334f350cb7185b27a78efbe382c529d0cc20b424a0"

DIGEST = """
import hashlib
from ganvas.data.scenes.scenes import Scenes
digest = hashlib.sha256()
for arrays in (Scenes(32, 32).pictures(0, 256), Scenes(48, 80, seed=1).pictures(0, 16)):
    for array in arrays:
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
print(digest.hexdigest())
"""


def identifier(name):
    return MASK_NAMES.index(name)


def bare(**changes):
    """The factors of a scene by day with nothing in it but sky and ground, then ``changes``."""
    factors = Scenes().picture(0).factors | {"landscape": LANDSCAPES.index("meadow"), "time": TIMES.index("day")}
    empty = dict.fromkeys(("light", "cloud_count", "ridge_count", "boat_count", "pond", "relief"), 0.0)
    empty |= {f"object{k}_kind": 0.0 for k in range(4)}
    return factors | empty | changes


def area(scene, name):
    """Pixels of a mask, in squares of the short side."""
    return (scene.mask == identifier(name)).sum() / min(scene.mask.shape) ** 2


# --- The same picture always ---


@pytest.mark.parametrize(("height", "width"), [(32, 32), (24, 50), (40, 9), (4, 4)])
def test_a_picture_is_the_same_alone_and_in_any_batch(height, width):
    scenes = Scenes(height, width, seed=3)
    images, masks, labels = scenes.pictures(0, 600)  # More than one chunk at 32 pixels.
    for index in (0, 511, 599):
        scene = scenes.picture(index)
        np.testing.assert_array_equal(scene.image, images[index])
        np.testing.assert_array_equal(scene.mask, masks[index])
        assert scene.label == labels[index]
    for start, stop in ((100, 102), (300, 307), (505, 530)):
        part, part_masks, _ = scenes.pictures(start, stop)
        np.testing.assert_array_equal(part, images[start:stop])
        np.testing.assert_array_equal(part_masks, masks[start:stop])


def test_pictures_can_be_asked_for_in_any_order_and_twice():
    scenes = Scenes(16, 16)
    images, masks, labels = scenes.pictures(0, 40)
    order = np.array([39, 0, 7, 7, 20])
    for found, expected in zip(scenes.select(order), (images, masks, labels), strict=True):
        np.testing.assert_array_equal(found, expected[order])


def test_a_picture_does_not_depend_on_how_many_there_are():
    np.testing.assert_array_equal(Scenes(count=8).picture(5).image, Scenes(count=10**12).picture(5).image)


def test_the_far_end_of_a_very_long_set_can_be_reached():
    assert Scenes(count=2**62).picture(2**62 - 1).image.shape == (32, 32, 3)


def test_the_bytes_are_those_of_the_stored_digest():
    digest = hashlib.sha256()
    for arrays in (Scenes(32, 32).pictures(0, 256), Scenes(48, 80, seed=1).pictures(0, 16)):
        for array in arrays:
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    assert digest.hexdigest() == GOLDEN


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_instructions_of_the_processor():
    # numpy falls back to other loops when a processor lacks these; names that a machine lacks are only warned about.
    names = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX2 FMA3 X86_V3 X86_V4"
    without = os.environ | {"NPY_DISABLE_CPU_FEATURES": names, "PYTHONWARNINGS": "ignore"}
    found = subprocess.run([sys.executable, "-c", DIGEST], env=without, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == GOLDEN


def test_the_hash_is_splitmix64():
    # The first outputs for the state 1234567, as published with the reference implementation.
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + k * golden) % 2**64 for k in range(1, 4)], dtype=np.uint64)
    assert mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_other_seeds_give_other_pictures():
    images = [Scenes(8, 8, seed=seed).pictures(0, 20)[0] for seed in (0, 1, -1, 2**63, 2**64 - 2)]
    for first in range(len(images)):
        for second in range(first):
            assert all((a != b).any() for a, b in zip(images[first], images[second], strict=True))


def test_all_pictures_differ():
    images, _, _ = Scenes(16, 16).pictures(0, 2000)
    assert len({image.tobytes() for image in images}) == 2000


def test_the_factors_of_a_scene_make_it_again():
    scenes = Scenes(32, 40, seed=5)
    for index in range(3):
        scene = scenes.picture(index)
        again = render(scene.factors, 32, 40)
        np.testing.assert_array_equal(scene.image, again.image)
        np.testing.assert_array_equal(scene.mask, again.mask)


# --- Masks are true ---


@pytest.mark.parametrize("size", [32, 64, 256])
@pytest.mark.parametrize("radius", [0.08, 0.11])
def test_a_free_sun_has_the_area_of_its_disc(size, radius):
    found = area(render(bare(light=1, light_height=0.5, light_x=0.5, light_size=radius), size, size), "sun")
    # Pixel centres in a disc: off by about the root of the number of pixels on its edge (2 pi r).
    assert found * size**2 == pytest.approx(math.pi * (radius * size) ** 2, abs=math.sqrt(2 * math.pi * radius * size))


def test_the_sun_stands_where_its_factors_say():
    scene = render(bare(light=1, light_height=0.5, light_x=0.3, horizon=0.6), 128, 256)
    rows, columns = np.nonzero(scene.mask == identifier("sun"))
    # By day at 0.5 + 0.28 light_height of the way from the horizon to the top; half a pixel is the grid's.
    assert rows.mean() + 0.5 == pytest.approx(0.6 * (1 - 0.64) * 128, abs=0.5)
    assert columns.mean() + 0.5 == pytest.approx(0.3 * 256, abs=0.5)


def test_the_moon_is_a_disc_without_the_lens_that_a_second_disc_cuts_out():
    factors = bare(light=1, light_height=0.5, light_x=0.5, light_size=0.1, time=TIMES.index("night"), moon_phase=0.5)
    r, s, d = 0.1, 0.092, 0.05 * math.hypot(1, 0.6)
    a, b = math.acos((d * d + r * r - s * s) / (2 * d * r)), math.acos((d * d + s * s - r * r) / (2 * d * s))
    lens = r * r * (a - math.sin(a) * math.cos(a)) + s * s * (b - math.sin(b) * math.cos(b))
    # The edge is about 3 pi r long; of a 512 grid that is 480 pixels, whose root is 22, of 2,900.
    assert area(render(factors, 512, 512), "moon") == pytest.approx(math.pi * r * r - lens, rel=0.01)


def test_a_free_house_has_the_area_of_its_wall_roof_and_chimney():
    factors = bare(object0_kind=KINDS.index("house"), object0_x=0.5, object0_size=0.4, object0_depth=0.5)
    # In units of the size: wall 0.84 x 0.52, roof above 0.48 of half width 0.52, less the 0.04 that they share, and
    # the chimney from 0.18 to 0.30 between the roof 1 - x and 0.98.
    expected = 0.84 * 0.52 + 0.52**2 - 0.84 * 0.04 + ((0.30**2 - 0.18**2) / 2 - 0.02 * 0.12)
    assert area(render(factors, 512, 512), "house") == pytest.approx(expected * 0.4**2, rel=0.01)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 96), (96, 48)])
def test_the_horizon_of_the_sea_is_a_straight_line_at_its_height(height, width):
    scene = render(bare(landscape=LANDSCAPES.index("coast"), horizon=0.5, shore=0.88, shore_slope=0), height, width)
    assert (scene.mask[: height // 2] == identifier("sky")).all()
    assert (scene.mask[height // 2 : int(0.85 * height)] == identifier("water")).all()
    assert (scene.mask[-1] == identifier("sand")).all()


@pytest.mark.slow
def test_the_mask_is_what_covers_most_of_the_pixel():
    # Truth from 8 times the resolution. A pixel of three things, or thinner than half a pixel, may differ: 1.5 %.
    _, masks, _ = Scenes(32, 32).pictures(0, 48)
    _, fine, _ = Scenes(256, 256).pictures(0, 48)
    shares = np.stack([(fine == k).reshape(48, 32, 8, 32, 8).mean((2, 4)) for k in range(len(MASK_NAMES))], -1)
    same, largest = shares.argmax(-1) == masks, shares.max(-1)
    assert same.mean() > 0.985
    assert same[largest > 0.6].mean() > 0.997
    assert same[largest == 1].mean() > 0.9999


def test_taking_a_thing_away_changes_only_its_pixels_shadow_and_edges():
    scenes = Scenes(64, 64)
    changed = 0
    for index in range(6):
        scene = scenes.picture(index)
        without = render(scene.factors | {f"object{k}_kind": 0.0 for k in range(4)}, 64, 64)
        things = np.isin(scene.mask, [identifier(name) for name in ("tree", "house", "bush", "rock", "cactus")])
        np.testing.assert_array_equal(scene.mask[~things], without.mask[~things])
        assert not np.isin(without.mask, np.unique(scene.mask[things])).any()
        changed += things.sum()
    assert changed > 500


@pytest.mark.parametrize(("height", "width"), [(32, 32), (20, 64), (64, 20)])
def test_every_pixel_has_a_mask_and_every_mask_has_pixels(height, width):
    _, masks, _ = Scenes(height, width).pictures(0, 500)
    assert sorted(np.unique(masks)) == list(range(len(MASK_NAMES)))


# --- Labels and factors ---


def test_the_label_is_the_landscape_and_the_landscape_is_on_the_ground():
    scenes = Scenes()
    _, masks, labels = scenes.pictures(0, 300)
    grounds = {"meadow": {"grass"}, "desert": {"sand"}, "winter": {"snow"}, "coast": {"sand", "water"}}
    for mask, label in zip(masks, labels, strict=True):
        seen = {MASK_NAMES[number] for number in np.unique(mask)} & {"grass", "sand", "snow", "water"}
        assert seen - ({"water"} if CLASS_NAMES[label] == "meadow" else set()) == grounds[CLASS_NAMES[label]]  # A pond.
    np.testing.assert_array_equal(labels, scenes.factors(np.arange(300))["landscape"])


def test_classes_are_equally_frequent():
    n = 40000
    counts = np.bincount(draw(0, np.arange(n))["landscape"].astype(int), minlength=len(CLASS_NAMES))
    deviation = math.sqrt(n * 0.25 * 0.75)
    assert np.abs(counts - n / 4).max() < 4 * deviation  # Of four counts, one in 4,000 sets is farther off.


def test_times_of_day_have_their_stated_shares():
    n = 40000
    counts = np.bincount(draw(7, np.arange(n))["time"].astype(int), minlength=3)
    for count, share in zip(counts, (0.62, 0.20, 0.18), strict=True):
        assert abs(count - n * share) < 4 * math.sqrt(n * share * (1 - share))


def test_factors_of_a_scene_are_uncorrelated_with_those_of_the_next():
    factors = draw(0, np.arange(20001))
    for name in ("sky_tint", "light_x", "cloud0_size", "object2_style"):
        r = np.corrcoef(factors[name][:-1], factors[name][1:])[0, 1]
        assert abs(r) < 4 / math.sqrt(20000)  # The standard error of a correlation of nothing is 1 / sqrt(n).


def test_a_place_by_day_and_by_night_differs_in_nothing_but_its_light():
    day, night = (Scenes(32, 32, count=60, seed=4, time=time).pictures(0, 60) for time in ("day", "night"))
    lights = [identifier("sun"), identifier("moon")]
    alike = ~np.isin(day[1], lights) & ~np.isin(night[1], lights)
    assert alike.mean() > 0.95
    np.testing.assert_array_equal(day[1][alike], night[1][alike])
    np.testing.assert_array_equal(day[2], night[2])
    assert not (day[1] == identifier("moon")).any()
    assert not (night[1] == identifier("sun")).any()
    assert day[0].mean() > 2 * night[0].mean()


def test_a_time_that_there_is_not_is_refused():
    with pytest.raises(UserError, match=r"time=noon is not a choice.*day, dusk, night"):
        Scenes(time="noon")


def test_by_night_there_is_a_moon_and_no_sun():
    scenes = Scenes(seed=2)
    _, masks, _ = scenes.pictures(0, 400)
    night = scenes.factors(np.arange(400))["time"] == TIMES.index("night")
    assert not (masks[night] == identifier("sun")).any()
    assert not (masks[~night] == identifier("moon")).any()
    assert (masks[night] == identifier("moon")).any()


# --- Sizes ---


@pytest.mark.parametrize(("height", "width"), [(32, 32), (32, 64), (48, 32)])
def test_half_the_resolution_is_the_same_scene(height, width):
    small, _, _ = Scenes(height, width).pictures(0, 60)
    large, _, _ = Scenes(2 * height, 2 * width).pictures(0, 60)
    halved = large.reshape(60, height, 2, width, 2, 3).mean((2, 4))
    off = np.abs(halved - small).mean((1, 2, 3))
    # Grey levels of 255. Two different scenes are 60 apart; a shift by half a pixel would be 3 to 4.
    assert off.mean() < 1.2
    assert off.max() < 4


@pytest.mark.parametrize(("height", "width"), [(4, 4), (4, 200), (200, 4), (33, 65), (5, 7)])
def test_any_size_from_four_pixels_can_be_made(height, width):
    images, masks, labels = Scenes(height, width).pictures(0, 50)
    assert images.shape == (50, height, width, 3)
    assert masks.shape == (50, height, width)
    assert labels.dtype == np.int64
    assert images.std() > 20


# --- Mistakes ---


@pytest.mark.parametrize(("height", "width"), [(1, 32), (32, 1), (3, 3), (0, 0), (-8, 8)])
def test_a_picture_of_a_few_pixels_is_refused(height, width):
    with pytest.raises(UserError, match="at least 4 pixels"):
        Scenes(height, width)
    with pytest.raises(UserError, match="at least 4 pixels"):
        render(bare(), height, width)


def test_no_pictures_at_all_are_refused():
    with pytest.raises(UserError, match="at least one"):
        Scenes(count=0)


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (0, 11), (5, 4)])
def test_pictures_that_are_not_there_are_refused(start, stop):
    with pytest.raises(UserError, match="0 <= start <= stop <= 10"):
        Scenes(count=10).pictures(start, stop)


def test_indices_that_are_not_there_are_refused():
    with pytest.raises(UserError, match="from 0 to 9"):
        Scenes(count=10).select(np.array([3, 10]))
    with pytest.raises(IndexError, match="no picture 10"):
        Scenes(count=10).picture(10)
    with pytest.raises(IndexError):
        Scenes(count=10).picture(-1)


def test_a_loop_over_scenes_ends():
    assert [scene.label for scene in Scenes(8, 8, count=5)] == Scenes(8, 8).pictures(0, 5)[2].tolist()


def test_an_empty_range_is_an_empty_batch():
    images, masks, labels = Scenes(8, 12).pictures(3, 3)
    assert images.shape == (0, 8, 12, 3)
    assert masks.shape == (0, 8, 12)
    assert labels.shape == (0,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizn": 0.5}, "Did you mean 'horizon'"),
        ({"time": 3}, "0 day, 1 dusk, 2 night"),
        ({"landscape": 0.5}, "0 meadow"),
        ({"object0_kind": 99}, "4 house"),
        ({"sky_tint": math.nan}, "finite"),
        ({"light_size": 0}, "above 0"),
        ({"horizon": 1.5}, "between 0 and 1"),
    ],
)
def test_factors_that_make_no_scene_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        render(bare() | changes, 32, 32)


def test_a_missing_factor_is_named():
    factors = bare()
    del factors["horizon"]
    with pytest.raises(UserError, match="'horizon' is missing"):
        render(factors, 32, 32)
