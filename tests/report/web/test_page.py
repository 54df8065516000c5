import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from ganvas.report.web import page
from ganvas.report.web.page import Html, element


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in page.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(text):
    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser.seen


def png(width, height, mode="RGB"):
    memory = io.BytesIO()
    Image.new(mode, (width, height), 0).save(memory, format="PNG")
    return memory.getvalue()


def test_text_is_escaped_and_markup_is_not():
    assert element("p", "<b>&", Html("<i>x</i>"), title='"<') == '<p title="&quot;&lt;">&lt;b&gt;&amp;<i>x</i></p>'


def test_a_page_is_whole_and_forbids_every_request():
    text = page.document("A < B", page.section("One", page.table(["a", "b"], [["x", "1"]]), page.note("no more")))
    tags = parse(text)
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>A &lt; B</title>" in text
    (policy,) = [attrs["content"] for tag, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "base", "form"}


def test_what_is_none_is_left_out():
    assert page.facts([("a", None), ("b", ""), ("c", "1")]).count("<dt>") == 1


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"])
def test_only_web_addresses_become_links(address):
    assert page.link(address, "paper") == "paper"
    assert 'href="https://arxiv.org/abs/1710.10196"' in page.link("https://arxiv.org/abs/1710.10196", "paper")


def test_a_small_picture_is_embedded_byte_for_byte_with_hard_pixels():
    import base64

    data = png(33, 17)
    ((_, attrs),) = parse(page.picture(data, "a grid"))
    assert base64.b64decode(attrs["src"].removeprefix("data:image/png;base64,")) == data
    assert (attrs["width"], attrs["height"], attrs["class"], attrs["alt"]) == ("33", "17", "pixels", "a grid")


def test_a_huge_picture_is_embedded_reduced():
    ((_, attrs),) = parse(page.picture(png(2 * page.MOST_SIDE_PX, 100), "a grid"))
    assert (attrs["width"], attrs["height"]) == (str(page.MOST_SIDE_PX), "50")
    assert "class" not in attrs


def test_what_is_not_a_picture_is_refused():
    with pytest.raises(OSError, match="identify"):
        page.picture(b"text", "a grid")


def test_values_that_json_does_not_know_are_written_as_text():
    assert "nan" in page.plain_values({"x": np.float64("nan"), "p": Image}).lower()
