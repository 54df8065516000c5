"""A web page in one file: it opens from a disk with no network, in light and dark, on a telephone and on paper.

Text is escaped wherever it enters; only what :func:`element` returned counts as markup. A content security policy in
the page itself forbids every request, so that what a report shows is what it contains.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ganvas.report.pictures.reading import opened
from ganvas.report.pictures.reduced import reduced
from ganvas.report.web.page_style import STYLE

VOID = {"img", "meta", "br", "link", "input"}
MOST_SIDE_PX = 1600  # A larger still picture is embedded reduced,
MOST_STILL_BYTES = 160_000  # as is one of more bytes: a page of a run has about ten.


class Html(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


Content = str | Html | None


def element(name: str, /, *children: Content, **attributes: str | int | None) -> Html:
    """One element. Children that are not :class:`Html` are escaped; ``None`` is left out, as child and as attribute.

    A trailing underscore and inner ones in attribute names serve Python: ``class_="wide"``, ``aria_label="..."``.

    >>> element("p", "1 < 2", element("b", "!"), class_="note")
    '<p class="note">1 &lt; 2<b>!</b></p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Content) -> Html:
    """Markup and text side by side."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children if child is not None))


def document(title: str, *sections: Content, script: str = "", sound: bool = False) -> str:
    """The whole page, with a script of its own at its end where there is one, and leave to play its own sounds."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    policy += "; media-src data:" if sound else ""
    policy += "; script-src 'unsafe-inline'" if script else ""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(STYLE)),
    )
    body = element("body", element("main", *sections), element("script", Html(script)) if script else None)
    text = "<!DOCTYPE html>\n" + element("html", head, "\n", body, lang="en") + "\n"
    return text.encode("utf-8", "replace").decode()  # Half of a surrogate pair, of a file's name, has no UTF-8.


def section(title: str, *children: Content) -> Html:
    """A part of the page under its heading."""
    return element("section", element("h2", title), *children)


def facts(pairs: Sequence[tuple[str, Content]]) -> Html:
    """Names and values in a compact list; a value of ``None`` drops its line."""
    rows = [
        element("div", element("dt", name), element("dd", value)) for name, value in pairs if value not in (None, "")
    ]
    return element("dl", *rows)


def table(header: Sequence[str], rows: Sequence[Sequence[Content] | Html], *, text_columns: int = 1) -> Html:
    """A table whose rows are stacked on a narrow screen, each cell under the name of its column.

    All but the first columns hold numbers. A row that is :class:`Html` is a whole ``<tr>`` already.
    """
    kinds = [None if index < text_columns else "number" for index in range(len(header))]
    head = element("tr", *(element("th", name, class_=kind) for name, kind in zip(header, kinds, strict=True)))
    body = [row if isinstance(row, Html) else _table_row(row, header, kinds) for row in rows]
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_="scroll")


def _table_row(row: Sequence[Content], header: Sequence[str], kinds: Sequence[str | None]) -> Html:
    cells = zip(row, header, kinds, strict=True)
    return element("tr", *(element("td", cell, class_=kind, data_label=name) for cell, name, kind in cells))


def figure(content: Content, caption: Content = None, *, kind: str | None = None) -> Html:
    """A picture or a chart with what it shows."""
    return element("figure", content, element("figcaption", caption) if caption else None, class_=kind)


def chart(wide: str, narrow: str) -> Html:
    """Two drawings of one chart; the screen's width chooses, so that text keeps its size."""
    return element(
        "div",
        element("div", Html(wide), class_="wide"),
        element("div", Html(narrow), class_="narrow"),
        class_="drawing",
    )


def picture(data: bytes, alt: str) -> Html:
    """An image of the page itself. Small pictures keep hard pixels when enlarged; large stills are embedded reduced.

    Raises:
        OSError: ``data`` is not an image, is damaged, or unfolds to more than memory should hold.
    """
    with opened(data) as image:
        size, kind = image.size, (image.format or "PNG").lower()
        is_large = len(data) > MOST_STILL_BYTES or max(size) > MOST_SIDE_PX
        if is_large and not getattr(image, "is_animated", False):
            data, size = reduced(image, most_bytes=MOST_STILL_BYTES, most_side=MOST_SIDE_PX)
            kind = "webp"
    source = data_address(data, f"image/{kind}")
    pixels = "pixels" if max(size) <= 640 else None
    return element("img", src=source, alt=alt, width=size[0], height=size[1], class_=pixels)


def beside(names: Sequence[str], sheet: Html) -> Html:
    """A sheet of rows of one height with the name of each row on its left."""
    if not names:
        return sheet
    return element("div", element("div", *(element("span", name) for name in names)), sheet, class_="rows")


def player(wave_file: bytes, *, label: str | None = None) -> Html:
    """A sound of the page itself, with the browser's own buttons."""
    source = data_address(wave_file, "audio/wav")
    return element("audio", controls="controls", preload="none", src=source, aria_label=label)


def data_address(data: bytes, kind: str = "image/png") -> str:
    """An address that is the file itself, of a kind of media."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def details(summary: Content, *children: Content) -> Html:
    """Something that opens on demand."""
    return element("details", element("summary", summary), *children)


def plain_values(value: Mapping[str, Any] | Sequence[Any]) -> Html:
    """A configuration as indented JSON; what JSON does not know is written as text."""
    try:
        return element("pre", json.dumps(value, indent=2, ensure_ascii=False, default=str))
    except RecursionError:
        return note("This cannot be shown: it is nested too deeply.")


def code(text: str) -> Html:
    """A command, a name, a number of the machine's."""
    return element("code", text)


def command(text: str) -> Html:
    """A command on its own line."""
    return element("pre", text, class_="command")


def link(address: str, text: str) -> Content:
    """A link that a person may follow; anything but http(s) stays text."""
    return element("a", text, href=address, rel="noreferrer") if address.startswith(("https://", "http://")) else text


def note(*children: Content) -> Html:
    """A sentence of lesser weight: what is missing and why, how a number was made."""
    return element("p", *children, class_="note")
