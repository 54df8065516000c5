"""A chart of a page as a figure: its title above two drawings, of which the screen's width chooses one."""

from ganvas.report.web import page
from ganvas.report.web.chart import Chart, svg
from ganvas.report.web.page import Content, Html, element

Size = tuple[int, int]  # Width and height, in pixels.


def chart_figure(shown: Chart, wide: Size, narrow: Size, caption: Content = None, *, cursor: bool = False) -> Html:
    """The chart at two sizes, under its title; ``cursor`` as of :func:`svg`."""
    drawings = page.chart(*(svg(shown, width=width, height=height, cursor=cursor) for width, height in (wide, narrow)))
    return page.figure(page.join(element("h3", shown.title), drawings), caption)
