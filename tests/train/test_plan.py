import pytest

from ganvas.core.errors import UserError
from ganvas.train.plan import Plan, due


def test_intervals_follow_from_the_length_of_the_run():
    plan = Plan(total_kimg=200)
    assert plan.interval("report") == 1000
    assert plan.interval("sample") == 5000
    assert plan.interval("measure") == 20_000


def test_an_interval_that_is_said_is_kept_and_below_zero_is_never():
    assert Plan(report_kimg=0.5).interval("report") == 500
    assert Plan(measure_kimg=-1).interval("measure") == 0
    assert not any(due(nimg, nimg + 16, 0) for nimg in range(0, 10_000, 16))


@pytest.mark.parametrize("batch", [1, 3, 16, 100, 150])
def test_every_multiple_of_an_interval_is_due_once_whatever_the_batch(batch):
    shown = range(0, 3000, batch)
    times = sum(due(nimg, nimg + batch, 150) for nimg in shown)
    assert times == (shown[-1] + batch) // 150


@pytest.mark.parametrize(
    "settings",
    [
        {"total_kimg": 0},
        {"keep_last": 0},
        {"measure_n": 1},
        {"keep_best": "swd", "measure_kimg": -1},
        {"report_kimg": -1},
        {"noise_scale": 2},
        {"noise_scale": 8, "health_kimg": -1},
    ],
)
def test_a_plan_that_cannot_be_is_refused(settings):
    with pytest.raises(UserError, match=next(iter(settings))):
        Plan(**settings)
