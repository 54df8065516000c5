"""A drawing as pixels: everything is drawn three times too large and averaged, which smooths the edges.

The letters are those of Pillow's built-in font (Aileron), each run squeezed or stretched to the width that Helvetica
has, so that a line is as wide here as in the SVG and the PDF on every machine. What that font lacks is taken from a
font of the system where there is one, and a few signs (×, –, →) are drawn.
"""

import math
from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from ganvas.report.drawing.letters import Run, Weight, runs, text_width
from ganvas.report.drawing.palette import rgb
from ganvas.report.drawing.primitives import Circle, Clip, Drawing, Image, Item, Path, Point, Rect, Text, flat, outline

SAMPLES = 3  # Per pixel and axis.
SYSTEM_FONTS = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Helvetica.ttc")
FAR = 1e6  # In samples: nothing further away is told apart.
FINITE = 1e300
GLYPH_SIZE = 96.0  # Letters are drawn at this size and then scaled: hinting must not change their shape.


def pixels(drawing: Drawing, *, dpi: float = 200.0) -> UInt8[np.ndarray, "h w 3"]:
    """The drawing at ``dpi`` pixels per inch."""
    width, height = size_px(drawing, dpi=dpi)
    big = (width * SAMPLES, height * SAMPLES)
    canvas = Pictures.new("RGB", big, rgb(drawing.background or "#ffffff"))
    scale = dpi / 72 * SAMPLES
    for item in drawing.items:
        _item(item, canvas, scale)
    return np.asarray(canvas.resize((width, height), Pictures.Resampling.BOX))


def size_px(drawing: Drawing, *, dpi: float) -> tuple[int, int]:
    """Width and height; a part of a pixel counts as a whole one."""
    return math.ceil(drawing.width * dpi / 72 - 1e-6), math.ceil(drawing.height * dpi / 72 - 1e-6)


def _item(item: Item, canvas: Pictures.Image, scale: float) -> None:
    if isinstance(item, Text):
        _text(item, canvas, scale)
    elif isinstance(item, Image):
        _image(item, canvas, scale)
    elif isinstance(item, Clip):
        left, top = round(item.x * scale), round(item.y * scale)
        box = (left, top, round((item.x + item.width) * scale), round((item.y + item.height) * scale))
        inside = canvas.copy()
        for inner in item.items:
            _item(inner, inside, scale)
        canvas.paste(inside.crop(box), (left, top))
    else:
        _shape(item, canvas, scale)


def _image(item: Image, canvas: Pictures.Image, scale: float) -> None:
    left, top = round(item.x * scale), round(item.y * scale)
    size = (round((item.x + item.width) * scale) - left, round((item.y + item.height) * scale) - top)
    method = Pictures.Resampling.BICUBIC if item.smooth else Pictures.Resampling.NEAREST
    if item.pixels.shape[0] > size[1] or item.pixels.shape[1] > size[0]:
        method = Pictures.Resampling.BOX
    picture = Pictures.fromarray(item.pixels)
    mask = picture.getchannel("A").resize(size, method) if picture.mode == "RGBA" else None
    canvas.paste(picture.convert("RGB").resize(size, method), (left, top), mask)


def _shape(item: Rect | Circle | Path, canvas: Pictures.Image, scale: float) -> None:
    """Fill and stroke as masks over what is seen of the item, so that opacity is exact where strokes overlap."""
    paint, parts = item.paint, flat(outline(item), steps=24)
    parts = [(_near([(x * scale, y * scale) for x, y in points]), closed) for points, closed in parts]
    parts = [(points, closed) for points, closed in parts if points]
    if not parts:
        return
    half = paint.stroke_width * scale / 2 if paint.stroke else 0.0
    xs, ys = zip(*(point for points, _ in parts for point in points), strict=True)
    left, top = max(math.floor(min(xs) - half) - 1, 0), max(math.floor(min(ys) - half) - 1, 0)
    right, bottom = math.ceil(max(xs) + half) + 2, math.ceil(max(ys) + half) + 2
    size = (min(right, canvas.width) - left, min(bottom, canvas.height) - top)
    if min(size) <= 0:
        return
    parts = [([(x - left, y - top) for x, y in points], closed) for points, closed in parts]
    for colour, draw in ((paint.fill, _filled), (paint.stroke, _stroked)):
        if colour:
            mask = Pictures.new("L", size)
            draw(ImageDraw.Draw(mask), parts, half, tuple(length * scale for length in paint.dash))
            if paint.opacity < 1:
                mask = mask.point([round(value * paint.opacity) for value in range(256)])
            canvas.paste(rgb(colour), (left, top, left + size[0], top + size[1]), mask)


