import numpy as np
import pytest
import torch
from scipy import ndimage

from ganvas.core.errors import UserError
from ganvas.metrics import swd
from ganvas.metrics.accumulators import metric_contract, row_table
from ganvas.metrics.maths.distances import sliced_wasserstein
from ganvas.metrics.swd import Accumulator, Config


def textured(n, *, seed, size=32, fine=1.0):
    """Blurred noise over large shapes; ``fine`` is the deviation of the blur in pixels."""
    random = np.random.default_rng(seed)
    shapes = ndimage.zoom(random.normal(size=(n, 3, 4, 4)), (1, 1, size / 4, size / 4), order=1) * 40
    grain = ndimage.gaussian_filter(random.normal(size=(n, 3, size, size)), (0, 0, fine, fine), mode="wrap")
    picture = 120 + shapes + 20 * grain / grain.std()
    return torch.from_numpy(picture.clip(0, 255)).byte()


SMALL = Config(patches=32, directions=40)


def filled(pictures, *, config=SMALL, **how):
    accumulator = Accumulator(config=config, **how)
    accumulator.update(pictures)
    return accumulator


# The definition, written down plainly.

BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def plain_pyramid(x, levels):
    parts = []
    for _ in range(levels - 1):
        low = ndimage.convolve(x, BINOMIAL[None, None], mode="mirror")[:, :, ::2, ::2]
        zeros = np.zeros_like(x)
        zeros[:, :, ::2, ::2] = low
        parts.append(x - ndimage.convolve(zeros, 4 * BINOMIAL[None, None], mode="mirror"))
        x = low
    return [*parts, x]


def plain_patches(level, corners):
    return np.array(
        [[picture[:, y : y + 7, x : x + 7] for y, x in places] for picture, places in zip(level, corners, strict=True)]
    )


def plain_swd(real, fake, directions):
    def normalised(patches):
        return (patches - patches.mean((0, 1, 3, 4), keepdims=True)) / patches.std((0, 1, 3, 4), keepdims=True)

    x, y = (normalised(patches).reshape(-1, directions.shape[1]) @ directions.T for patches in (real, fake))
    return 1000 * np.abs(np.sort(x, 0) - np.sort(y, 0)).mean()


def test_the_value_is_the_definition_written_plainly_in_float64():
    a, b = textured(24, seed=1, size=64), textured(24, seed=2, size=64, fine=0.5)
    config = Config(patches=40, directions=48)
    real, fake = filled(a, config=config), filled(b, config=config)
    found = {result.metric: result.value for result in swd.compare(real, fake)}
    expected = {}
    for name, *levels in zip((64, 32, 16), *(plain_pyramid(x.double().numpy(), 3) for x in (a, b)), strict=True):
        corners = real._places(torch.arange(24), name, name, name).numpy()
        directions = sliced_wasserstein.unit_directions(48, 147, "swd", "directions", name, seed=0).double().numpy()
        expected[f"swd.{name}"] = plain_swd(*(plain_patches(level, corners) for level in levels), directions)
    expected["swd"] = np.mean(list(expected.values()))
    # Patches and projections are float32; 1e-6 is ten times its rounding and one in a million of the distance.
    assert found == pytest.approx(expected, rel=2e-6)


def test_projections_in_float64_are_exact():
    random = torch.Generator().manual_seed(0)
    x, y = (torch.randn(30, 5, 12, generator=random, dtype=torch.float64) for _ in range(2))
    u = sliced_wasserstein.unit_directions(20, 12, "test", seed=0).double()
    expected = np.abs(
        np.sort(x.flatten(0, 1).numpy() @ u.numpy().T, 0) - np.sort(y.flatten(0, 1).numpy() @ u.numpy().T, 0)
    ).mean(0)
    np.testing.assert_allclose(
        sliced_wasserstein.wasserstein(sliced_wasserstein.cloud(x), sliced_wasserstein.cloud(y), u).distances,
        expected,
        rtol=1e-12,
    )


def test_a_shift_costs_its_length_along_every_direction():
    x = torch.randn(50, 4, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shift = torch.linspace(-1, 2, 20, dtype=torch.float64)
    u = sliced_wasserstein.unit_directions(64, 20, "test", seed=1).double()
    found = sliced_wasserstein.wasserstein(
        sliced_wasserstein.cloud(x + shift), sliced_wasserstein.cloud(x), u
    ).distances
    np.testing.assert_allclose(found, (u @ shift).abs(), rtol=1e-12)


def test_two_normal_laws_are_half_a_deviation_apart_times_the_mean_of_a_normal():
    # W1(N(0, 1), N(0, 1.5^2)) = 0.5 E|Z| = 0.5 sqrt(2 / pi), in any direction. 4 deviations of the mean of 1e5.
    random = torch.Generator().manual_seed(0)
    x, y = (scale * torch.randn(100_000, 1, 3, generator=random) for scale in (1.0, 1.5))
    found = sliced_wasserstein.wasserstein(
        sliced_wasserstein.cloud(y),
        sliced_wasserstein.cloud(x),
        sliced_wasserstein.unit_directions(8, 3, "test", seed=0),
    )
    assert found.distances.mean() == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=4 * 1.5 / np.sqrt(1e5))


