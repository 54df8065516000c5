"""The studio in a real Chromium, as a person has it: `make browser` runs these, the ordinary suite skips them."""

import json
import os
import shutil
from pathlib import Path

import pytest

CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
AXE = Path(os.environ.get("GANVAS_AXE", ".axe/node_modules/axe-core/axe.min.js"))
SCREENS = ("runs", "training", "walk", "paint", "dissect", "measure", "network", "compare", "toy")


def pytest_collection_modifyitems(items):
    if not os.environ.get("GANVAS_BROWSER"):
        skip = pytest.mark.skip(reason="in a browser: `make browser` runs it")
        for item in items:
            if item.nodeid.startswith("tests/app/browser/"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def playing():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playing):
    path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium-headless-shell")
    rebound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    browser = playing.chromium.launch(executable_path=path, args=["--no-sandbox", rebound])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def whole_root(trained_root, tmp_path_factory):
    """Two runs that have everything: samples, a model, measures, a dissection."""
    from ganvas.dissect.painting import painter_of

    root = tmp_path_factory.mktemp("browser") / "runs"
    shutil.copytree(trained_root, root)
    layer = painter_of(root / "tiny").subject.numbering.chosen()[-1]
    place = {"name": layer.name, "label": layer.label, "units": layer.units, "size": list(layer.size)}
    effect = {"label": "tree", "before": 0.2, "relative": -0.8, "relative_error": 0.02}
    sets = [{"label": "tree", "units": list(range(layer.units)), "chosen_by": "effect", "effects": [effect]}]
    found = {"subject": "tiny", "whose": "trained", "labeller": "colours", "layers": [], "sets": sets}
    (root / "tiny" / "dissection").mkdir()
    (root / "tiny" / "dissection" / "dissection.json").write_text(json.dumps(found | {"effect_layer": place}))
    result = {"metric": "swd", "value": 44.3, "standard_error": 3.3, "n": 64, "better": "lower", "protocol": "swd:n64"}
    lines = [{"kimg": kimg, "own": True, "source": "measure", "results": [result]} for kimg in (0.0, 0.008)]
    (root / "tiny" / "measures.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


@pytest.fixture(scope="session")
def whole(whole_root, serving):
    with serving(whole_root) as studio:
        yield studio


@pytest.fixture
def opened(chromium):
    """``opened(studio, "walk?run=tiny")`` is a page, whose console and requests are kept in ``page.heard``."""
    contexts = []

    def opens(studio, screen="runs", *, context=None, **options):
        context = context or chromium.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.heard = []
        page.on("console", lambda said: page.heard.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("requestfinished", lambda asked: page.heard.append(asked.url) if foreign(asked.url) else None)

        def foreign(address):
            return not address.startswith((f"http://127.0.0.1:{studio.port}/", "blob:", "data:"))

        page.goto(address(studio, screen))
        page.wait_for_selector(".screen")
        return page

    yield opens
    for context in contexts:
        context.close()


def address(studio, screen):
    return f"http://127.0.0.1:{studio.port}/#/{screen}{'&' if '?' in screen else '?'}t=the-token"


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which finds what assistive technology stumbles over."""
    if not AXE.is_file():
        pytest.skip(f"no axe-core at {AXE}: npm install --prefix .axe axe-core")
    return AXE.read_text()


@pytest.fixture(params=SCREENS)
def screen(request):
    """Every screen by its address."""
    given = {"runs": "", "toy": "", "compare": "?runs=tiny|twin"}.get(request.param, "?run=tiny")
    return f"{request.param}{given}"
