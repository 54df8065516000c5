"""Edit: the picture that comes back is the one that ``ganvas edit`` writes, and what cannot be is told."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from ganvas.app.access import Access
from ganvas.app.answers.edit_questions import fill, show_filler
from ganvas.app.studio import studio_of
from ganvas.core.errors import UserError
from ganvas.tasks.pictures.edit import Edit, edit

STROKES = {
    "ganvas": "strokes",
    "version": 1,
    "size": [16, 16],
    "strokes": [
        {"pen": "mask", "width": 5, "points": [[4, 4], [12, 6]]},
        {"pen": "sketch", "width": 1, "points": [[4, 5], [9, 5]]},
        {"pen": "colour", "width": 2, "points": [[6, 5]], "colour": "#c04030"},
    ],
}


@pytest.fixture(scope="module")
def desk(filler_root):
    return studio_of(filler_root, Access(port=1))


def a_picture(kind="PNG"):
    rng = np.random.default_rng(3)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def asked(data, **changes):
    picture = base64.b64encode(data).decode()
    return {"run": "fill", "tab": "a", "name": "photo.png", "picture": picture, "strokes": STROKES, **changes}


def test_what_comes_back_is_what_the_command_line_writes(desk, filler_root, tmp_path):
    data = a_picture()
    made = np.asarray(Image.open(io.BytesIO(fill(desk, asked(data, seed=3)).data)))
    (tmp_path / "photo.png").write_bytes(data)
    (tmp_path / "strokes.json").write_text(json.dumps(STROKES))
    out = tmp_path / "edited.png"
    edit(
        Edit(
            run=filler_root / "fill", source=tmp_path / "photo.png", strokes=tmp_path / "strokes.json", out=out, seed=3
        )
    )
    assert (made == np.asarray(Image.open(out))).all()
    changed = (made != np.asarray(Image.open(io.BytesIO(data)))).any(-1)
    assert changed[4:6, 4:12].any()
    assert not changed[10:].any()


def test_the_page_learns_what_the_model_heeds(desk):
    shown = show_filler(desk, {"run": "fill", "tab": "a"})
    assert (shown["model"], shown["guides"]) == ("fill/sketch_colour", ["sketch", "colour"])
    assert shown["command"].endswith("PICTURE --strokes strokes.json -o edited.png")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "../photo.png"}, "not the name of a picture"),
        ({"name": "..\\photo.png"}, "not the name of a picture"),
        ({"name": ".png"}, "not the name of a picture"),
        ({"name": "photo.exe"}, "not the name of a picture"),
        ({"name": "a" * 200 + ".png"}, "not the name of a picture"),
        ({"name": "strokes.json"}, "not the name of a picture"),
        ({"picture": "no base64"}, "in base64"),
        ({"picture": ""}, "cannot be opened"),
        ({"picture": base64.b64encode(b"<svg onload='alert(1)'/>").decode()}, "cannot be opened"),
        ({"strokes": []}, "an object of JSON"),
        ({"strokes": {"ganvas": "strokes"}}, "version"),
        ({"strokes": STROKES | {"size": [16, 99]}}, "another shape"),
        ({"seed": -1}, "whole number"),
    ],
)
def test_what_cannot_be_filled_is_told(desk, changes, told):
    with pytest.raises(UserError, match=told):
        fill(desk, asked(a_picture(), **changes))


def test_a_model_that_does_not_fill_says_so(trained_root):
    with pytest.raises(UserError, match="cannot do this"):
        show_filler(studio_of(trained_root, Access(port=1)), {"run": "tiny", "tab": "a"})
