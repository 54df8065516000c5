import base64
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from ganvas.report.web.page import VOID
from ganvas.report.web.run_page import RunPage, Sheet, html
from ganvas.report.web.run_reader import read


class Tags(HTMLParser):
    """Collects tags, and fails where one is closed out of order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text(one_run):
    return html(dataclasses.replace(read(one_run), paper="https://arxiv.org/abs/1710.10196"))


def test_the_page_asks_for_nothing_from_anywhere(text):
    tags = Tags(text).seen
    sources = [attrs[key] for _, attrs in tags for key in ("src", "srcset", "data", "poster") if key in attrs]
    assert all(source.startswith("data:image/") for source in sources)
    assert {attrs["href"] for tag, attrs in tags if "href" in attrs} == {"https://arxiv.org/abs/1710.10196"}
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "base"}
    assert not re.findall(r"@import|url\((?!#)", text)
    # The only other addresses are the name of SVG and the link's own text.
    assert set(re.findall(r"https?://[^\s\"<]+", text)) == {
        "http://www.w3.org/2000/svg",
        "https://arxiv.org/abs/1710.10196",
    }


def test_every_picture_on_the_page_decodes_to_its_stated_size(text):
    images = [attrs for tag, attrs in Tags(text).seen if tag == "img"]
    assert len(images) == 3 + 4  # Newest, real, growth; one per resolution.
    for attrs in images:
        with Image.open(io.BytesIO(base64.b64decode(attrs["src"].partition(",")[2]))) as image:
            image.load()
            assert image.size == (int(attrs["width"]), int(attrs["height"]))
        assert attrs["alt"]


def test_no_id_stands_twice(text):
    ids = [attrs["id"] for _, attrs in Tags(text).seen if "id" in attrs]
    assert ids
    assert len(ids) == len(set(ids))


def test_the_page_says_what_was_run_and_how_to_repeat_it(text):
    for piece in (
        "ganvas train gan/progan --data scenes --preset small --out runs/demo",
        "ganvas sample ",
        "60 of 60",
        "5 min 01 s",
        "1.2·10¹⁵",
        "A Processor @ 2.50GHz, 2 cores, 7.8 GiB",
        "torch 2.13.0+cpu",
        "&quot;snapshot_kimg&quot;: 4",
        "swd n=2048 levels=32,16",
        "0.01628 ± 0.00040",
        "against the run&#x27;s own data (scenes)",
        "2025-11-21 07:21 UTC",
        "20,000 pictures, 32×32 RGB",
    ):
        assert piece in text, piece


def test_the_page_of_a_model_that_draws_nothing_of_its_own_says_what_it_is_good_for():
    text = html(RunPage(name="people", model="detect/csp", run_path="runs/my people"))
    assert "ganvas detect &#x27;runs/my people&#x27; photos/ -o boxes.json" in text
    assert "ganvas sample" not in text


@pytest.mark.slow
def test_names_cannot_become_markup(fake_run):
    evil = "<script>alert(1)</script>"
    folder = fake_run.rename(fake_run.parent / "evil & co")
    run = json.loads((folder / "run.json").read_text())
    run |= {
        "model": evil,
        "preset": evil,
        "data": {"spec": evil},
        "status": evil,
        "started": evil,
        "machine": {"processor": evil},
        "versions": {evil: evil},
    }
    run["stages"] = [{"kimg": 0, "resolution": evil}, {"kimg": 9, "resolution": '"><img src=http://x>'}]
    (folder / "run.json").write_text(json.dumps(run))
    page = read(folder)
    text = html(dataclasses.replace(page, log=page.log | {f"{evil}/{evil}": page.log["lr"]}, paper="javascript:1"))
    assert "<script" not in text.lower()
    assert all(attrs["src"].startswith("data:") for tag, attrs in Tags(text).seen if tag == "img")
    assert "javascript" not in [attrs.get("href") for _, attrs in Tags(text).seen]


def test_a_run_that_has_just_begun_says_what_is_not_there_yet():
    text = html(RunPage(name="new", model="gan/progan"))
    Tags(text)
    for sentence in (
        "There are no sample sheets yet",
        "Nothing has been measured yet",
        "no line so far",
        "has not reported any cost yet",
        "does not say which command made it",
    ):
        assert sentence in text, sentence


def test_one_line_of_log_is_told_and_not_drawn():
    log = {"kimg": np.array([1.0]), "D/real": np.array([0.5])}
    assert "The log has one line so far" in html(RunPage(name="new", model="gan/progan", log=log))


@pytest.mark.slow
def test_a_sheet_that_cannot_be_read_leaves_the_rest(fake_run):
    run = read(fake_run)
    broken = Sheet(name="000060.00", kimg=60.0, size="32", image=run.sheets[-1].image[:500])
    text = html(dataclasses.replace(run, sheets=[*run.sheets[:-1], broken], film=b"RIFF"))
    Tags(text)
    assert text.count("this picture cannot be read") == 3
    assert text.count("<img") == 4


def test_one_term_that_is_never_finite_does_not_stop_the_page():
    log = {"kimg": np.arange(300.0), "D/real": np.full(300, np.nan), "G/fake": np.full(300, np.inf)}
    text = html(RunPage(name="broken", model="gan/progan", log=log))
    Tags(text)
    assert "nan" not in text.replace("ganvas", "")


def test_a_run_that_went_wrong_says_so_at_the_top():
    log = {"kimg": np.arange(2.0), "G/fake": np.array([1.0, 9.1e8])}
    text = html(RunPage(name="wild", model="gan/dcgan", status="finished", log=log))
    assert text.index("The losses diverged: G/fake ended at 9.1·10⁸") < text.index("<h2>Pictures")
    text = html(RunPage(name="wild", model="gan/dcgan", status="failed", cause="G/fake became nan by 2 kimg"))
    assert "The run failed: G/fake became nan by 2 kimg." in text


def test_a_run_that_draws_no_pictures_is_reported_as_well():
    run = RunPage(name="cloud", model="gan/wgan", data={"spec": "mixtures", "count": 2000}, sheets=[])
    text = html(run)
    Tags(text)
    assert "mixtures, 2,000 examples" in text


def test_both_sources_of_a_run_on_two_kinds_of_pictures_are_named():
    data = {"spec": "scenes::day", "count": 400, "height": 32, "width": 32, "other": {"spec": "scenes::night"}}
    text = html(RunPage(name="dusk", model="translate/cyclegan", data=data))
    assert "scenes::day, 400 pictures, 32×32, and scenes::night" in text
