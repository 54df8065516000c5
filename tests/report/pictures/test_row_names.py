import pytest
from PIL import Image, PngImagePlugin

from ganvas.report.pictures.grid import png
from ganvas.report.pictures.row_names import KEY, row_names, row_names_chunk
from ganvas.report.web.run_page import RunPage, Sheet, html

NAMES = ["day", "day to night", "naïve <b>"]


def sheet(**options):
    return png(Image.new("RGB", (8, 12)), **options)


def test_a_sheet_keeps_the_names_of_its_rows():
    assert row_names(sheet(pnginfo=row_names_chunk(NAMES))) == NAMES
    assert row_names(sheet()) == []


@pytest.mark.parametrize("text", ["no list", "7", "[1, 2]", '{"rows": 3}', "null"])
def test_what_is_no_list_of_names_is_none(text):
    info = PngImagePlugin.PngInfo()
    info.add_text(KEY, text)
    assert row_names(sheet(pnginfo=info)) == []
    assert row_names(sheet(pnginfo=info)[:40]) == []


def test_a_page_says_what_the_rows_of_its_newest_sheet_are():
    images = [sheet(pnginfo=row_names_chunk(names)) for names in (["old"], NAMES)]
    run = RunPage(
        name="run",
        model="translate/cyclegan",
        sheets=[Sheet(name=str(kimg), kimg=kimg, image=image) for kimg, image in enumerate(images)],
    )
    pictures = html(run)
    assert "<span>day</span><span>day to night</span><span>naïve &lt;b&gt;</span></div><img" in pictures
    assert pictures.index("day to night") < pictures.index("<span>old</span>")
