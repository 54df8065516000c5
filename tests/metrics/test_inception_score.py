import math

import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import inception_score
from ganvas.metrics.inception_score import GROUPS, Accumulator, Config, _groups


def measured(logits, *, splits=10, seed=0, index=None):
    fake = Accumulator(config=Config(splits=splits), seed=seed)
    fake.update(logits, index)
    return inception_score.compare(None, fake)[0]


def plain(logits, parts):
    """The definition, with scipy's ways of none: p log (p / mean p), picture by picture."""
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    scores = []
    for part in parts:
        mean = p[part].mean(0)
        scores.append(math.exp(np.mean([np.sum(row * (np.log(row) - np.log(mean))) for row in p[part]])))
    return scores


@pytest.mark.parametrize("classes", [2, 7])
def test_sure_and_balanced_pictures_score_the_number_of_classes(classes):
    logits = 800 * torch.eye(classes).repeat(10 * classes, 1)  # exp(-800) is 0: no logarithm may see it.
    assert measured(logits, splits=1).value == pytest.approx(classes, rel=1e-12)
    assert measured(logits, splits=1).standard_error is not None
    assert inception_score.inception_score(logits, splits=1).item() == pytest.approx(classes, rel=1e-12)


def test_pictures_that_all_look_alike_score_one(rng):
    logits = torch.randn(1, 12, generator=rng).repeat(60, 1)
    assert measured(logits).value == pytest.approx(1, rel=1e-12)
    assert measured(logits).standard_error == pytest.approx(0, abs=1e-12)


def test_parts_in_a_row_are_the_papers_definition(rng):
    logits = 3 * torch.randn(23, 6, generator=rng, dtype=torch.float64)
    cuts = [range(i * 23 // 10, (i + 1) * 23 // 10) for i in range(10)]
    found = inception_score.inception_score(logits)
    assert found.numpy() == pytest.approx(plain(logits.numpy(), cuts), rel=1e-12)


def test_what_is_accumulated_is_the_definition_over_the_drawn_parts(rng):
    logits = 3 * torch.randn(95, 6, generator=rng, dtype=torch.float64)
    part = (_groups(torch.arange(95), 4, seed=5) // GROUPS).numpy()
    expected = np.mean(plain(logits.numpy(), [np.flatnonzero(part == s) for s in range(4)]))
    assert measured(logits, splits=4, seed=5).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "splits"), [(100, 10), (23, 10), (50_000, 10), (99, 7)])
def test_parts_and_groups_are_of_one_size_at_any_number(n, splits):
    groups = _groups(torch.arange(n), splits, seed=0)
    parts = torch.bincount(groups // GROUPS, minlength=splits)
    assert parts.max() - parts.min() <= 1
    within = torch.bincount(groups, minlength=splits * GROUPS)
    assert within.max() - within.min() <= 2


def test_where_a_picture_goes_depends_on_its_place_and_the_seed_alone():
    places = torch.arange(200_000)
    groups = _groups(places, 10, seed=0)
    some = torch.tensor([3, 70_000, 41_000, 199_999, 40_959, 40_960])
    assert torch.equal(_groups(some, 10, seed=0), groups[some])
    assert not torch.equal(_groups(places[:100], 10, seed=1), groups[:100])


def test_a_set_sorted_by_class_scores_as_a_shuffled_one():
    logits = 30 * torch.eye(10).repeat_interleave(200, 0)
    contiguous = inception_score.inception_score(logits)
    assert contiguous.mean() == pytest.approx(1)  # One class in each part: nothing is found in it but one.
    assert measured(logits).value > 9.5


@pytest.mark.slow
def test_the_interval_holds_the_mean_as_often_as_it_says(rng):
    centres = 2 * torch.randn(5, 8, generator=rng)
    found = []
    for _ in range(200):
        logits = centres[torch.randint(5, (600,), generator=rng)] + torch.randn(600, 8, generator=rng)
        result = measured(logits, splits=3)
        found.append((result.value, result.standard_error))
    values, errors = np.array(found).T
    assert 0.90 <= np.mean(np.abs(values - values.mean()) < 1.96 * errors) <= 0.99
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)


def test_reals_are_scored_beside_and_nothing_else_is_asked_of_them(rng):
    a, b = (torch.randn(40, 5, generator=rng) * scale for scale in (1, 3))
    real, fake = Accumulator(), Accumulator()
    real.update(a)
    fake.update(b)
    results = inception_score.compare(real, fake)
    assert [result.metric for result in results] == ["inception_score", "inception_score.real"]
    assert results[0] == inception_score.compare(None, fake)[0]
    assert results[1].value == measured(a).value


def test_fewer_pictures_than_parts_are_refused(rng):
    with pytest.raises(UserError, match="needs at least 20 pictures and was given 19"):
        measured(torch.randn(19, 4, generator=rng))
    with pytest.raises(UserError, match="needs at least 6 pictures and was given 5"):
        measured(torch.randn(5, 4, generator=rng), splits=3)
    with pytest.raises(UserError, match="at least 20 pictures"):
        inception_score.inception_score(torch.randn(19, 4, generator=rng))
    with pytest.raises(UserError, match="splits=0"):
        Config(splits=0)


def test_places_that_leave_a_part_empty_leave_it_out(rng):
    logits = torch.randn(12, 4, generator=rng)
    place = torch.nonzero(_groups(torch.arange(60), 3, seed=0) // GROUPS != 1).flatten()[:12]
    assert math.isfinite(measured(logits, splits=3, index=place).value)


def test_outputs_that_are_no_numbers_are_refused():
    with pytest.raises(UserError, match="nan or infinity"):
        Accumulator().update(torch.full((3, 2), torch.inf))