def test_directions_are_unit_vectors_in_no_preferred_direction():
    u = sliced_wasserstein.unit_directions(4_000, 5, "test", seed=0).double()
    torch.testing.assert_close(u.norm(dim=1), torch.ones(4_000, dtype=torch.float64), rtol=0, atol=1e-6)
    assert float((u.T @ u / len(u) - torch.eye(5) / 5).abs().max()) < 5 / np.sqrt(len(u)) / 5


def test_memory_is_bounded_by_working_in_blocks_and_blocks_change_nothing(monkeypatch):
    a, b = filled(textured(20, seed=1)), filled(textured(20, seed=2))
    whole = swd.compare(a, b)
    monkeypatch.setattr(sliced_wasserstein, "WORK_BYTES", 20 * 32 * 4 * 2 * 10)
    for one, other in zip(whole, swd.compare(a, b), strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-6)
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-5)


def test_patches_beyond_the_memory_lie_on_the_disk_and_change_nothing(monkeypatch):

    pictures = textured(40, seed=1)
    expected = swd.compare(filled(textured(40, seed=2)), filled(pictures))
    monkeypatch.setattr(row_table, "SLAB_BYTES", 1 << 18)
    monkeypatch.setattr(metric_contract, "MEMORY_BYTES", 1 << 19)
    on_disk = filled(pictures)
    slabs = list(on_disk.tables["patches.16"].slabs())
    assert sum(slab.untyped_storage().nbytes() for slab in slabs) > 1 << 19
    found = swd.compare(filled(textured(40, seed=2)), on_disk)
    assert [one.value for one in found] == pytest.approx([one.value for one in expected], rel=1e-6)


def test_every_place_where_a_patch_fits_is_drawn_and_equally_often():
    places = Accumulator(config=Config(patches=500))._places(torch.arange(100), 16, 10, 9).flatten(0, 1)
    assert places.min(0).values.tolist() == [0, 0]
    assert places.max(0).values.tolist() == [3, 2]
    counts = torch.bincount(places[:, 0] * 3 + places[:, 1]).double()
    # Chi-squared with 11 degrees of freedom is below 31.3 with probability 0.999.
    assert float(((counts - counts.mean()) ** 2 / counts.mean()).sum()) < 31.3


def test_a_patch_holds_the_pixels_under_it():
    level = torch.arange(2 * 3 * 9 * 10).view(2, 3, 9, 10).float()
    places = torch.tensor([[[0, 0], [2, 3]], [[1, 2], [2, 0]]])
    found = swd.cut(level, places).view(2, 2, 3, 7, 7)
    for picture, patch in ((0, 0), (0, 1), (1, 0), (1, 1)):
        y, x = places[picture, patch]
        assert torch.equal(found[picture, patch], level[picture, :, y : y + 7, x : x + 7])


def test_brightness_and_contrast_of_a_whole_set_cancel_and_texture_does_not():
    a = textured(64, seed=1).float()
    dimmer = (a * 0.5 + 30).byte()
    assert swd.compare(filled(a.byte()), filled(dimmer))[0].value < 10  # Rounding to bytes is all that is left.
    assert swd.compare(filled(a.byte()), filled(textured(64, seed=1, fine=0.4)))[0].value > 20


def test_pictures_below_the_size_of_a_patch_are_refused():
    with pytest.raises(UserError, match="too small"):
        filled(torch.zeros(16, 3, 6, 32, dtype=torch.uint8))


def test_a_config_of_no_patches_is_refused():
    with pytest.raises(UserError, match="at least 1"):
        Config(patches=0)


def clustered(n, patches, d, *, random, shift=0.0):
    """Patches of a picture share the picture's own vector, so that n * patches of them know little more than n."""
    own = torch.randn(n, 1, d, generator=random, dtype=torch.float64)
    return own + 0.5 * torch.randn(n, patches, d, generator=random, dtype=torch.float64) + shift


