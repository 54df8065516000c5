"""Streets: the same bytes always, exact boxes, and what is seen of people."""

import hashlib

import numpy as np
import pytest

from ganvas.core.boxes.box_kinds import ABSENT, IGNORED, OBJECT
from ganvas.core.errors import UserError
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.synthetic import MadeStreet
from ganvas.data.street.street import Street, _painted, _seen
from ganvas.data.street.street_factors import KINDS, THINGS

# Of pictures, corners, kinds and shares of 12 streets of 48x64, and of 4 tight ones of 40x30 with seed 1.
GOLDEN = "a9f1fbcc245f1531722e69d2266219f1fffcddda2388a7510e63a4030ce91ec6"
PERSON = KINDS.index("person")


@pytest.fixture(scope="module")
def street():
    return Street(48, 64, count=12)


def alone(street, **changes):
    """The factors of one picture in which nothing stands, then ``changes``."""
    factors = {name: values.copy() for name, values in street.factors(np.array([3])).items()}
    factors |= {f"thing{k}_kind": np.zeros(1, np.float32) for k in range(THINGS)}
    return factors | {name: np.array([value], np.float32) for name, value in changes.items()}


def somebody(slot, **changes):
    """Factors of a person in a slot."""
    plain = {"kind": PERSON, "size": 0.75, "half": 0.15, "x": 0.6, "foot": 0.9, "pose": 0.3} | changes
    return {f"thing{slot}_{name}": value for name, value in plain.items()}


def test_a_picture_and_its_boxes_are_the_same_alone_and_in_any_batch(street):
    images, boxes = street.pictures(0, 12), street.boxes(0, 12)
    for index in (0, 7, 11):
        one = street.boxes(index, index + 1)
        np.testing.assert_array_equal(street.pictures(index, index + 1)[0], images[index])
        for name in ("corners", "kinds", "seen"):
            np.testing.assert_array_equal(getattr(one, name)[0], getattr(boxes, name)[index])


def test_the_bytes_are_those_that_were_written_down(street):
    digest = hashlib.sha256()
    for one in (street, Street(40, 30, seed=1, tight=True, count=4)):
        boxes = one.boxes(0, one.count)
        for array in (one.pictures(0, one.count), boxes.corners, boxes.kinds, boxes.seen):
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    assert digest.hexdigest() == GOLDEN


def test_a_box_is_the_smallest_that_holds_a_person():
    street = Street(200, 200, count=4)
    with_one, without = alone(street, **somebody(5)), alone(street)
    drawn = _painted(with_one, 200, 200)[0].astype(int)
    changed = np.abs(drawn - _painted(without, 200, 200)[0]).max(-1) > 0
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    (box,) = street._rows(with_one).corners[0][street._rows(with_one).kinds[0] == OBJECT]
    np.testing.assert_allclose(box, [0.45 * 200, 0.15 * 200, 0.75 * 200, 0.9 * 200], atol=1e-4)
    assert np.abs(found - box).max() <= 1  # A pixel is touched as soon as an edge blends into it.


def test_who_stands_behind_somebody_is_not_seen_and_who_stands_before_is_whole():
    street = Street(120, 120, count=4)
    seen = _seen(alone(street, **somebody(2), **somebody(7)), 120, 120)[0]
    assert seen[7] == 1
    assert seen[2] < 0.02  # Only edges that both blend.
    apart = _seen(alone(street, **somebody(2, x=0.2), **somebody(7, x=0.8)), 120, 120)[0]
    assert apart[2] == apart[7] == 1


def test_a_car_that_hides_the_lower_part_hides_its_share():
    street = Street(120, 120, count=4)
    car = {"thing7_kind": KINDS.index("car"), "thing7_size": 0.4, "thing7_half": 0.1, "thing7_x": 0.6}
    seen = _seen(alone(street, **somebody(2), **car, thing7_foot=0.9), 120, 120)[0][2]
    assert 0.6 < seen < 0.85  # The car covers the legs up to a third of the height, less what shows below it.


def test_boxes_lie_in_the_picture_and_everyone_who_is_to_be_found_is_seen():
    boxes = Street(48, 64, count=60, seed=5, tight=True).boxes(0, 60)
    there = boxes.kinds != ABSENT
    low, high = boxes.corners[there][:, :2], boxes.corners[there][:, 2:]
    assert (low >= 0).all()
    assert (high <= [64, 48]).all()
    assert (high > low).all()
    people = boxes.kinds == OBJECT
    assert boxes.seen[people].min() >= 0.1
    assert 0 in people.sum(1)
    assert people.sum(1).max() > 6
    assert (boxes.kinds == IGNORED).any()
    sides = boxes.corners[people][:, 2:] - boxes.corners[people][:, :2]
    assert np.ptp(sides[:, 0] / sides[:, 1]) > 0.2
    usual = Street(48, 64, count=6).boxes(0, 6)
    sides = (usual.corners[..., 2:] - usual.corners[..., :2])[usual.kinds == OBJECT]
    np.testing.assert_allclose(sides[:, 0] / sides[:, 1], 0.41, rtol=1e-5)


@pytest.mark.parametrize(
    ("spec", "size", "count", "tight"),
    [("street", (128, 192), 5000, False), ("street:40,tight,48x64,seed=2", (48, 64), 40, True)],
)
def test_a_street_is_a_source_of_pictures(spec, size, count, tight):
    source = open_source(spec)
    assert isinstance(source, MadeStreet)
    assert ((source.height, source.width), source.count, source.tight) == (size, count, tight)


def test_what_cannot_be_a_street_is_refused():
    with pytest.raises(UserError, match="8x64 pixels would show nobody"):
        Street(8, 64)
    with pytest.raises(UserError, match=r"'tigth' is not understood. Streets are written street:COUNT"):
        open_source("street:5,tigth")
    with pytest.raises(UserError, match="Pictures 3 to 9 are not among the 5 streets"):
        Street(48, 64, count=5).pictures(3, 9)
