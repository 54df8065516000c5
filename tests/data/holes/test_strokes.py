"""Files of strokes: read, written, drawn at two sizes, and refused where they are none."""

import json

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.holes.capsules import cover_stroke
from ganvas.data.holes.strokes import Strokes

WHOLE = {
    "ganvas": "strokes",
    "version": 1,
    "size": [40, 60],
    "strokes": [
        {"pen": "mask", "width": 10, "points": [[10, 10], [50, 30]]},
        {"pen": "sketch", "width": 1, "points": [[12, 12], [40, 22]]},
        {"pen": "colour", "width": 6, "points": [[20, 15]], "colour": "#c04030"},
        {"pen": "colour", "width": 2, "points": [[20, 15]], "colour": "#000000"},
        {"pen": "eraser", "width": 8, "points": [[50, 30]]},
    ],
}


def strokes(tmp_path, change=None):
    path = tmp_path / "strokes.json"
    path.write_text(json.dumps(WHOLE | (change or {})))
    return Strokes.read(path)


def test_every_pen_draws_its_own_plane_and_later_strokes_lie_on_earlier_ones(tmp_path):
    drawn = strokes(tmp_path).draw(40, 60)
    wanted = np.zeros((40, 60), bool)
    cover_stroke(wanted, [(10, 10), (50, 30)], 10)
    cover_stroke(wanted, [(50, 30)], 8, value=False)
    assert np.array_equal(drawn.hole, wanted)
    assert drawn.sketch.any()
    assert not (drawn.sketch & ~drawn.hole).any()
    assert drawn.colour[14, 22].tolist() == [0xC0, 0x40, 0x30]
    assert drawn.colour[14, 19].tolist() == [0, 0, 0]
    assert drawn.coloured[14, 19], "black is a colour, and not nothing"
    assert not drawn.coloured[0, 0]


def test_at_twice_the_size_everything_is_twice_as_large(tmp_path):
    small, large = strokes(tmp_path).draw(40, 60), strokes(tmp_path).draw(80, 120)
    assert large.hole.sum() == pytest.approx(4 * small.hole.sum(), rel=0.05)
    assert (large.hole[::2, ::2] == small.hole).mean() > 0.98


def test_lines_of_a_smaller_replay_stay_a_pixel_wide_and_whole(tmp_path):
    drawn = strokes(tmp_path).draw(10, 15)
    assert drawn.sketch.any(0).sum() >= 7  # From 3 to 10 across: no column is left out.


def test_what_is_written_is_read_again(tmp_path):
    first = strokes(tmp_path)
    path = tmp_path / "again.json"
    path.write_text(first.to_json())
    assert Strokes.read(path) == first


def test_a_picture_of_another_shape_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"40x60.*50x60"):
        strokes(tmp_path).draw(50, 60)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ganvas": None}, "no file of strokes"),
        ({"version": 2}, "version 2"),
        ({"size": [0, 4]}, "size"),
        ({"strokes": {}}, "no list"),
        ({"strokes": [3]}, "stroke 1"),
        ({"strokes": [{"pen": "masc", "width": 1, "points": [[0, 0]]}]}, "Did you mean 'mask'"),
        ({"strokes": [{"pen": "mask", "width": 0, "points": [[0, 0]]}]}, "width is 0"),
        ({"strokes": [{"pen": "mask", "width": 1, "points": []}]}, "points"),
        ({"strokes": [{"pen": "mask", "width": 1, "points": [[0, True]]}]}, "points"),
        ({"strokes": [{"pen": "colour", "width": 1, "points": [[0, 0]], "colour": "red"}]}, "#rrggbb"),
    ],
)
def test_what_is_no_file_of_strokes_is_refused_with_the_reason(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        strokes(tmp_path, change)
