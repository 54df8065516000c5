import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.core.errors import UserError
from ganvas.core.schedule import Course, Growth, Stage, Steady, ended_at, ramped_decay

# Karras et al. 2018: appendix A.1 (CelebA-HQ, 800 + 800 kimg) with the minibatches listed there; CIFAR-10 400 + 400.
CELEBA_HQ = Growth(
    first=4,
    last=1024,
    train_kimg=800,
    fade_kimg=800,
    batch_size=16,
    lr=1e-3,
    batch_size_at={256: 14, 512: 6, 1024: 3},
    rampup_kimg=40,
)
CIFAR = Growth(first=4, last=32, train_kimg=400, fade_kimg=400, batch_size=16, lr=1e-3)


def level_of_detail(growth: Growth, kimg: float) -> tuple[int, float]:
    """Resolution and fade by the level of detail, the paper's own way of counting: 0 is the last resolution.

    ``lod = log2(last) - log2(now) - progress``: whole while a resolution trains, falling by 1 during a fade; the
    network in use is that of floor(lod), and its weight what has been lost since the last whole value.
    """
    start = math.log2(growth.last) - math.log2(growth.first)
    finished, now = divmod(kimg, growth.train_kimg + growth.fade_kimg)
    progress = finished + max(now - growth.train_kimg, 0) / growth.fade_kimg
    lod = max(start - progress, 0.0)
    resolution = 2 ** int(math.log2(growth.last) - math.floor(lod))
    return resolution, math.ceil(lod) - lod if lod % 1 else 1.0


