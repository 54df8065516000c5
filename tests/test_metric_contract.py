"""Runs over every metric of the catalogue: a new file is tested before its author writes a test."""

import functools
import math
from pathlib import Path

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.results import Result, difference
from ganvas.metrics import fld
from ganvas.metrics.accumulators import metric_contract
from ganvas.metrics.accumulators import row_table as tables
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.maths.triangles import created_equal_fit, triangle_fit
from ganvas.metrics.measuring import metric_catalogue
from ganvas.metrics.measuring.flow import SEEN, measure, reference


class MeanDistance:
    """In the place of a network that compares pairs of pictures."""

    identity, taps = "mean-distance", {}

    def extract(self, pictures, taps):
        raise AssertionError("it gives no rows")

    def distances(self, x, y):
        return (x.double() - y.double()).abs().flatten(1).mean(1)


RELATIVE = 1e-6  # Of float32 sums in another order; what is added up from the same numbers is exact.


def pictures(n, *, seed, channels=3, size=(32, 32)):
    """Smooth pictures with detail: every level of a pyramid has something to see."""
    random = torch.Generator().manual_seed(seed)
    smooth = torch.rand(n, channels, 4, 4, generator=random) * 255
    smooth = torch.nn.functional.interpolate(smooth, size=size, mode="bilinear")
    return (smooth + 12 * torch.randn(n, channels, *size, generator=random)).clamp(0, 255).byte()


