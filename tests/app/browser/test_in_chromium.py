"""Every screen, and what a person does there, in a real browser."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.tasks.pictures.paint import PaintTask, paint

PIXELS = "[...document.querySelector('.picture').getContext('2d').getImageData(0, 0, 8, 8).data]"
LOOKS = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},  # As zoomed in to 200 %.
    {"viewport": {"width": 390, "height": 844}, "has_touch": True},
]


def until(page, holds):
    """Waits for what a script says; playwright's own waiting is forbidden by the page's policy."""
    for _ in range(300):
        if page.evaluate(f"(() => {{ try {{ return {holds}; }} catch {{ return false; }} }})()"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {holds}")


def pixels(page):
    until(page, "Boolean(document.querySelector('.picture'))")
    page.wait_for_timeout(250)
    return np.array(page.evaluate(PIXELS)).reshape(8, 8, 4)[..., :3]


def test_a_screen_is_quiet_fits_and_is_open_to_everyone(whole, opened, screen, axe):
    for look in LOOKS:
        page = opened(whole, screen, **look)
        page.wait_for_timeout(300)
        found = page.evaluate(f"{axe}; axe.run().then(found => found.violations.map(v => [v.id, v.nodes[0].html]))")
        assert found == [], look
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, look
        assert page.heard == []
        page.close()


def test_nothing_is_loaded_from_elsewhere_even_if_the_page_is_made_to(whole, opened):
    page = opened(whole)
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://192.0.2.1/x.png'}))")
    page.evaluate("fetch('http://192.0.2.1/').catch(() => {})")
    page.wait_for_timeout(300)
    assert not [one for one in page.heard if one.startswith("http")]
    assert len([one for one in page.heard if "Content Security Policy" in one]) >= 2


def test_a_name_that_was_made_to_lead_here_shows_nothing(whole, chromium):
    page = chromium.new_page()
    answer = page.goto(f"http://evil.example:{whole.port}/#t=the-token")
    assert answer.status == 403
    assert "not the studio" in page.content()
    page.close()


def test_the_samples_follow_the_slider_and_the_address_the_samples(root, serving, opened):
    with serving(root) as studio:
        page = opened(studio, "training?run=demo")
        until(page, "document.querySelector('.sheet').alt.includes('4.000')")
        x = page.evaluate("document.querySelector('.cursor').getAttribute('x1')")
        page.keyboard.press("ArrowLeft")
        until(page, "document.querySelector('.sheet').alt.includes('2.000')")
        assert page.evaluate("document.querySelector('.cursor').getAttribute('x1')") != x
        assert "at=2" in page.url
        page.reload()
        until(page, "document.querySelector('.sheet').alt.includes('2.000')")
        assert page.locator("button:has-text('Stop'):visible").count() == 0  # It only reads.
        page.keyboard.press("Home")
        until(page, "document.querySelector('.sheet').alt.includes('0.000')")
        assert page.heard == []


def test_a_picture_is_painted_undone_and_saved_by_keys_alone(whole, whole_root, opened, tmp_path):
    page = opened(whole, "runs")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".screen.training")
    page.keyboard.type("gp")
    page.wait_for_selector(".cells button")
    before = pixels(page)
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    painted = pixels(page)
    assert (painted != before).any()
    assert "strokes=tree" in page.url
    assert page.locator("[role=gridcell][aria-selected=true]").count() == 1
    page.keyboard.press("z")
    assert (pixels(page) == before).all()
    page.keyboard.press("Shift+Z")
    assert (pixels(page) == painted).all()
    page.keyboard.down("b")
    assert (pixels(page) == before).all()
    page.keyboard.up("b")
    assert (pixels(page) == painted).all()
    page.reload()
    page.wait_for_selector(".cells button")
    assert (pixels(page) == painted).all()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save painting").press("Enter")
    download.value.save_as(tmp_path / "painting.json")
    paint(PaintTask(run=whole_root / "tiny", painting=tmp_path / "painting.json", out=tmp_path / "x.png"))
    assert (np.asarray(Image.open(tmp_path / "x.png")) == painted).all()
    assert page.heard == []


def test_a_hand_paints_where_it_is_drawn_over(whole, opened):
    page = opened(whole, "paint?run=tiny")
    before, box = pixels(page), page.locator(".cells").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"], steps=12)
    page.mouse.up()
    assert (pixels(page) != before).any()
    assert page.locator(".strokes li").count() == 1
    assert page.locator("[role=gridcell][aria-selected=true]").count() >= 3


def test_a_walk_is_in_the_address_and_back_leads_back(whole, opened):
    page = opened(whole, "walk?run=tiny&x=3&y=2")
    before = pixels(page)
    page.keyboard.press("Shift+ArrowRight")
    walked = pixels(page)
    assert (walked != before).any()
    assert "x=3.5" in page.url
    page.keyboard.type("gr")
    page.wait_for_selector(".screen.runs")
    page.go_back()
    page.wait_for_selector(".screen.walk")
    assert (pixels(page) == walked).all()
    page.go_forward()
    page.wait_for_selector(".screen.runs")
    assert page.heard == []


def test_a_game_is_played_on_and_back_by_keys(whole, opened):
    page = opened(whole, "toy?game=gan/gan&stride=1")
    shown = "document.querySelector('.game svg').outerHTML"
    first = page.evaluate(shown)
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.controls output').textContent.includes('Step 1.')")
    assert page.evaluate(shown) != first
    assert "step=1" in page.url
    page.reload()
    until(page, "document.querySelector('.controls output').textContent.includes('Step 1.')")
    page.keyboard.press("Home")
    until(page, f"{shown.replace('.outerHTML', '.textContent')}.includes('Step 0')")
    assert page.evaluate(shown) == first
    page.keyboard.press("Space")
    until(page, "Number(/step=([0-9]+)/.exec(location.hash)[1]) > 3")
    page.keyboard.press("Space")
    until(page, "document.querySelector('[aria-pressed]').textContent === 'Play'")
    page.keyboard.type("gr")
    page.wait_for_selector(".screen.runs")
    assert page.heard == []


def test_a_cell_of_the_network_is_moved_by_keys(whole, opened):
    page = opened(whole, "network?run=tiny")
    told = "document.querySelector('.fields + p').textContent"
    first = page.evaluate(told)
    page.keyboard.press("ArrowLeft")
    until(page, f"{told} !== {first!r}")
    assert "column=" in page.url
    page.keyboard.press(".")
    page.locator("select").first.select_option("discriminator")
    until(page, f"{told}.includes('is moved by')")
    page.locator(".fields img").first.click(position={"x": 3, "y": 3})
    until(page, f"{told}.startsWith('Cell 0, 0 ')")
    assert page.heard == []


def test_units_are_chosen_for_the_eye_and_saved(whole, opened, axe, tmp_path):
    page = opened(whole, "dissect?run=tiny")
    page.keyboard.press("u")
    page.wait_for_selector(".units img")
    page.locator(".units input").first.press("Space")
    number = page.locator(".units input").first.get_attribute("value")
    until(page, f"location.hash.includes('units={number}')")
    with page.expect_download() as download:
        page.keyboard.press("s")
    download.value.save_as(tmp_path / "units.json")
    chosen = json.loads((tmp_path / "units.json").read_text())
    assert chosen["units"] == [int(number)]
    page.get_by_role("button", name="How real without them").press("Enter")
    page.wait_for_selector("text=without 1 at random")
    page.reload()
    page.wait_for_selector(".units :checked")
    found = page.evaluate(f"{axe}; axe.run().then(found => found.violations.map(v => [v.id, v.nodes[0].html]))")
    assert found == []
    assert page.heard == []


def test_the_nearest_training_pictures_are_shown_until_the_walk_goes_on(whole, opened):
    page = opened(whole, "walk?run=tiny")
    page.keyboard.press("n")
    page.wait_for_selector("text=Nearest held-out pictures")
    page.keyboard.press("ArrowRight")
    until(page, "!document.querySelector('.fields')")
    assert page.heard == []


def test_lines_and_sounds_follow_the_slider(root, tmp_path, serving, opened, axe):
    run = Path(shutil.copytree(root / "demo", tmp_path / "runs" / "demo"))
    for path in (run / "samples").iterdir():
        path.unlink()
    for kimg in (1, 2):
        (run / "samples" / f"00000{kimg}.000.txt").write_text(f"said at {kimg}\n")
        (run / "samples" / f"00000{kimg}.000.wav").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(20))
    with serving(tmp_path / "runs") as studio:
        page = opened(studio, "training?run=demo")
        until(page, "document.querySelector('.lines').textContent.includes('said at 2')")
        assert page.locator("audio").count() == 1
        page.keyboard.press("ArrowLeft")
        until(page, "document.querySelector('.lines').textContent.includes('said at 1')")
        found = page.evaluate(f"{axe}; axe.run().then(found => found.violations.map(v => [v.id, v.nodes[0].html]))")
        assert found == []


def test_two_tabs_walk_apart(whole, opened, chromium):
    context = chromium.new_context()
    first, second = (opened(whole, f"walk?run=tiny&x={x}", context=context) for x in (1, 5))
    one, two = pixels(first), pixels(second)
    assert (one != two).any()
    second.keyboard.press("ArrowDown")
    assert (pixels(first) == one).all()
    assert (pixels(second) != two).any()


def test_a_studio_that_was_closed_says_so_and_is_found_again(whole_root, serving, opened):
    with serving(whole_root) as studio:
        page = opened(studio, "training?run=tiny")
        port = studio.port
    until(page, "document.querySelector('#status').textContent.includes('does not answer')")
    with serving(whole_root, port=port):
        until(page, "document.querySelector('#status').textContent === ''")
        page.keyboard.type("gm")
        page.wait_for_selector(".screen.measure table")


def test_a_run_that_is_removed_while_it_is_open_is_told(root, tmp_path, serving, opened):
    shutil.copytree(root / "demo", tmp_path / "runs" / "demo")
    with serving(tmp_path / "runs") as studio:
        page = opened(studio, "training?run=demo")
        page.wait_for_selector(".cursor", state="attached")
        shutil.rmtree(tmp_path / "runs" / "demo")
        until(page, "document.querySelector('#status').textContent.includes('removed or renamed')")
        page.reload()
        page.wait_for_selector("text=removed or renamed")
        page.get_by_role("link", name="All runs").click()
        page.wait_for_selector("text=There are no runs")


def test_a_training_that_goes_on_is_followed(root, tmp_path, serving, opened):
    run = Path(shutil.copytree(root / "demo", tmp_path / "runs" / "demo"))
    with serving(tmp_path / "runs") as studio:
        page = opened(studio, "training?run=demo")
        until(page, "document.querySelector('.sheet').alt.includes('4.000')")
        shutil.copy(run / "samples" / "000002.000.png", run / "samples" / "000005.000.png")
        until(page, "document.querySelector('.sheet').alt.includes('5.000')")


def test_the_wrong_token_is_told(whole, chromium):
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{whole.port}/#t=of-another-day")
    page.wait_for_selector("text=Open the address it printed")
    page.close()


@pytest.mark.parametrize("words", ["dcgan", "nothing-like-it"])
def test_runs_are_narrowed_by_words_that_the_address_keeps(root, serving, opened, words):
    with serving(root) as studio:
        page = opened(studio)
        page.keyboard.press("/")
        page.keyboard.type(words)
        shown = page.locator("tbody tr:visible").count()
        assert shown == (1 if words == "dcgan" else 0)
        page.reload()
        page.wait_for_selector("table")
        assert page.locator("tbody tr:visible").count() == shown


def test_a_picture_is_edited_with_pens(filler_root, serving, opened, axe, tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)).save(photo)
    with serving(filler_root) as studio:
        page = opened(studio, "edit?run=fill")
        page.set_input_files("input[type=file]", photo)
        until(page, "!document.querySelector('.picture').hidden")
        before = pixels(page)
        page.keyboard.press("Escape")
        page.locator(".picture").focus()
        for key in ("ArrowLeft", "ArrowUp", "Space", "ArrowLeft", "ArrowLeft", "Space"):
            page.keyboard.press(key)
        box = page.locator(".picture").bounding_box()
        page.mouse.move(box["x"] + 60, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + 90, steps=5)
        page.mouse.up()
        marked = pixels(page)
        assert (marked != before).any()
        page.keyboard.press("Enter")
        until(page, "document.querySelector('.command').textContent.startsWith('ganvas edit')")
        assert (pixels(page) != marked).any()
        page.keyboard.down("b")
        assert (pixels(page) == before).all()
        page.keyboard.up("b")
        found = page.evaluate(f"{axe}; axe.run().then(found => found.violations.map(v => [v.id, v.nodes[0].html]))")
        assert found == []
        assert page.heard == []
