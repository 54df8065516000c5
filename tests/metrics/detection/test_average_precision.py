"""Average precision: by hand, in any order of the file, and as the tools of COCO."""

import json

import numpy as np
import pytest
import torch

from ganvas.core.boxes.detections import Detections
from ganvas.data.boxes.box_rows import BoxRows
from ganvas.metrics.detection.average_precision import average_precision, average_recall, marked_at, precision_mean
from ganvas.metrics.detection.detection_results import METRICS, detection_results, prior_detections
from ganvas.metrics.detection.matches import detected_picture


def some_pictures(n=24, *, seed=5, shuffle=None):
    """Pictures with boxes near the true ones and elsewhere; of scores there are few, so that many are equal."""
    rng, pictures = np.random.default_rng(seed), []
    for _ in range(n):
        count, found = rng.integers(1, 7), rng.integers(0, 14)
        corner, sides = rng.uniform(0, 250, (count, 2)), rng.uniform(8, 150, (count, 2))
        truth = np.concatenate([corner, corner + sides], 1)
        boxes = truth[rng.integers(0, count, found)] + rng.normal(0, 8, (found, 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 3)
        scores, crowd = rng.integers(0, 5, found) / 5 + 0.01, rng.random(count) < 0.15
        order = np.arange(found) if shuffle is None else np.random.default_rng(shuffle).permutation(found)
        rows = BoxRows(
            corners=truth[None].astype(np.float32),
            kinds=np.where(crowd, 0, 1)[None].astype(np.int8),
            seen=np.ones((1, count), np.float32),
        )
        of = Detections(corners=torch.from_numpy(boxes[order]), scores=torch.from_numpy(scores[order]))
        pictures.append(detected_picture(of, rows, 0))
    return pictures


def test_the_order_of_a_file_changes_nothing_where_scores_are_equal():
    assert average_precision(some_pictures()) == average_precision(some_pictures(shuffle=1))
    assert average_precision(some_pictures()[::-1], overlaps=[0.5]) == average_precision(
        some_pictures(), overlaps=[0.5]
    )


def test_one_right_one_wrong_and_one_missed_by_hand():
    rows = BoxRows(
        corners=np.array([[[0, 0, 10, 10], [50, 0, 60, 10]]], np.float32),
        kinds=np.ones((1, 2), np.int8),
        seen=np.ones((1, 2), np.float32),
    )
    boxes = torch.tensor([[100.0, 0, 110, 10], [0, 0, 10, 10]], dtype=torch.float64)
    found = detected_picture(Detections(corners=boxes, scores=torch.tensor([0.9, 0.8])), rows, 0)
    # Precision 1/2 up to recall 1/2, which 51 of 101 points do not exceed.
    assert precision_mean(marked_at([found], 0.5)) == pytest.approx(0.5 * 51 / 101)
    assert average_recall([found]) == 0.5
    assert np.isnan(average_precision([found], size="large"))


def test_it_is_that_of_the_tools_of_coco():
    coco = pytest.importorskip("pycocotools.coco", reason="needs pycocotools, which is a peer")
    from pycocotools.cocoeval import COCOeval

    pictures = some_pictures()
    for number, one in enumerate(pictures):  # Without ties, which the tools order by the file.
        one.scores[:] = one.scores - 1e-6 * np.arange(len(one.scores)) - 1e-9 * number
    boxed = lambda corners: [*corners[:2], *(corners[2:] - corners[:2])]  # noqa: E731
    truth = [(k, box, crowd) for k, one in enumerate(pictures) for box, crowd in zip(one.truth, one.crowd, strict=True)]
    known = coco.COCO()
    known.dataset = {
        "images": [{"id": k} for k in range(len(pictures))],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [
            {"id": n + 1, "image_id": k, "category_id": 1, "bbox": boxed(box), "iscrowd": int(crowd)}
            | {"area": float((box[2:] - box[:2]).prod())}
            for n, (k, box, crowd) in enumerate(truth)
        ],
    }
    known.createIndex()
    results = [
        {"image_id": k, "category_id": 1, "bbox": boxed(box), "score": float(score)}
        for k, one in enumerate(pictures)
        for box, score in zip(one.found, one.scores, strict=True)
    ]
    theirs = COCOeval(known, known.loadRes(json.loads(json.dumps(results))), "bbox")
    theirs.evaluate(), theirs.accumulate(), theirs.summarize()
    ours = [average_precision(pictures), *(average_precision(pictures, overlaps=[at]) for at in (0.5, 0.75))]
    ours += [average_precision(pictures, size=size) for size in ("small", "medium", "large")]
    assert np.abs(np.array(ours) - theirs.stats[:6]).max() < 1e-12


def test_values_come_with_errors_of_resampled_pictures():
    found = {one.metric: one for one in detection_results(some_pictures(), least_height=20, seed=0, protocol="p")}
    assert set(METRICS) <= found.keys()
    assert 0 < found["ap"].standard_error < 0.2
    again = detection_results(some_pictures(), least_height=20, seed=0, protocol="p", of="floor")
    assert {one.metric for one in again} == {f"{name}.floor" for name in METRICS}
    assert again[1].value == found["ap"].value


def test_the_prior_is_where_most_boxes_are():
    corners = np.array([[[0, 0, 10, 20]], [[1, 0, 11, 20]], [[0, 1, 10, 21]], [[60, 0, 70, 20]]], np.float32)
    found = prior_detections(BoxRows(corners=corners, kinds=np.ones((4, 1), np.int8), seen=np.ones((4, 1), np.float32)))
    assert found.scores.tolist() == [0.75, 0.25]
