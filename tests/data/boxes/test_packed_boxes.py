"""Boxes of COCO files and of streets, where pictures are brought to another size."""

import json

import numpy as np
import pytest
from PIL import Image

from ganvas.core.boxes.box_kinds import ABSENT, IGNORED, OBJECT
from ganvas.core.errors import UserError
from ganvas.data.boxes.coco import counted_boxes, read_coco
from ganvas.data.boxes.packed_boxes import counts_of, holds_boxes, prepare_boxes

PEOPLE = [{"id": 7, "name": "person"}, {"id": 8, "name": "car"}]


@pytest.fixture
def photos(tmp_path):
    """Two pictures of 40 x 60 and one of 20 x 20."""
    folder = tmp_path / "photos"
    (folder / "a").mkdir(parents=True)
    for name, size in (("a/1.png", (60, 40)), ("a/2.png", (60, 40)), ("b.png", (20, 20))):
        Image.new("RGB", size, (10, 200, 30)).save(folder / name)
    return folder


def told(folder, annotations, *, images=None, categories=PEOPLE, name="boxes.json"):
    """Writes a COCO file beside the pictures."""
    listed = [{"id": 1, "file_name": "a/1.png", "height": 40, "width": 60}, {"id": 2, "file_name": "2.png"}]
    content = {"images": listed if images is None else images, "annotations": annotations, "categories": categories}
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def box(*bbox, image=1, **more):
    return {"id": 5, "image_id": image, "category_id": 7, "bbox": list(bbox)} | more


def test_boxes_are_counted_by_category_and_what_is_wrong_is_passed_over(photos):
    path = told(
        photos, [box(1, 1, 2, 2), box(1, 1, 2, 2, image=2), box(1, 1, 2, 2, category_id=8), {"category_id": []}, 3]
    )
    assert counted_boxes(path) == {"person": 2, "car": 1, "object": 1}
    assert counted_boxes(told(photos, 5)) == {}


def test_boxes_of_a_file_follow_their_pictures_by_name(photos):
    told(photos, [box(10, 5, 20, 30), box(0, 0, 4, 8, iscrowd=1, image=2), box(1, 1, 2, 2, category_id=8)])
    assert holds_boxes(str(photos))
    found = prepare_boxes(str(photos), None, size=(40, 60), fit="pad", quiet=True)
    assert found.category == "person"
    assert found.names == ["a/1.png", "a/2.png"]  # "2.png" is meant by its own name; b.png is not in the file.
    rows = found.read(slice(None))
    assert rows.kinds.tolist() == [[OBJECT], [IGNORED]]
    assert rows.corners.tolist() == [[[10, 5, 30, 35]], [[0, 0, 4, 8]]]
    assert counts_of(found) == {"objects": 1, "ignored": 1}
    assert "1 pictures are not in the file of boxes" in found.treated


@pytest.mark.parametrize(
    ("fit", "corners"),
    # 40x60 on 20x20: the middle 40x40 is cut out; or all is 13x20 with a border of 3 above; or both sides shrink.
    [
        ("crop", [0, 2.5, 10, 17.5]),
        ("pad", [10 / 3, 3 + 5 * 13 / 40, 10, 3 + 35 * 13 / 40]),
        ("stretch", [10 / 3, 2.5, 10, 17.5]),
    ],
)
def test_boxes_are_where_fitting_brings_what_they_are_around(photos, fit, corners):
    told(photos, [box(10, 5, 20, 30)])
    found = prepare_boxes(str(photos), None, size=(20, 20), fit=fit, quiet=True)
    np.testing.assert_allclose(found.read(slice(None)).corners[0, 0], corners, atol=1e-5)


def test_boxes_beyond_the_picture_are_cut_and_those_outside_left_out_and_both_are_said(photos):
    told(photos, [box(50, 30, 20, 30), box(70, 5, 10, 10)])
    found = prepare_boxes(str(photos), None, size=(40, 60), fit="pad", quiet=True)
    assert found.read(slice(None)).corners[0].tolist() == [[50, 30, 60, 40]]
    assert "1 boxes reach beyond their pictures and were cut; 1 boxes lie outside and are left out" in found.treated


