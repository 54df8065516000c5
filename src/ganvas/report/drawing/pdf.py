"""A drawing as a PDF of one page (ISO 32000-1): vector shapes, real text, pictures without loss.

Text is set in Helvetica, Helvetica-Bold and Symbol, which every reader has; nothing is embedded, so the file stays
small, and its words can be searched and edited. The same drawing gives the same bytes: no date, no random name.
"""

import zlib
from dataclasses import dataclass, field

import numpy as np

from ganvas.report.drawing.letters import SYMBOL, Run, runs, text_width
from ganvas.report.drawing.palette import rgb
from ganvas.report.drawing.primitives import (
    Circle,
    Clip,
    Command,
    Drawing,
    Image,
    Item,
    Paint,
    Path,
    Rect,
    Text,
    outline,
)
from ganvas.report.drawing.svg import number

FONTS = {"helvetica": "F1", "helvetica-bold": "F2", "symbol": "F3"}


@dataclass
class Page:
    """What a page needs beside its content: pictures and degrees of opacity, each named once."""

    height: float
    lines: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    opacities: list[float] = field(default_factory=list)

    def opacity(self, value: float) -> str:
        """The name of the graphics state with this opacity."""
        if value not in self.opacities:
            self.opacities.append(value)
        return f"/G{self.opacities.index(value)} gs"


def pdf(drawing: Drawing) -> bytes:
    """The whole file."""
    page = Page(height=drawing.height)
    # From here on y counts downwards, as in the drawing; text and pictures turn themselves back.
    page.lines += ["q", f"1 0 0 -1 0 {number(drawing.height)} cm", "1 j"]
    if drawing.background:
        ground = Rect(x=0, y=0, width=drawing.width, height=drawing.height, paint=Paint(fill=drawing.background))
        _item(ground, page)
    for item in drawing.items:
        _item(item, page)
    page.lines.append("Q")
    return _file(drawing, page)


def _file(drawing: Drawing, page: Page) -> bytes:
    """Objects 1 to 8 are always the same; pictures (and their opacity) follow."""
    objects: list[bytes] = []
    names = []
    for index, image in enumerate(page.images):
        names.append(f"/I{index} {9 + len(objects)} 0 R")
        objects += _image_objects(image, 9 + len(objects))
    states = " ".join(f"/G{i} << /ca {number(v)} /CA {number(v)} >>" for i, v in enumerate(page.opacities))
    box = f"[0 0 {number(drawing.width)} {number(drawing.height)}]"
    fonts = "/Font << /F1 4 0 R /F2 5 0 R /F3 6 0 R >>"
    resources = f"<< {fonts} /XObject << {' '.join(names)} >> /ExtGState << {states} >> >>"
    encoding = "/Encoding /WinAnsiEncoding"
    fixed = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /DisplayDocTitle true >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} /Contents 7 0 R >>".encode(),
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica {encoding} >>".encode(),
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold {encoding} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>",
        _stream("", "\n".join(page.lines).encode("latin-1")),
        f"<< /Title <{(chr(0xFEFF) + drawing.title).encode('utf-16-be').hex()}> /Producer (Ganvas) >>".encode(),
    ]
    return _assembled(fixed + objects)


def _assembled(objects: list[bytes]) -> bytes:
    """Header, objects, the table of where each begins, and the trailer (ISO 32000-1, 7.5)."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for index, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (index, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 8 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _stream(entries: str, data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    head = f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".replace("<<  ", "<< ")
    return head.encode() + packed + b"\nendstream"


def _image_objects(image: Image, first: int) -> list[bytes]:
    """The picture, and after it its opacity where it has one."""
    pixels = np.ascontiguousarray(image.pixels)
    height, width = pixels.shape[:2]
    smooth = "true" if image.smooth else "false"
    head = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8 /Interpolate {smooth}"
    space = "/ColorSpace /DeviceGray" if pixels.ndim == 2 else "/ColorSpace /DeviceRGB"
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return [_stream(f"{head} {space}", pixels.tobytes())]
    colour, opacity = np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3])
    mask = _stream(f"{head} /ColorSpace /DeviceGray", opacity.tobytes())
    return [_stream(f"{head} {space} /SMask {first + 1} 0 R", colour.tobytes()), mask]


def _item(item: Item, page: Page) -> None:
    if isinstance(item, Text):
        _text(item, page)
    elif isinstance(item, Image):
        page.images.append(item)
        place = [item.width, 0, 0, -item.height, item.x, item.y + item.height]
        page.lines.append(f"q {' '.join(map(number, place))} cm /I{len(page.images) - 1} Do Q")
    elif isinstance(item, Clip):
        box = " ".join(map(number, (item.x, item.y, item.width, item.height)))
        page.lines.append(f"q {box} re W n")
        for inner in item.items:
            _item(inner, page)
        page.lines.append("Q")
    else:
        _shape(item, page)


def _shape(item: Rect | Circle | Path, page: Page) -> None:
    paint = item.paint
    if not (paint.fill or paint.stroke):
        return
    words = ["q"]
    if paint.opacity < 1:
        words.append(page.opacity(paint.opacity))
    if paint.fill:
        words.append(f"{_colour(paint.fill)} rg")
    if paint.stroke:
        words.append(f"{_colour(paint.stroke)} RG {number(paint.stroke_width)} w")
    if paint.stroke and paint.dash:
        words.append(f"[{' '.join(map(number, paint.dash))}] 0 d")
    words += [_command(command) for command in outline(item)]
    words.append("B" if paint.fill and paint.stroke else "f" if paint.fill else "S")
    page.lines.append(" ".join([*words, "Q"]))


def _command(command: Command) -> str:
    letter, points = command
    operator = {"M": "m", "L": "l", "C": "c", "Z": "h"}[letter]
    return " ".join([*(number(value) for point in points for value in point), operator])


def _colour(colour: str) -> str:
    return " ".join(number(value / 255) for value in rgb(colour))


def _text(item: Text, page: Page) -> None:
    """Runs one after another from where the line begins, turned about the point that anchors it."""
    turn = np.deg2rad(item.rotation)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    at = {"start": 0.0, "middle": -0.5, "end": -1.0}[item.anchor] * text_width(item.text, item.size, weight=item.weight)
    state = f" {page.opacity(item.opacity)}" if item.opacity < 1 else ""
    words = [f"q{state} BT {_colour(item.fill)} rg"]
    for run in runs(item.text, weight=item.weight):
        rise = run.rise * item.size
        x, y = item.x + at * cos - rise * sin, item.y - at * sin - rise * cos
        # The page counts y downwards, the letters upwards: the second column of the matrix turns them over.
        matrix = " ".join(map(number, (cos, -sin, -sin, -cos, x, y)))
        words.append(f"/{_font(run, item)} {number(item.size * run.scale)} Tf {matrix} Tm {_string(run)} Tj")
        at += run.width * item.size
    page.lines.append(" ".join([*words, "ET Q"]))


def _font(run: Run, item: Text) -> str:
    bold = run.face == "helvetica" and item.weight == "bold"
    return FONTS["helvetica-bold" if bold else run.face]


def _string(run: Run) -> str:
    if run.face == "symbol":
        return f"<{bytes(SYMBOL[character][0] for character in run.text).hex()}>"
    return f"<{run.text.encode('cp1252', errors='replace').hex()}>"