def rows(module, n, *, seed, **how):
    """What the metric takes: pictures, or features of a network."""
    if module.SEES == "pixels":
        return pictures(n, seed=seed, **how)
    return torch.randn(n, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def values(results):
    return {result.metric: result.value for result in results}


def same(one, other):
    assert values(one) == pytest.approx(values(other), rel=RELATIVE, abs=1e-9)
    errors = [[result.standard_error or 0.0 for result in results] for results in (one, other)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-4, abs=1e-9)  # An error bar needs no more digits.


OF_SETS = [name for name in metric_catalogue.names() if metric_catalogue.load(name).SEES in SEEN]
IN_FAST = ("fid", "kid", "swd", "ssim")  # Of features and of pixels, with all rows kept, sums alone, and pairs.


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] * (name not in IN_FAST)) for name in OF_SETS]
)
def metric(request):
    module = metric_catalogue.load(request.param)
    if hasattr(module, "NEEDS"):
        pytest.importorskip(module.NEEDS, reason=f"needs {module.NEEDS}: pip install 'ganvas[metrics]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fld, "SPLITS", 2)  # The contract asks whether there is an error, not how sure it is ...
        patch.setattr(fld, "STEPS", 10)
        for of, searches in ((triangle_fit, "NEAREST"), (triangle_fit, "JITTERED"), (created_equal_fit, "STARTS")):
            patch.setattr(of, searches, 1)  # ... nor how near a search comes.
        if metric_contract.shows_pairs(module):
            patch.setattr(module, "compare", functools.partial(module.compare, network=MeanDistance()))
        yield module


@pytest.fixture(scope="module")
def n(metric):
    return max(24, metric.MINIMUM + 4 + metric.MINIMUM % 2)  # Four may go, and enough are left.


@pytest.fixture(scope="module")
def filled(metric):
    def fill(data, *, batch=7, seed=3, config=metric.TINY):
        accumulator = metric.Accumulator(seed=seed, config=config)
        for start in range(0, len(data), batch):
            accumulator.update(data[start : start + batch])
        return accumulator

    return fill


@pytest.fixture(scope="module")
def real(metric, n):
    return rows(metric, n, seed=1)


@pytest.fixture(scope="module")
def fake(metric, n):
    return rows(metric, n, seed=2)


@pytest.fixture(scope="module")
def straight(metric, filled, real, fake):
    return metric.compare(filled(real), filled(fake))


def test_a_metric_says_what_it_is(metric):
    name = metric.__name__.rpartition(".")[2]
    entry = next(entry for entry in metric_catalogue.entries() if entry.name == name)
    assert name == metric.NAME
    assert metric.TITLE
    assert metric.BETTER in ("lower", "higher", "neither")
    assert metric.MINIMUM >= 2
    assert entry.summary.endswith(".")
    assert entry.link.startswith("https://")
    assert "Standard error" in metric.__doc__
    assert isinstance(metric.TINY, metric.Config)
    assert metric.Config.__dataclass_params__.frozen


def test_the_wings_hold_machinery_and_no_metric():
    wings = {path.stem for path in Path(fld.__file__).parent.glob("*/*.py")} - {"__init__"}
    assert {"flow", "frechet", "feature_rows"} <= wings
    assert not wings & set(metric_catalogue.names())


def test_a_metric_of_features_says_whose(metric):
    if metric.SEES == "pixels":
        assert hasattr(metric, "NETWORK") == metric_contract.shows_pairs(metric)
        pytest.skip("takes pictures")
    from ganvas.features import network_catalogue as networks

    taps = {entry.name: entry.taps for entry in networks.entries()}
    if metric.NETWORK in taps:  # Others are files that a person gives.
        assert metric.SEES in taps[metric.NETWORK]
    assert isinstance(getattr(metric, "FIXED", False), bool)


def test_every_field_of_every_result_is_filled(metric, straight, n):
    assert straight[0].metric == metric.NAME
    for result in straight:
        assert isinstance(result, Result)
        assert result.metric.partition(".")[0] == metric.NAME
        assert math.isfinite(result.value)
        assert result.standard_error is not None
        assert result.standard_error >= 0
        assert result.error_method
        assert (result.n, result.seed) == (n, 3)
        assert result.better == metric.BETTER or "." in result.metric  # A part may be a divergence beside a count.
        assert result.protocol.startswith(f"{metric.NAME}:n{n}:")


def test_the_batch_size_changes_nothing(metric, filled, real, fake, straight):
    for batch in (1, len(real)):
        same(metric.compare(filled(real, batch=batch), filled(fake, batch=batch)), straight)


def test_batches_may_arrive_in_any_order(metric, filled, fake, real, straight):
    shuffled = metric.Accumulator(seed=3, config=metric.TINY)
    for part in torch.randperm(len(fake), generator=torch.Generator().manual_seed(0)).split(5):
        shuffled.update(fake[part], index=part)
    same(metric.compare(filled(real), shuffled), straight)


def test_two_halves_merge_into_the_whole(metric, filled, real, fake, straight):
    cut = len(fake) // 2 + 1  # In the middle of a pair.
    first, second = metric.Accumulator(seed=3, config=metric.TINY), metric.Accumulator(seed=3, config=metric.TINY)
    first.update(fake[:cut], index=torch.arange(cut))
    second.update(fake[cut:], index=torch.arange(cut, len(fake)))
    whole = second + first
    assert (whole.n, first.n, second.n) == (len(fake), cut, len(fake) - cut)
    same(metric.compare(filled(real), whole), straight)
    whole.update(fake[:2])  # Goes on after the last place of either half.
    assert len(whole.tables["index"].all().unique()) == len(fake) + 2


def test_halves_that_hold_the_same_places_are_refused(metric, filled, fake):
    with pytest.raises(UserError, match="same place"):
        _ = filled(fake) + filled(fake)


def test_saved_and_loaded_midway_equals_straight_through(metric, filled, real, fake, straight, tmp_path):
    from safetensors.torch import load_file, save_file

    accumulator = metric.Accumulator(seed=3, config=metric.TINY)
    accumulator.update(fake[:9])
    save_file(accumulator.state(), tmp_path / "stats.safetensors")
    again = metric.Accumulator.from_state(load_file(tmp_path / "stats.safetensors"))
    again.update(fake[9:])
    assert again.n == len(fake)
    same(metric.compare(filled(real), again), straight)


def test_reset_forgets_everything(metric, filled, real, fake, straight):
    accumulator = filled(real)
    accumulator.reset()
    assert accumulator.n == 0
    accumulator.update(fake)
    same(metric.compare(filled(real), accumulator), straight)


def test_comparing_does_not_change_the_statistics(metric, filled, real, fake, straight):
    reals, fakes = filled(real), filled(fake)
    same(metric.compare(reals, fakes), metric.compare(reals, fakes))


def test_the_same_seed_gives_the_same_value_and_no_global_random_stream_is_touched(metric, filled, real, fake):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = (metric.compare(filled(real), filled(fake)) for _ in range(2))
    assert values(first) == values(second)
    assert torch.equal(torch.rand(3), expected)


def test_a_set_against_itself_is_as_good_as_can_be(metric, filled, real):
    results = metric.compare(filled(real), filled(real))
    if getattr(metric, "UNBIASED", False):
        assert all(result.value <= 1e-9 for result in results)  # Below the mean over new draws, which would be 0.
    elif metric.BETTER == "lower" and not getattr(metric, "PUNISHES_COPIES", False):
        assert [result.value for result in results] == pytest.approx([0.0] * len(results), abs=1e-9)
    elif metric.BETTER == "neither":
        by_name = values(results)
        assert by_name[metric.NAME] == by_name[f"{metric.NAME}.real"]


@pytest.mark.parametrize("grey_level", [0, 200, 255])
def test_constant_pictures_give_numbers(metric, filled, real, grey_level):
    if metric.SEES != "pixels":
        pytest.skip("takes features")
    flat = torch.full_like(real, grey_level)
    for a, b in ((real, flat), (flat, real), (flat, flat)):
        assert all(math.isfinite(result.value) for result in metric.compare(filled(a), filled(b)))


@pytest.mark.parametrize(("size", "channels"), [((32, 48), 1), ((33, 40), 4), ((20, 18), 3), ((8, 8), 3)])
def test_any_shape_is_measured(metric, filled, n, size, channels):
    if metric.SEES != "pixels":
        pytest.skip("takes features")
    a, b = (rows(metric, n, seed=seed, size=size, channels=channels) for seed in (1, 2))
    results = metric.compare(filled(a), filled(b))
    assert all(math.isfinite(result.value) for result in results)
    assert f"{size[0]}x{size[1]}x{channels}" in results[0].protocol


def test_too_few_pictures_are_refused(metric, filled, real, fake):
    few = metric.MINIMUM - 1
    with pytest.raises(UserError, match=f"at least {metric.MINIMUM} pictures"):
        metric.compare(filled(real[:few], config=metric.Config()), filled(fake[:few], config=metric.Config()))
    enough = metric.MINIMUM
    metric.compare(filled(real[:enough]), filled(fake[:enough]))


def test_unlike_counts_are_refused(metric, filled, real, fake):
    if not getattr(metric, "EQUAL", True):
        pytest.skip("compares sets of any two sizes")
    with pytest.raises(UserError, match="equally many"):
        metric.compare(filled(real), filled(fake[:-2]))


def test_features_of_another_network_are_refused_and_its_own_is_in_the_protocol(metric, real, fake):
    if metric.SEES == "pixels":
        pytest.skip("takes pictures")
    sides = [metric.Accumulator(seed=3, config=metric.TINY, rows_of=whose) for whose in ("one@1", "other@2", "one@1")]
    for side, data in zip(sides, (real, fake, fake), strict=True):
        side.update(data)
    with pytest.raises(UserError, match=r"one@1.*other@2|other@2.*one@1"):
        metric.compare(sides[0], sides[1])
    assert all("one@1" in result.protocol for result in metric.compare(sides[0], sides[2]))


def test_what_needs_no_reference_is_the_same_with_and_without(metric, filled, real, fake):
    if not getattr(metric, "ALONE", False):
        pytest.skip("compares with real pictures")
    beside = values(metric.compare(filled(real), filled(fake)))
    alone = metric.compare(None, filled(fake))
    assert alone[0].metric == metric.NAME
    for result in alone:
        assert result.value == pytest.approx(beside[result.metric], rel=RELATIVE)


def test_accumulators_that_share_rows_hold_the_same_and_may_be_adopted(metric, filled, real, fake, straight):
    if not metric.Accumulator.shares:
        pytest.skip("keeps rows of its own kind")
    if metric.Accumulator.shares == "kept":

        class Plain(FeatureRows):
            Config = metric.Config

        plain = Plain(seed=3, config=metric.TINY)
        plain.update(fake)
        mine, theirs = filled(fake, batch=len(fake)).state(), plain.state()
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)
    adopted = metric.Accumulator(seed=3, config=metric.TINY)
    adopted.adopt(filled(fake))
    same(metric.compare(filled(real), adopted), straight)


