"""Pictures of the studio for its page: a real Chromium looks at the run of `make demo`, dissected.

make demo && ganvas dissect runs/demo --effect-layer "#31"
python docs/figures/studio_figures.py runs/
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
GROUND = ".".join(str(cell) for cell in range(48, 64))  # The two lowest rows of 8x8 cells.
SHOTS = {
    "studio_units": ("dissect?run=demo&order=change&layer=%2331", ".units img", "light"),
    "studio_network": ("network?run=demo&layer=%2331&row=3&column=4", ".fields img", "light"),
    "studio_toy": ("toy?step=400", ".game svg", "light"),
    "studio_training": ("training?run=demo&at=22", ".cursor", "light"),
    "studio_walk": ("walk?run=demo&x=3.3&y=2.2&steps=2,-1", ".walk canvas", "dark"),
    "studio_paint": ("paint?run=demo&x=3.3&y=2.2&brush=grass&strokes=grass*0*1*" + GROUND, ".cells button", "light"),
}

FAR_DOWN = ("studio_units",)  # Of whose screens not the top is shown.


def main() -> None:
    path = next(found for name in CHROMIUMS if (found := shutil.which(name)))
    command = [sys.executable, "-m", "ganvas", "serve", sys.argv[1], "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server, sync_playwright() as playing:
        try:
            assert server.stderr is not None
            found = re.search(r"(http://\S+/)#t=(\S+)", server.stderr.readline())
            assert found is not None
            browser = playing.chromium.launch(executable_path=path, args=["--no-sandbox"])
            for name, (screen, ready, scheme) in SHOTS.items():
                page = browser.new_page(viewport={"width": 1120, "height": 700}, color_scheme=scheme)
                shoot(page, f"{found[1]}#/{screen}&t={found[2]}", ready, HERE / f"{name}.png")
            browser.close()
        finally:
            server.terminate()


def shoot(page: Page, address: str, ready: str, path: Path) -> None:
    """One screen, once it is there, with few enough colours for a repository."""
    from PIL import Image

    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector(ready, state="attached")
    page.wait_for_timeout(8000)  # A game is played in pieces; a run's stream is never idle, so that is no sign.
    if path.stem in FAR_DOWN:
        page.evaluate(f"document.querySelector('{ready}').scrollIntoView({{block: 'center'}})")
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(192).save(path, optimize=True)


if __name__ == "__main__":
    main()