@pytest.mark.parametrize(
    ("kimg", "resolution", "fade", "batch_size", "phase"),
    [
        (0, 4, 1.0, 16, 0),
        (799.999, 4, 1.0, 16, 0),
        (800, 4, 1.0, 16, 0),
        (1200, 8, 0.5, 16, 1),
        (1600, 8, 1.0, 16, 2),
        (2399, 8, 1.0, 16, 2),
        (2800, 16, 0.5, 16, 3),
        (8800, 256, 0.0, 16, 10),  # Training of 128 is over; the first image of the fade still has weight 0.
        (9000, 256, 0.25, 14, 11),
        (9600, 256, 1.0, 14, 12),
        (10_600, 512, 0.25, 6, 13),
        (11_200, 512, 1.0, 6, 14),
        (12_200, 1024, 0.25, 3, 15),
        (12_800, 1024, 1.0, 3, 16),
        (19_000, 1024, 1.0, 3, 16),
    ],
)
def test_celeba_hq_grows_at_the_breakpoints_of_the_paper(kimg, resolution, fade, batch_size, phase):
    stage = CELEBA_HQ.at(int(kimg * 1000))
    expected = Stage(
        resolution=resolution, shrink=1024 // resolution, batch_size=batch_size, lr=1e-3, fade=fade, phase=phase
    )
    if fade == 0.0:
        expected = replace(expected, resolution=resolution // 2, shrink=2048 // resolution, fade=1.0)
    if kimg < 40:
        expected = replace(expected, lr=1e-3 * math.exp(-5))
    assert stage == expected


@pytest.mark.parametrize(
    ("kimg", "resolution", "fade"),
    [(0, 4, 1.0), (500, 8, 0.25), (800, 8, 1.0), (1300, 16, 0.25), (1600, 16, 1.0), (2100, 32, 0.25), (2400, 32, 1.0)],
)
def test_cifar_grows_at_the_breakpoints_of_the_paper(kimg, resolution, fade):
    stage = CIFAR.at(kimg * 1000)
    assert (stage.resolution, stage.fade, stage.batch_size, stage.lr) == (resolution, fade, 16, 1e-3)


@given(st.sampled_from([CELEBA_HQ, CIFAR]), st.integers(min_value=0, max_value=20_000_000))
def test_resolution_and_fade_are_those_of_the_level_of_detail(growth: Growth, nimg: int):
    resolution, fade = level_of_detail(growth, nimg / 1000)
    stage = growth.at(nimg)
    assert stage.resolution == resolution
    assert stage.fade == pytest.approx(fade, abs=1e-9)  # The oracle subtracts numbers near 8: 8 * 2^-52 and a few.


def test_the_learning_rate_rises_over_the_first_images():
    # exp(-5 (1 - t)^2): e^-5 at the start, e^-1.25 half way, 1 from its end on.
    for kimg, factor in ((0, math.exp(-5)), (20, math.exp(-1.25)), (40, 1.0), (10_000, 1.0)):
        assert CELEBA_HQ.at(kimg * 1000).lr == pytest.approx(1e-3 * factor, rel=1e-12)


def test_a_learning_rate_may_belong_to_a_resolution():
    growth = replace(CIFAR, lr_at={16: 0.5, 32: 0.25})
    assert [growth.at(kimg * 1000).lr for kimg in (0, 1100, 1300, 5000)] == [1e-3, 1e-3, 0.5, 0.25]


def test_a_growth_whose_rate_decays_holds_it_and_then_falls_on_a_line_to_its_share():
    growth = replace(CIFAR, lr=1.0, lr_at={32: 2.0}, hold_kimg=3000, decay_kimg=1000, end_share=0.25)
    rates = [growth.at(kimg * 1000).lr for kimg in (0, 3000, 3400, 4000, 10_000)]
    assert rates == pytest.approx([1.0, 2.0, 2.0 * (1 - 0.75 * 0.4), 0.5, 0.5], rel=1e-12)


def test_a_fitted_growth_keeps_the_proportions_of_its_lengths():
    growth = replace(CIFAR, train_kimg=1, fade_kimg=3, hold_kimg=2, decay_kimg=1).fitted(60, grown=0.2)
    lengths = (growth.train_kimg, growth.fade_kimg, growth.hold_kimg, growth.decay_kimg)
    assert lengths == pytest.approx((1, 3, 40, 20))  # Three doublings in a fifth of 60.
    assert growth.arrival == 12_000
    assert (growth.at(40_000).lr, growth.at(60_000).lr) == (1e-3, 0)


@given(
    train=st.integers(min_value=0, max_value=5000),
    fade=st.integers(min_value=1, max_value=5000),
    doublings=st.integers(min_value=0, max_value=6),
)
def test_growth_never_goes_back_and_changes_only_at_the_ends_of_its_periods(train: int, fade: int, doublings: int):
    # Thousandths of a kimg such as 0.1 + 0.2 are not exact in binary: no image may land in the wrong stage for it.
    growth = Growth(first=4, last=4 << doublings, train_kimg=train / 1000, fade_kimg=fade / 1000, batch_size=1, lr=1.0)
    ends = (0, train - 1, train, train + 1, train + fade - 1)
    moments = sorted({max(done * (train + fade) + end, 0) for done in range(doublings + 2) for end in ends})
    stages = [growth.at(nimg) for nimg in moments]
    positions = [stage.phase + (stage.fade if stage.fading else 0) for stage in stages]
    assert positions == sorted(positions)
    assert (positions[0], positions[-1]) == (0, 2 * doublings)
    for nimg, stage in zip(moments, stages, strict=True):
        done, within = divmod(nimg, train + fade)
        assert stage.resolution == 4 << min(done + (within > train), doublings)


def test_the_last_image_of_a_fade_is_all_but_faded_in():
    growth = Growth(first=4, last=8, train_kimg=0.1, fade_kimg=0.2, batch_size=1, lr=1.0)
    assert growth.at(299) == Stage(resolution=8, batch_size=1, lr=1.0, fade=199 / 200, phase=1)
    assert growth.at(300) == Stage(resolution=8, batch_size=1, lr=1.0, fade=1.0, phase=2)


def test_the_stages_are_every_network_once_in_order():
    assert [(stage.resolution, stage.fade, stage.phase) for stage in CIFAR.stages()] == [
        (4, 1.0, 0),
        (8, 0.5, 1),
        (8, 1.0, 2),
        (16, 0.5, 3),
        (16, 1.0, 4),
        (32, 0.5, 5),
        (32, 1.0, 6),
    ]


@pytest.mark.parametrize("fade_kimg", [0, 0.001, 400])
def test_the_borders_are_where_the_network_changes(fade_kimg: float):
    growth = replace(CIFAR, train_kimg=400, fade_kimg=fade_kimg)
    borders = growth.borders()
    assert borders[0] == 400_000
    # At the first image of a fade the weight of the new resolution is still 0: the network changes with the next.
    for border in borders:
        assert growth.at(border - 1).phase != growth.at(border + 1).phase
    between = [0, *borders, 10**8]
    for start, end in itertools.pairwise(between):
        assert len({growth.at(nimg).phase for nimg in (start + 1, (start + 1 + end) // 2, end - 1) if nimg < end}) <= 1


def test_growth_without_fades_jumps():
    growth = Growth(first=4, last=16, train_kimg=1, fade_kimg=0, batch_size=1, lr=1.0)
    assert [growth.at(nimg).resolution for nimg in (0, 999, 1000, 1999, 2000, 9999)] == [4, 4, 8, 8, 16, 16]
    assert [stage.phase for stage in growth.stages()] == [0, 2, 4]


def test_a_model_that_does_not_grow_has_one_stage():
    schedule = Steady(batch_size=8, lr=0.1)
    assert {schedule.at(nimg) for nimg in (0, 1, 10**9)} == {Stage(batch_size=8, lr=0.1)}
    assert len(list(schedule.stages())) == 1
    assert schedule.borders() == []


def test_a_rate_warms_up_is_held_and_falls_on_a_line_or_on_half_a_cosine():
    # 2 kimg up, held until 10, down over 20: at 15 kimg a quarter of the way, at 20 half of it.
    linear = Steady(batch_size=8, lr=4.0, rate="linear", warm_up_kimg=2, hold_kimg=10, decay_kimg=20)
    cosine = replace(linear, rate="cosine")
    wanted = {0: 0.0, 1000: 2.0, 2000: 4.0, 9999: 4.0, 15_000: 3.0, 20_000: 2.0, 30_000: 0.0, 99_000: 0.0}
    assert {nimg: linear.at(nimg).lr for nimg in wanted} == pytest.approx(wanted)
    assert cosine.at(20_000).lr == pytest.approx(2.0)
    assert cosine.at(15_000).lr == pytest.approx(2 + 2 / 2**0.5)  # 4 (1 + cos(pi / 4)) / 2
    with pytest.raises(UserError, match=r"decay_kimg=0\.0 must be above 0 for a cosine decay"):
        Steady(batch_size=8, lr=4.0, rate="cosine")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"last": 48}, "48 cannot be reached from 4 by doubling. The nearest sizes that can are 32 and 64"),
        ({"last": 2}, "2 cannot be reached from 4 by doubling. The smallest is 4"),
        ({"first": 0}, "cannot be reached from 0"),
        ({"train_kimg": -1}, "must not be negative"),
        ({"train_kimg": 0, "fade_kimg": 0}, "needs train_kimg or fade_kimg above 0"),
        ({"batch_size": 0}, "at least 1"),
        ({"batch_size_at": {8: 0}}, "at least 1"),
    ],
)
def test_a_growth_that_cannot_be_is_refused(wrong: dict, says: str):
    with pytest.raises(UserError, match=says):
        replace(CIFAR, **wrong)


