"""Statistics made in parts and merged are those of the whole set."""

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.stats import Stats, StatsMerge, merge_stats, stats

PICTURES = 41  # Odd, so that the last picture has no partner.
LOOK = {"features": "untrained", "quiet": True}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Two folders of pictures of noise, the statistics of the first as a whole and in three parts."""
    root = tmp_path_factory.mktemp("parts")
    for name, seed in (("reals", 1), ("fakes", 2)):
        random = np.random.default_rng(seed)
        (root / name).mkdir()
        for index in range(PICTURES):
            pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index:03d}.png")
    how = {"source": str(root / "reals"), "metrics": ("fid,kid,ms_ssim,swd",), **LOOK}
    stats(Stats(out=root / "whole.npz", **how))
    for part, first, count in ((1, 1, 12), (2, 13, 14), (3, 27, 15)):  # Borders lie between pairs: 41 // 2 * part // 3.
        found = stats(Stats(out=root / f"part{part}.npz", shard=f"{part}/3", **how))
        assert (found.first, found.of, found.n) == (first, PICTURES, count)
    return root


@pytest.fixture(scope="module")
def merged(given):
    return merge_stats(StatsMerge(parts=tuple(given / f"part{part}.npz" for part in (3, 1, 2)), out=given / "all.npz"))


def test_merged_parts_are_the_whole_in_every_array(given, merged):
    assert (merged.n, merged.metrics) == (PICTURES, ["fid", "kid", "ms_ssim", "swd"])
    with np.load(given / "whole.npz") as whole, np.load(given / "all.npz") as found:
        assert set(whole.files) == set(found.files)
        for name in set(whole.files) - {"protocol", "ganvas/manifest"}:
            # Rows are those of the whole; what is a sum of float64 may be added in another order.
            np.testing.assert_allclose(found[name], whole[name], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("metric", ["fid", "kid", "ms_ssim", "swd"])
def test_what_is_measured_against_merged_parts_is_what_is_measured_against_the_whole(given, merged, metric):
    found, expected = (
        measure(Measure(a=str(given / "fakes"), ref=given / file, metrics=(metric,), **LOOK))
        for file in ("all.npz", "whole.npz")
    )
    for one, other in zip(found.results, expected.results, strict=True):
        assert (one.value, one.standard_error) == pytest.approx((other.value, other.standard_error), rel=1e-12)


def test_moments_alone_are_merged_by_the_formula_of_two_sets(given):
    how = {"source": str(given / "reals"), "moments": True, **LOOK}
    for part in (1, 2):
        stats(Stats(out=given / f"moments{part}.npz", shard=f"{part}/2", **how))
    merge_stats(StatsMerge(parts=(given / "moments1.npz", given / "moments2.npz"), out=given / "moments.npz"))
    with np.load(given / "whole.npz") as whole, np.load(given / "moments.npz") as found:
        for name in ("mu", "sigma", "n"):
            np.testing.assert_allclose(found[name], whole[name], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("part1.npz", "part3.npz"), "Pictures 13 to 26 of 41 are in none of the files"),
        (("part1.npz", "part2.npz"), "Pictures 27 to 41 of 41"),
        (("part1.npz", "part1.npz"), "are of the same pictures"),
        (("part1.npz", "whole.npz"), r"whole\.npz is no part of a set"),
        (("part1.npz", "other.npz"), "were made with the seeds 0 and 1"),
        ((), "Nothing is given"),
    ],
)
def test_parts_that_are_no_whole_are_refused(given, parts, message):
    if "other.npz" in parts and not (given / "other.npz").exists():
        stats(Stats(source=str(given / "reals"), out=given / "other.npz", shard="2/3", seed=1, **LOOK))
    with pytest.raises(UserError, match=message):
        merge_stats(StatsMerge(parts=tuple(given / part for part in parts), out=given / "no.npz"))
    assert not (given / "no.npz").exists()


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b", "1/30"])
def test_a_part_that_there_is_not_is_refused(given, shard):
    with pytest.raises(UserError, match=f"--shard {shard}"):
        stats(Stats(source=str(given / "reals"), out=given / "no.npz", shard=shard, **LOOK))