@pytest.mark.slow
@pytest.mark.simulate
def test_95_percent_intervals_cover_a_known_distance_in_90_to_99_of_100_experiments(experiments):
    # W1 of a law shifted by c is |u . c| along u, and here far above the floor, where bias is negligible.
    random = torch.Generator().manual_seed(0)
    u = sliced_wasserstein.unit_directions(8, 6, "test", seed=0).double()
    shift = torch.full((6,), 1.5, dtype=torch.float64)
    truth, covered, repeats = float((u @ shift).abs().mean()), 0, experiments.count(200)
    for _ in range(repeats):
        x, y = (clustered(80, 6, 6, random=random, shift=by) for by in (shift, 0.0))
        found = sliced_wasserstein.wasserstein(sliced_wasserstein.cloud(x), sliced_wasserstein.cloud(y), u, explained=8)
        error = np.sqrt(
            sum(
                sliced_wasserstein.variance(side.potential, explained=8, directions=8)
                for side in (found.fake, found.real)
            )
        )
        covered += abs(found.distances.mean() - truth) < 1.96 * error
    experiments.require(covered / repeats)


def test_the_variance_of_influences_is_over_all_directions_though_few_were_explained():
    # Each picture moves all directions by a (variance 1) and each direction by its own b (variance 4): the mean over
    # 100 directions has variance (1 + 4 / 100) / n, whatever the number of explained ones.
    random, n = np.random.default_rng(0), 200_000
    halves = random.normal(size=n) + 2 * random.normal(size=(2, n)) / np.sqrt(5)  # 10 explained, 5 in each half.
    assert sliced_wasserstein.variance(halves, explained=10, directions=100) * n == pytest.approx(1 + 4 / 100, rel=0.01)


@pytest.mark.slow
@pytest.mark.simulate
def test_the_standard_error_is_the_spread_of_the_whole_metric_over_new_draws(experiments):
    experiments.only_in_full()
    # Pictures, pyramid, normalisation and all. With 24 draws the spread itself is known to 15 %: two of these either
    # way, far above the floor. At the floor the error bar may only be too wide.
    found = []
    for seed in range(24):
        how = {"seed": seed, "config": Config(patches=24, directions=48)}
        real = filled(textured(128, seed=2 * seed, fine=2.0), **how)
        for fine in (0.2, 2.0):
            fake = filled(textured(128, seed=2 * seed + 1, fine=fine), **how)
            found.append([(result.value, result.standard_error) for result in swd.compare(real, fake)])
    table = np.array(found).reshape(24, 2, -1, 2)
    spread, error = table[..., 0].std(0, ddof=1), np.sqrt((table[..., 1] ** 2).mean(0))
    far, floor, finest = 0, 1, 1
    assert table[:, far, finest, 0].mean() > 2 * table[:, floor, finest, 0].mean()
    assert 0.7 < error[far, finest] / spread[far, finest] < 1.3
    assert (error / spread > 0.7).all()


def test_the_influence_of_a_picture_is_what_the_distance_changes_by_when_it_is_left_out():
    # To first order, T - T without the i-th pair = (f of the fake - f of the real) / (n - 1). Brightness differs
    # from picture to picture, so that most of the potential's share cancels with that of the normalisation.
    n, config = 30, Config(patches=16, directions=10)
    a, b = (textured(n, seed=seed, fine=fine).float() for seed, fine in ((1, 1.0), (2, 0.4)))
    glare = 20 * torch.randn(n, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    a, b = ((picture / 2 + 64 + glare).clamp(0, 255).byte() for picture in (a, b))

    def level(kept):
        sides = [Accumulator(config=config), Accumulator(config=config)]
        for side, pictures in zip(sides, (a, b), strict=True):
            side.update(pictures[kept], index=kept)
        return [swd._level(*sides, name) for name in (32, 16)]

    whole = level(torch.arange(n))
    left_out = [level(torch.cat([torch.arange(i), torch.arange(i + 1, n)])) for i in range(n)]
    fine, coarse = (
        (
            (n - 1) * np.array([part.value - without[k].value for without in left_out]),
            part.influences[0].mean(0) - part.influences[1].mean(0),
        )
        for k, part in enumerate(whole)
    )
    for change, influence in (fine, coarse):
        assert np.corrcoef(change, influence)[0, 1] > 0.95
    assert 0.9 < np.polyfit(fine[1], fine[0], 1)[0] < 1.1


def test_the_place_of_a_patch_belongs_to_the_picture_alone():
    accumulator = Accumulator()
    together = accumulator._places(torch.tensor([3, 259, 1027]), 32, 32, 32)
    alone = [accumulator._places(torch.tensor([index]), 32, 32, 32)[0] for index in (3, 259, 1027)]
    assert torch.equal(together, torch.stack(alone))
    assert len({tuple(places.flatten().tolist()) for places in together}) == 3
