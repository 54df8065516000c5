"""The log-average miss rate: closed forms, subsets, and the trap of small sets."""

import numpy as np
import pytest

from ganvas.metrics.detection.matches import DetectedPicture, matched
from ganvas.metrics.detection.miss_rate import POINTS, SUBSETS, Subset, marked_for, miss_curve

REASONABLE = SUBSETS[0]


def picture(found=(), scores=(), truth=(), crowd=None, seen=None):
    truth = np.array(truth, float).reshape(-1, 4)
    return DetectedPicture(
        found=np.array(found, float).reshape(-1, 4),
        scores=np.array(scores, float),
        truth=truth,
        crowd=np.zeros(len(truth), bool) if crowd is None else np.array(crowd),
        seen=np.ones(len(truth)) if seen is None else np.array(seen, float),
    )


PERSON, OTHER = (10, 10, 51, 110), (200, 10, 241, 110)


def rate(pictures, subset=REASONABLE):
    return miss_curve(marked_for(pictures, subset)).log_average


def set_of(n, found, *, false=0):
    """``n`` pictures with a person each, ``found`` of them found; the surest ``false`` detections of all are wrong."""
    return [
        picture(
            found=[OTHER] * (k < false) + [PERSON] * (k < found),
            scores=[0.99] * (k < false) + [0.9 - 1e-4 * k] * (k < found),
            truth=[PERSON],
        )
        for k in range(n)
    ]


@pytest.mark.parametrize("found", [0, 3, 9])
def test_without_false_boxes_the_rate_is_the_share_that_is_missed(found):
    assert rate(set_of(10, found)) == pytest.approx(1 - found / 10)


@pytest.mark.parametrize(("n", "before"), [(20, 3), (50, 2), (99, 1), (100, 0), (200, 0)])
def test_before_the_first_false_box_of_a_small_set_nothing_is_found(n, before):
    # One false detection, the surest of all, is 1 / n per picture: at ``before`` of the nine points nobody is found.
    # The Python script of CityPersons takes the best recall there, and says 1 - recall whatever n is.
    found = round(0.8 * n)
    missed = 1 - found / n
    assert rate(set_of(n, found, false=1)) == pytest.approx(missed ** ((9 - before) / 9))
    assert (1 / n - 1e-12 > POINTS).sum() == before


def test_where_nothing_is_missed_the_rate_is_not_quite_0():
    assert rate(set_of(100, 100)) == pytest.approx(1e-10)


def test_detections_of_what_is_ignored_change_nothing_and_below_the_last_true_one_neither():
    plain = set_of(30, 20, false=2)
    ignoring = [
        picture(
            found=[*one.found, (300, 10, 341, 110), (305, 20, 346, 120)],
            scores=[*one.scores, 0.95, 0.94],
            truth=[*one.truth, (290, 0, 400, 300)],
            crowd=[False, True],
        )
        for one in plain
    ]
    assert rate(ignoring) == rate(plain)
    more = [picture(found=[*one.found, OTHER], scores=[*one.scores, 0.001], truth=one.truth) for one in plain[:1]]
    crowded = marked_for([*more, *plain[1:]], REASONABLE)
    assert (
        miss_curve(crowded).at(POINTS[:-1]).tolist()
        == miss_curve(marked_for(plain, REASONABLE)).at(POINTS[:-1]).tolist()
    )


def test_subsets_ignore_who_is_too_low_or_hidden():
    low, hidden = (10, 10, 26, 50), (100, 10, 141, 110)
    one = picture(found=[PERSON], scores=[0.9], truth=[(200, 10, 241, 110), low, hidden], seen=[1, 1, 0.3])
    assert marked_for([one], REASONABLE).objects.tolist() == [1]
    assert marked_for([one], Subset(name="heavy", least_seen=0.0, most_seen=0.65)).objects.tolist() == [1]
    assert marked_for([one], SUBSETS[-1]).objects.tolist() == [3]
    # In pictures of a quarter of the size, people of a quarter of the height.
    assert marked_for([one], REASONABLE.scaled(0.25)).objects.tolist() == [2]


def test_a_detection_prefers_who_counts_to_whom_it_overlaps_more():
    table = np.array([[0.6, 0.9], [0.55, 0.8]])
    ignored = np.array([False, True])
    assert matched(table, ignored, ignored, least=0.5).tolist() == [0, 1]
    assert matched(table, ignored, np.array([False, False]), least=0.5).tolist() == [0, 1]
    assert matched(table[:, ::-1], ignored[::-1], ignored[::-1], least=0.85).tolist() == [0, -1]