def _near(points: list[Point]) -> list[Point]:
    """The points; in the place of one beyond ``FAR`` stands one at that distance from the last, in its direction.

    What a game that runs away draws may lie anywhere, and Pillow counts in 32 bits.
    """
    points = [point for point in points if not any(map(math.isnan, point))]  # Curves to infinity have such.
    if not any(map(_is_far, points)):
        return points
    last, found = next((point for point in points if not _is_far(point)), (0.0, 0.0)), list[Point]()
    for point in points:
        if _is_far(point):
            along = [min(max(to, -FINITE), FINITE) - start for to, start in zip(point, last, strict=True)]
            share = FAR / max(map(abs, along))
            point = last[0] + share * along[0], last[1] + share * along[1]
        found.append(point)
        last = point if not _is_far(point) else last
    return found


def _is_far(point: Point) -> bool:
    return max(map(abs, point)) > FAR


Parts = list[tuple[list[Point], bool]]


def _filled(draw: ImageDraw.ImageDraw, parts: Parts, half: float, dash: tuple[float, ...]) -> None:
    del half, dash
    for points, _ in parts:
        if len(points) > 2:
            # Pillow's corners are centres of pixels, and it paints the pixels that its edges touch.
            draw.polygon([(round(x - 0.5), round(y - 0.5)) for x, y in _inside(points)], fill=255)


def _inside(points: list[Point]) -> list[Point]:
    """Right and lower edges drawn in by a pixel: Pillow counts them in, a shape of this width does not."""
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    return [(x - (x > right - 0.5), y - (y > bottom - 0.5)) for x, y in points]


def _stroked(draw: ImageDraw.ImageDraw, parts: Parts, half: float, dash: tuple[float, ...]) -> None:
    half = max(half, 0.5)
    for points, closed in parts:
        whole = [*points, points[0]] if closed else points
        for piece in _dashes(whole, dash) if dash else [whole]:
            for start, end in pairwise(piece):
                _segment(draw, start, end, half)
            joints = piece[1:-1] if not closed or dash else piece
            for x, y in joints:
                draw.ellipse((x - half, y - half, x + half, y + half), fill=255)


def _segment(draw: ImageDraw.ImageDraw, start: Point, end: Point, half: float) -> None:
    length = math.dist(start, end)
    if length == 0:
        return
    dx, dy = (end[1] - start[1]) / length * half, (start[0] - end[0]) / length * half
    corners = [(start[0] + dx, start[1] + dy), (end[0] + dx, end[1] + dy)]
    corners += [(end[0] - dx, end[1] - dy), (start[0] - dx, start[1] - dy)]
    draw.polygon([(round(x - 0.5), round(y - 0.5)) for x, y in _inside(corners)], fill=255)


def _dashes(points: list[Point], dash: tuple[float, ...]) -> list[list[Point]]:
    """The strokes between the gaps; the pattern goes on around corners."""
    pieces: list[list[Point]] = []
    index, left = 0, dash[0]
    pieces.append([points[0]])
    for start, end in pairwise(points):
        done, length = 0.0, math.dist(start, end)
        while length - done > left:
            done += left
            cut = (start[0] + (end[0] - start[0]) * done / length, start[1] + (end[1] - start[1]) * done / length)
            if index % 2 == 0:
                pieces[-1].append(cut)
            else:
                pieces.append([cut])
            index += 1
            left = dash[index % len(dash)]
        left -= length - done
        if index % 2 == 0:
            pieces[-1].append(end)
    return [piece for piece in pieces if len(piece) > 1]


def _text(item: Text, canvas: Pictures.Image, scale: float) -> None:
    """The line as a mask with the anchor in its middle, turned, and laid on the canvas."""
    width = text_width(item.text, item.size, weight=item.weight) * scale
    start = {"start": 0.0, "middle": -width / 2, "end": -width}[item.anchor]
    reach = math.ceil(max(abs(start), abs(start + width)) + 2 * item.size * scale)
    mask = Pictures.new("L", (2 * reach, 2 * reach if item.rotation else 2 * math.ceil(2 * item.size * scale)))
    middle, at = mask.height // 2, reach + start
    for run in runs(item.text, weight=item.weight):
        size = item.size * run.scale * scale
        letters = _run(run, item.weight)
        wide = max(1, round(run.width * item.size * scale + 0.5 * size))
        letters = letters.resize((wide, max(1, round(2 * size))), Pictures.Resampling.BOX)
        mask.paste(255, (round(at - 0.25 * size), round(middle - 1.5 * size - run.rise * item.size * scale)), letters)
        at += run.width * item.size * scale
    if item.rotation:
        mask = mask.rotate(item.rotation, Pictures.Resampling.BICUBIC, center=(reach, middle))
    if item.opacity < 1:
        mask = mask.point([round(value * item.opacity) for value in range(256)])
    place = (round(item.x * scale) - reach, round(item.y * scale) - middle)
    canvas.paste(rgb(item.fill), (*place, place[0] + mask.width, place[1] + mask.height), mask)


