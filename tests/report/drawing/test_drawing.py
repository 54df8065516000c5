"""Figures as values: one drawing in three formats, whole files or none, geometry that the writers share."""

import io
import math
import re
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image as Pictures

from ganvas.core.errors import UserError
from ganvas.report.drawing.drawing import (
    Circle,
    Clip,
    Drawing,
    Image,
    Paint,
    Path,
    Rect,
    Text,
    bounds,
    encoded,
    line,
    polygon,
    rounded,
    text_width,
    write,
)
from ganvas.report.drawing.png import pixels
from ganvas.report.drawing.primitives import flat, outline

SVG = "{http://www.w3.org/2000/svg}"
RED, BLUE = Paint(fill="#ff0000"), Paint(fill="#0000ff")


def every_kind() -> Drawing:
    """One of each item, all apart."""
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    items = (
        Rect(x=10, y=10, width=20, height=10, paint=RED),
        Rect(x=40, y=10, width=20, height=10, radius=4, paint=BLUE, name="a & <b>"),
        Circle(x=80, y=15, radius=5, paint=RED),
        polygon([(95, 10), (115, 10), (105, 20)], BLUE),
        line((10, 30), (60, 30), Paint(stroke="#ff0000", stroke_width=2, dash=(4, 4))),
        rounded([(70, 30), (90, 30), (90, 40)], 4, Paint(stroke="#0000ff", stroke_width=2)),
        Text(x=10, y=50, text="3×3 (s2) \\ <µ> α"),
        Text(x=100, y=50, text="up", anchor="middle", rotation=90, weight="bold"),
        Image(x=10, y=60, width=20, height=20, pixels=pixels),
        Image(x=40, y=60, width=20, height=20, pixels=pixels[..., 0]),
        Clip(x=70, y=60, width=10, height=10, items=(Rect(x=60, y=50, width=40, height=40, paint=RED),)),
    )
    return Drawing(width=120, height=90, items=items, title="Every kind")


def opened(drawing: Drawing, *, dpi: float) -> np.ndarray:
    """The pixels of the PNG."""
    with Pictures.open(io.BytesIO(encoded(drawing, ".png", dpi=dpi))) as picture:
        return np.asarray(picture)


def content(data: bytes) -> str:
    """The operators of a PDF's page."""
    stream = re.search(rb"/Filter /FlateDecode /Length (\d+) >>\nstream\n", data[data.index(b"\n7 0 obj") :])
    assert stream is not None
    start = data.index(b"\n7 0 obj") + stream.end()
    return zlib.decompress(data[start : start + int(stream[1])]).decode("latin-1")


def test_the_three_formats_hold_the_same_items():
    drawing = every_kind()
    tree = ElementTree.fromstring(encoded(drawing, ".svg"))
    operators = content(encoded(drawing, ".pdf"))
    kinds = {kind: len(list(tree.iter(SVG + kind))) for kind in ("rect", "circle", "path", "text", "image", "clipPath")}
    assert kinds == {"rect": 5, "circle": 1, "path": 3, "text": 2, "image": 2, "clipPath": 1}
    assert operators.count("BT ") == operators.count(" ET") == 2
    assert operators.count(" Do ") == 2
    assert operators.count(" re W n") == 1
    assert len(re.findall(r" [fSB] Q", operators)) == 8  # The ground, the one that is clipped, and six shapes.


def test_a_pixel_of_every_item_has_its_colour():
    picture = opened(every_kind(), dpi=144)
    assert picture.shape == (180, 240, 3)

    def at(x: float, y: float) -> list[int]:
        return picture[round(y * 2), round(x * 2)].tolist()

    red, blue, white = [255, 0, 0], [0, 0, 255], [255, 255, 255]
    assert [at(20, 15), at(50, 15), at(80, 15), at(105, 13)] == [red, blue, red, blue]
    assert [at(12, 30), at(16, 30), at(20, 30)] == [red, white, red]  # Strokes and gaps of four points.
    assert [at(80, 30), at(90, 37)] == [blue, blue]
    assert at(40.1, 10.1) == white  # The rounded corner.
    assert at(12.5, 62.5) == [0, 5, 10]
    assert at(57.5, 77.5) == [225, 225, 225]
    assert [at(75, 65), at(68, 65), at(82, 65), at(75, 72)] == [red, white, white, white]  # Inside and around the clip.


