"""A drawing as SVG text that needs nothing else.

Each line of text says its own width (``textLength``), so that a viewer whose Helvetica is another font squeezes the
letters rather than let them run into their neighbours.
"""

import base64
import io
from collections.abc import Sequence
from html import escape

from PIL import Image as Pictures

from ganvas.report.drawing.letters import text_width
from ganvas.report.drawing.primitives import Circle, Clip, Command, Drawing, Image, Item, Paint, Path, Rect, Text

FAMILY = "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif"


def svg(drawing: Drawing) -> str:
    """The whole picture; its size is in points, and it scales with its surroundings."""
    width, height = number(drawing.width), number(drawing.height)
    definitions, body = elements(drawing.items)
    title = f"<title>{escape(drawing.title)}</title>\n" if drawing.title else ""
    ground = f'<rect width="{width}" height="{height}" fill="{drawing.background}"/>\n' if drawing.background else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}" font-family="{FAMILY}" role="img">\n'
        f"{title}{definitions}{ground}{body}\n</svg>\n"
    )


def elements(items: Sequence[Item], *, prefix: str = "clip") -> tuple[str, str]:
    """What items refer to, and the items; the ids begin with ``prefix``, which keeps them apart within one page."""
    clips: list[str] = []
    body = "\n".join(_item(item, clips, prefix) for item in items)
    return f"<defs>{''.join(clips)}</defs>\n" if clips else "", body


def number(value: float) -> str:
    """With at most three decimals: a thousandth of a point is a third of a micrometre.

    >>> number(12.0), number(0.12345), number(-0.0001)
    ('12', '0.123', '0')
    """
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _item(item: Item, clips: list[str], prefix: str) -> str:
    if isinstance(item, Text):
        return _text(item)
    if isinstance(item, Image):
        return _image(item)
    if isinstance(item, Clip):
        name = f"{prefix}{len(clips)}"
        clips.append(f'<clipPath id="{name}"><rect {_place(item)}/></clipPath>')
        inside = [_item(inner, clips, prefix) for inner in item.items]
        return "\n".join([f'<g clip-path="url(#{name})">', *inside, "</g>"])
    shape = _shape(item)
    return f"<{shape}><title>{escape(item.name)}</title></{shape.split()[0]}>" if item.name else f"<{shape}/>"


def _shape(item: Rect | Circle | Path) -> str:
    if isinstance(item, Rect):
        corner = f' rx="{number(item.radius)}"' if item.radius else ""
        return f"rect {_place(item)}{corner} {_paint(item.paint)}"
    if isinstance(item, Circle):
        place = f'cx="{number(item.x)}" cy="{number(item.y)}" r="{number(item.radius)}"'
        return f"circle {place} {_paint(item.paint)}"
    return f'path d="{"".join(_command(command) for command in item.commands)}" {_paint(item.paint)}'


def _place(item: Rect | Image | Clip) -> str:
    names = ("x", "y", "width", "height")
    return " ".join(f'{name}="{number(getattr(item, name))}"' for name in names)


def _command(command: Command) -> str:
    letter, points = command
    return letter + " ".join(f"{number(x)},{number(y)}" for x, y in points)


def _paint(paint: Paint) -> str:
    words = [f'fill="{paint.fill or "none"}"']
    if paint.stroke:
        words.append(f'stroke="{paint.stroke}" stroke-width="{number(paint.stroke_width)}" stroke-linejoin="round"')
    if paint.stroke and paint.dash:
        words.append(f'stroke-dasharray="{" ".join(map(number, paint.dash))}"')
    if paint.opacity < 1:
        words.append(f'opacity="{number(paint.opacity)}"')
    return " ".join(words)


def _text(item: Text) -> str:
    x, y = number(item.x), number(item.y)
    words = [f'x="{x}" y="{y}" font-size="{number(item.size)}" fill="{item.fill}"']
    if item.anchor != "start":
        words.append(f'text-anchor="{item.anchor}"')
    if item.weight == "bold":
        words.append('font-weight="bold"')
    if item.opacity < 1:
        words.append(f'opacity="{number(item.opacity)}"')
    if item.rotation:
        words.append(f'transform="rotate({number(-item.rotation)} {x} {y})"')
    if len(item.text) > 1:
        width = number(text_width(item.text, item.size, weight=item.weight))
        words.append(f'textLength="{width}" lengthAdjust="spacingAndGlyphs"')
    return f"<text {' '.join(words)}>{escape(item.text, quote=False)}</text>"


def _image(item: Image) -> str:
    buffer = io.BytesIO()
    Pictures.fromarray(item.pixels).save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    crisp = "" if item.smooth else ' style="image-rendering:pixelated"'
    title = f"<title>{escape(item.name)}</title>" if item.name else ""
    source = f'href="data:image/png;base64,{data}"'
    return f'<image {_place(item)} preserveAspectRatio="none"{crisp} {source}>{title}</image>'