@cache
def _run(run: Run, weight: Weight) -> Pictures.Image:
    """Letters of a run at ``GLYPH_SIZE``, a quarter of it free at both sides, the baseline at 3/4 of the height."""
    room, base = GLYPH_SIZE / 4, GLYPH_SIZE * 1.5
    advances = [_advance(character, weight) for character in run.text]
    mask = Pictures.new("L", (math.ceil(sum(advances) + 2 * room), math.ceil(2 * GLYPH_SIZE)))
    draw, x = ImageDraw.Draw(mask), room
    bold = GLYPH_SIZE * 0.016 if weight == "bold" else 0.0
    for character, advance in zip(run.text, advances, strict=True):
        if character in SIGNS:
            for start, end in pairwise(SIGNS[character]):
                ends = [(x + px * advance, base - py * GLYPH_SIZE) for px, py in (start, end)]
                _segment(draw, ends[0], ends[1], GLYPH_SIZE * (0.052 if weight == "bold" else 0.035))
        else:
            draw.text((x, base), character, fill=255, font=_font(character), anchor="ls", stroke_width=bold)
        x += advance
    return _stretched(mask, room, sum(advances), GLYPH_SIZE * run.width / run.scale)


def _stretched(mask: Pictures.Image, room: float, given: float, wanted: float) -> Pictures.Image:
    """The letters ``wanted`` wide instead of ``given``, with ``room`` at both sides as before."""
    factor = wanted / given if given > 0 else 1.0
    size = (math.ceil(wanted + 2 * room), mask.height)
    matrix = (1 / factor, 0, room - room / factor, 0, 1, 0)
    return mask.transform(size, Pictures.Transform.AFFINE, matrix, Pictures.Resampling.BICUBIC)


def _advance(character: str, weight: Weight) -> float:
    if character in SIGNS:
        return text_width(character, GLYPH_SIZE, weight=weight)
    return float(_font(character).getlength(character))


SIGNS: dict[
    str, tuple[Point, ...]
] = {  # Strokes that the built-in font lacks: x in parts of the advance, y of the size.
    "×": ((0.18, 0.08), (0.82, 0.46), (0.5, 0.27), (0.18, 0.46), (0.82, 0.08)),
    "–": ((0.0, 0.27), (1.0, 0.27)),
    "—": ((0.0, 0.27), (1.0, 0.27)),
    "−": ((0.1, 0.27), (0.9, 0.27)),
    "→": ((0.06, 0.27), (0.94, 0.27), (0.74, 0.42), (0.94, 0.27), (0.74, 0.12)),
    "←": ((0.94, 0.27), (0.06, 0.27), (0.26, 0.42), (0.06, 0.27), (0.26, 0.12)),
    "↑": ((0.5, -0.1), (0.5, 0.68), (0.2, 0.5), (0.5, 0.68), (0.8, 0.5)),
    "↓": ((0.5, 0.68), (0.5, -0.1), (0.2, 0.08), (0.5, -0.1), (0.8, 0.08)),
    "≤": ((0.88, 0.55), (0.12, 0.34), (0.88, 0.13), (0.88, 0.12), (0.12, 0.12)),
    "≥": ((0.12, 0.55), (0.88, 0.34), (0.12, 0.13), (0.12, 0.02), (0.88, 0.02)),
}


@cache
def _font(character: str) -> ImageFont.FreeTypeFont:
    """The built-in font; for a character that it lacks, the first font of the system that has it."""
    own = ImageFont.load_default(GLYPH_SIZE)
    assert isinstance(own, ImageFont.FreeTypeFont)
    if not _lacks(own, character):
        return own
    for name in SYSTEM_FONTS:
        try:
            other = ImageFont.truetype(name, GLYPH_SIZE)
        except OSError:
            continue
        if not _lacks(other, character):
            return other
    return own


def _lacks(font: ImageFont.FreeTypeFont, character: str) -> bool:
    """Whether the font shows it as it shows what is no character at all."""
    return not character.isspace() and _glyph(font, character) == _glyph(font, "\uffff")


def _glyph(font: ImageFont.FreeTypeFont, character: str) -> bytes:
    side = round(2 * GLYPH_SIZE)
    mask = Pictures.new("L", (side, side))
    ImageDraw.Draw(mask).text((GLYPH_SIZE / 2, GLYPH_SIZE * 1.5), character, fill=255, font=font, anchor="ls")
    return mask.tobytes()