@pytest.mark.slow
def test_what_is_dark_in_the_png_stands_where_the_bounds_say():
    for rotation in (0, 90, -90, 37):
        for anchor in ("start", "middle", "end"):
            text = Text(x=60, y=60, text="Hamburg", size=12, anchor=anchor, rotation=rotation, fill="#000000")
            picture = opened(Drawing(width=120, height=120, items=(text,)), dpi=144)[..., 0]
            rows, columns = np.nonzero(picture < 128)
            left, top, right, bottom = bounds(text)
            assert columns.min() / 2 >= left - 1
            assert columns.max() / 2 <= right + 1
            assert rows.min() / 2 >= top - 1
            assert rows.max() / 2 <= bottom + 1
            # And it fills them: the built-in font is stretched to Helvetica's width.
            assert (columns.max() - columns.min()) / 2 > 0.85 * (right - left) - 3


def test_svg_is_well_formed_and_escapes_what_is_written():
    tree = ElementTree.fromstring(encoded(every_kind(), ".svg"))
    assert tree.get("viewBox") == "0 0 120 90"
    assert tree.find(f"{SVG}title").text == "Every kind"
    assert [text.text for text in tree.iter(f"{SVG}text")] == ["3×3 (s2) \\ <µ> α", "up"]
    assert "a & <b>" in [title.text for title in tree.iter(f"{SVG}title")]
    text = next(tree.iter(f"{SVG}text"))
    assert float(text.get("textLength")) == pytest.approx(text_width("3×3 (s2) \\ <µ> α", 8), abs=1e-3)