@pytest.mark.parametrize(("rate", "middle"), [("linear", 0.3), ("cosine", 0.3), ("constant", 0.5)])
def test_a_decay_may_end_above_zero(rate, middle):
    steady = Steady(batch_size=1, lr=0.5, end_lr=0.1, rate=rate, decay_kimg=2)
    end = 0.5 if rate == "constant" else 0.1
    assert [steady.at(nimg).lr for nimg in (0, 1000, 2000, 9000)] == pytest.approx([0.5, middle, end, end])


def test_a_course_goes_from_one_value_to_another_on_half_a_cosine_and_stays():
    course = Course(start=0.9, end=0.99, kimg=3)
    # cos(pi / 3) = 1/2: a quarter of the way after a third of the time.
    assert [course.at(n) for n in (0, 1000, 3000, 10**6)] == pytest.approx([0.9, 0.9 + 0.09 / 4, 0.99, 0.99])


def test_a_run_ends_with_a_whole_batch():
    # 24 samples in batches of 16 are two batches; with growth the first 24 are three of 8, then two of 16.
    assert ended_at(Steady(batch_size=16, lr=1e-3), 24) == 32
    assert ended_at(Steady(batch_size=16, lr=1e-3), 32) == 32
    growth = Growth(first=4, last=8, train_kimg=0.024, fade_kimg=0.016, batch_size=8, batch_size_at={8: 16}, lr=1e-3)
    assert growth.borders() == [24, 40]
    assert ended_at(growth, 50) == 24 + 32


@pytest.mark.parametrize("batch_size", [8, 500])
def test_an_average_that_grows_old_with_the_run_forgets_its_start_at_once_and_ends_at_its_own_half_life(batch_size):
    def decay(nimg):
        return ramped_decay(nimg, half_life_kimg=100, ramp=0.05, batch_size=batch_size)

    left = math.prod(decay(step * batch_size) for step in range(1, 10))
    harmonic = sum(1 / step for step in range(1, 10))  # Step k has a half-life of 0.05 k batches.
    assert left == pytest.approx(0.5 ** (harmonic / 0.05), rel=1e-9)
    assert decay(0) == 0
    assert decay(10**8) ** (100_000 / batch_size) == pytest.approx(0.5)


def test_without_a_ramp_an_average_is_as_old_at_the_start_as_at_the_end():
    assert ramped_decay(0, half_life_kimg=1, ramp=0, batch_size=1000) == 0.5