def test_pictures_without_boxes_are_pictures(photos):
    told(photos, [])
    found = prepare_boxes(str(photos), None, size=(40, 60), fit="pad", quiet=True)
    assert (found.read(slice(None)).kinds == ABSENT).all()
    assert len(found) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"annotations": [box(1, 1, 0, 5)]}, r"annotation 5 of a/1.png is a box of 0x5 pixels.*--broken skip"),
        ({"annotations": [box(1, 1, 5, -2)]}, "a box of 5x-2 pixels"),
        ({"annotations": [box(1, 1, 5)]}, "has no box of four numbers"),
        ({"annotations": [box(1, 1, float("nan"), 5)]}, "has no box of four numbers"),
        ({"annotations": [box(1, 1, 5, 5, image=9)]}, "is of the picture 9, which is not listed"),
        ({"annotations": [box(1, 1, 5, 5, image=[1])]}, r"is of the picture \[1\], which is not listed"),
        ({"annotations": [[1, 1, 5, 5]]}, r"annotation 0 is no object \(\[1, 1, 5, 5\]\)"),
        ({"categories": 5}, r"categories is no list \(5\)"),
        ({"images": []}, "lists no pictures: images is empty"),
        ({"images": [{"id": 1}]}, "lists a picture without id or file_name"),
        ({"images": [{"id": 1, "file_name": "a/1.png"}] * 2}, "lists the picture a/1.png twice"),
        ({"images": [{"id": 1, "file_name": "c.png"}]}, "pictures of the file of boxes are not in .*c.png"),
        ({"images": [{"id": 1, "file_name": "b.png", "height": 9, "width": 9}]}, "is 20x20 .* of a picture of 9x9"),
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}, "Name it: --set category=cat"),
    ],
)
def test_what_a_coco_file_cannot_say_is_refused(photos, changes, reason):
    told(photos, **{"annotations": [], **changes})
    with pytest.raises(UserError, match=reason):
        prepare_boxes(str(photos), None, size=(20, 20), fit="stretch", quiet=True)


def test_boxes_that_cannot_be_are_left_out_where_a_person_says_so(photos):
    path = told(photos, [box(1, 1, 0, 5), box(1, 1, 4, 5), box(1, 1, 5, 5, image=9)])
    found = read_coco(path, broken="skip")
    assert [len(picture.boxes) for picture in found.pictures.values()] == [1, 0]
    assert len(found.left_out) == 2


def test_a_category_that_is_not_there_is_refused_and_another_one_taken(photos):
    path = told(photos, [box(1, 1, 4, 5), box(1, 1, 4, 5, category_id=8)])
    assert len(read_coco(path, "car").pictures["a/1.png"].boxes) == 1
    with pytest.raises(UserError, match=r"category=cars is not one of .* Did you mean 'car'"):
        read_coco(path, "cars")


def test_where_there_are_no_boxes_a_person_is_told_what_would_do(photos, tmp_path):
    with pytest.raises(UserError, match=r"does not hold them. Name a COCO file"):
        prepare_boxes(str(photos), None, size=(20, 20), quiet=True)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UserError, match="is no COCO file"):
        prepare_boxes(str(photos), str(tmp_path / "x.json"), size=(20, 20), quiet=True)
    with pytest.raises(UserError, match=r"--target nowhere.json: there is no such file"):
        prepare_boxes(str(photos), "nowhere.json", size=(20, 20), quiet=True)
    with pytest.raises(UserError, match=r"--target .*: this is a folder. Name a COCO file"):
        prepare_boxes(str(photos), str(photos), size=(20, 20), quiet=True)
    told(photos, [], name="one.json"), told(photos, [], name="two.json")
    with pytest.raises(UserError, match=r"several COCO files \(one.json, two.json\)"):
        prepare_boxes(str(photos), None, size=(20, 20), quiet=True)


def test_pictures_without_names_are_refused_with_a_file_beside_them_too(photos):
    np.save(photos / "pixels.npy", np.zeros((2, 8, 8, 3), np.uint8))
    for file in (photos / "b.png", *(photos / "a").glob("*.png")):
        file.unlink()
    told(photos, [])
    with pytest.raises(UserError, match="have no names"):
        prepare_boxes(f"{photos / 'pixels.npy'}", str(photos / "boxes.json"), size=(8, 8), quiet=True)


def test_streets_know_their_boxes_and_no_others():
    found = prepare_boxes("street:6,48x64", None, size=(24, 32), quiet=True)
    from ganvas.data.street.street import Street

    np.testing.assert_allclose(found.read(slice(None)).corners, Street(48, 64, count=6).boxes(0, 6).corners / 2)
    with pytest.raises(UserError, match="category=car: the boxes of street:6 are of people"):
        prepare_boxes("street:6", None, size=(24, 32), category="car", quiet=True)