def test_a_state_that_comes_in_slabs_is_the_same(metric, filled, real, fake, straight, monkeypatch):
    monkeypatch.setattr(metric_contract, "MEMORY_BYTES", 0)  # Every table on the disk ...
    monkeypatch.setattr(tables, "SLAB_BYTES", 256)  # ... in slabs of two rows.
    again = metric.Accumulator.from_state(filled(fake).streamed())
    same(metric.compare(filled(real), again), straight)


ODD = {
    "duplicates": lambda x: x[: max(1, len(x) // 4)].repeat(5, *[1] * (x.ndim - 1))[: len(x)],
    "one constant row among others": lambda x: torch.cat([torch.full_like(x[:1], 7), x[1:]]),
    "constant rows": lambda x: torch.full_like(x, 3),
    "all zero": torch.zeros_like,
    "constant columns": lambda x: x[:1].expand_as(x).clone(),
    "two values": lambda x: (x > x.double().mean()).to(x.dtype),
    "far from zero": lambda x: x + 1e6,
    "tiny": lambda x: x * 1e-30,
    "not a number": lambda x: x.index_fill(0, torch.tensor([3]), float("nan")),
    "infinite": lambda x: x.index_fill(1, torch.tensor([2]), float("inf")),
}


OF_FEATURES = ("far from zero", "tiny", "not a number", "infinite")  # What bytes cannot be.


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_odd_sets_give_a_number_or_a_clear_error(metric, filled, real, fake, odd):
    # Warnings are errors here. The odd one on either side, and against itself.
    if metric.SEES == "pixels" and odd in OF_FEATURES:
        pytest.skip("bytes cannot be that")
    sets = {"real": real, "fake": fake, "strange": ODD[odd](fake)}

    @functools.cache  # What is fitted to every picture is fitted once.
    def side(name):
        return filled(sets[name])

    for a, b in (("real", "strange"), ("strange", "fake"), ("strange", "strange")):
        finite_or_refused(metric, functools.partial(side, a), functools.partial(side, b))


@pytest.mark.slow
@pytest.mark.parametrize("more", [0, 1, 2, 3, 5, 8])
def test_few_pictures_give_a_number_or_a_clear_error(metric, filled, more):
    # Fewer rows than dimensions (16) among them.
    n = metric.MINIMUM + more
    finite_or_refused(metric, *(lambda seed=seed: filled(rows(metric, n, seed=seed)) for seed in (1, 2)))


def finite_or_refused(metric, real, fake):
    """A finite value and error, or a UserError in one line."""
    results, said = [], ""
    try:
        results = metric.compare(real(), fake())
    except UserError as error:
        said = str(error)
    assert bool(results) != bool(said)
    assert "\n" not in said
    for result in results:
        assert math.isfinite(result.value), result
        assert result.standard_error is None or math.isfinite(result.standard_error), result


def test_unlike_sizes_are_refused(metric, filled, real, n):
    if metric.SEES != "pixels":
        pytest.skip("takes features")
    with pytest.raises(UserError, match="32x32 pixels with 3 channels and of 16x16 pixels with 3 channels"):
        metric.compare(filled(real), filled(pictures(n, seed=2, size=(16, 16))))
    mixed = filled(real)
    with pytest.raises(UserError, match="differ in size"):
        mixed.update(pictures(n, seed=2, size=(16, 16)))


def test_statistics_of_another_seed_are_refused(metric, filled, real, fake):
    with pytest.raises(UserError, match=r"with one seed \(`--seed 1`\)"):
        metric.compare(filled(real, seed=1), filled(fake, seed=2))


def test_unlike_protocols_refuse_to_compare_unless_forced(metric, filled, straight, real, fake):
    fewer = metric.compare(filled(real[:-4]), filled(fake[:-4]))
    with pytest.raises(UserError, match="do not compare"):
        difference(straight[0], fewer[0])
    value, _ = difference(straight[0], fewer[0], force=True)
    assert value == straight[0].value - fewer[0].value


def test_another_reference_is_another_protocol(metric, n):
    if metric.SEES != "pixels":
        pytest.skip("needs a network")
    fakes = pictures(n, seed=9)
    seen = {metric.NAME: MeanDistance()} if metric_contract.shows_pairs(metric) else {}
    how = {"metrics": {metric.NAME: metric.TINY}, "n": n, "networks": seen}
    first, second = (
        measure(reference([pictures(n, seed=seed)], **how), [fakes], networks=seen).results[0] for seed in (1, 2)
    )
    with pytest.raises(UserError, match="do not compare"):
        difference(first, second)