def test_the_table_of_a_pdf_points_at_its_objects():
    data = encoded(every_kind(), ".pdf")
    assert data.startswith(b"%PDF-1.4\n")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    assert data[start : start + 5] == b"xref\n"
    first, count = map(int, re.match(rb"xref\n(\d+) (\d+)\n", data[start:]).groups())
    entries = data[start:].split(b"\n", 2)[2][: 20 * count]
    assert first == 0
    assert entries[:20] == b"0000000000 65535 f \n"
    for number in range(1, count):
        entry = entries[20 * number : 20 * number + 20]
        assert re.fullmatch(rb"\d{10} 00000 n \n", entry)
        assert data[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    assert b"/Size %d /Root 1 0 R" % count in data
    assert b"/MediaBox [0 0 120 90]" in data
    for length, at in ((int(m[1]), m.end()) for m in re.finditer(rb"/Length (\d+) >>\nstream\n", data)):
        assert data[at + length :].startswith(b"\nendstream")


def test_pdf_text_is_in_the_fonts_that_every_reader_has_and_ends_where_it_was_measured():
    data = encoded(Drawing(width=100, height=50, items=(Text(x=90, y=20, text="1α2", size=10, anchor="end"),)), ".pdf")
    shown = re.findall(r"/(F\d) (\S+) Tf (\S+) (\S+) (\S+) (\S+) (\S+) (\S+) Tm <(\w+)> Tj", content(data))
    assert [(font, bytes.fromhex(code)) for font, *_, code in shown] == [("F1", b"1"), ("F3", b"a"), ("F1", b"2")]
    starts = [float(values[6]) for values in shown]
    # Helvetica's digits are 556, Symbol's alpha 631 thousandths wide.
    assert np.diff(starts) == pytest.approx([5.56, 6.31], abs=1e-3)
    assert starts[-1] + 5.56 == pytest.approx(90, abs=1e-3)
    assert {name: f"/BaseFont /{name} ".encode() in data for name in ("Helvetica", "Helvetica-Bold", "Symbol")}
    assert all(float(values[5]) == -1 for values in shown)  # Upright on a page whose y counts downwards.


def test_a_picture_with_opacity_has_it_in_a_mask_of_its_own():
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[..., 0], pixels[..., 3] = 200, np.arange(6).reshape(2, 3) * 50
    data = encoded(Drawing(width=9, height=9, items=(Image(x=0, y=0, width=9, height=9, pixels=pixels),)), ".pdf")
    assert b"/SMask 10 0 R" in data
    mask = data[data.index(b"\n10 0 obj") :]
    assert b"/Width 3 /Height 2" in mask
    found = re.search(rb"/Length (\d+) >>\nstream\n", mask)
    assert zlib.decompress(mask[found.end() : found.end() + int(found[1])]) == bytes(range(0, 300, 50))


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_the_same_drawing_gives_the_same_bytes(suffix):
    assert encoded(every_kind(), suffix) == encoded(every_kind(), suffix)


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png", ".PNG"])
def test_a_file_is_written_by_its_suffix(tmp_path, suffix):
    path = write(every_kind(), tmp_path / f"figure{suffix}", dpi=72)
    start = path.read_bytes()[:5]
    assert start == {".svg": b"<svg ", ".pdf": b"%PDF-", ".png": b"\x89PNG\r"}[suffix.lower()]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.svg.gz"])
def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(UserError, match=r"\.svg, \.pdf, \.png"):
        write(every_kind(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dpi", [72, 100, 300])
def test_a_png_has_the_size_of_the_page(tmp_path, dpi):
    drawing = Drawing(width=100.5, height=50, items=())
    with Pictures.open(write(drawing, tmp_path / "a.png", dpi=dpi)) as picture:
        assert picture.size == (math.ceil(100.5 * dpi / 72), math.ceil(50 * dpi / 72))
        assert picture.info["dpi"][0] == pytest.approx(dpi, rel=1e-3)


def test_opacity_mixes_once_however_often_a_stroke_crosses_itself():
    paint = Paint(stroke="#000000", stroke_width=8, opacity=0.5)
    cross = rounded([(5, 15), (25, 15), (25, 25), (15, 25), (15, 5)], 0.01, paint)
    picture = opened(Drawing(width=30, height=30, items=(cross,)), dpi=72)
    assert set(picture[15, 12:18, 0].tolist()) <= {127, 128}


def test_a_circle_of_cubics_is_round_to_a_thousandth():
    # A quarter by the handle 4 (sqrt 2 - 1) / 3 strays from the circle by 2.7e-4 of its radius.
    (points, closed), *rest = flat(outline(Circle(x=3, y=4, radius=10)), steps=50)
    assert closed
    assert not rest
    distances = [math.dist((3, 4), point) for point in points]
    assert min(distances) > 10 * (1 - 1e-9)
    assert max(distances) < 10 * (1 + 2.8e-4)


def test_rounded_corners_never_leave_the_straight_corner():
    points = [(0, 0), (10, 0), (10, 6), (30, 6)]
    ((found, _),) = flat(rounded(points, 4, Paint()).commands)
    assert found[0] == (0, 0)
    assert found[-1] == (30, 6)
    assert all(0 <= x <= 30 and 0 <= y <= 6 for x, y in found)
    assert min(math.dist(point, (10, 0)) for point in found) > 0.5  # Cut, by 3 here: half of the shorter side.


def test_a_folder_that_is_a_file_is_said_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        write(every_kind(), tmp_path / "file" / "figure.svg")
    assert (tmp_path / "file").read_text() == "x"


def test_a_tag_in_a_text_stays_text():
    drawing = Drawing(width=9, height=9, items=(Text(x=1, y=5, text="&amp;<script>"),), title="]]><x>")
    tree = ElementTree.fromstring(encoded(drawing, ".svg"))
    assert next(tree.iter(f"{SVG}text")).text == "&amp;<script>"
    assert tree.find(f"{SVG}title").text == "]]><x>"


@pytest.mark.parametrize("far", [1e4, 1e12, 1e300, float("inf")])
def test_what_lies_far_outside_costs_nothing_and_what_is_seen_of_it_is_drawn(far: float):
    paint = Paint(stroke="#000000", stroke_width=2.0)
    near, away = (Path(commands=(("M", ((5.0, 5.0),)), ("L", ((x, 5.0),))), paint=paint) for x in (40.0, far))
    disc = Circle(x=-far, y=far, radius=2.0, paint=Paint(fill="#ff0000"))
    seen = [pixels(Drawing(width=20.0, height=10.0, items=items)) for items in ((near,), (away, disc))]
    assert np.array_equal(*seen)
    assert seen[0].min() == 0


def test_a_line_to_a_point_far_away_keeps_its_direction():
    paint = Paint(stroke="#000000", stroke_width=2.0)
    ends = [(5 + 4 * times, 5 + times) for times in (10.0, 1e4, 1e12)]
    lines = [Path(commands=(("M", ((5.0, 5.0),)), ("L", (end,))), paint=paint) for end in ends]
    near, *away = (pixels(Drawing(width=20.0, height=10.0, items=(line,))) for line in lines)
    assert all(np.array_equal(near, one) for one in away)
