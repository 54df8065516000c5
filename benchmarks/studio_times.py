"""Times of the studio on this machine, as a person sees them: in a real Chromium where there is one.

Median and 95th percentile of: a key or a stroke until the picture has changed, a step of the slider of samples, the
page until it can be used, and the list of 1,000 runs. The model is the small ProGAN of `make demo` (32x32), after
a few steps: times do not depend on what it has learnt. To hold: 50 and 100 ms, 30, 500 and 300 ms.
"""

import http.client
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from history import record

REPEATS = 60
RUNS = 1000
CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
KEY = """async ([key, target, times]) => {
  const found = [], pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  let drawn = () => {};
  CanvasRenderingContext2D.prototype.drawImage = function (...given) { draw.apply(this, given); drawn(); };
  const sheet = document.querySelector('.sheet');
  if (sheet) sheet.addEventListener('load', () => drawn());
  for (let turn = 0; turn < times; turn++) {
    const name = key === 'Arrow' ? (turn % 40 < 20 ? 'ArrowRight' : 'ArrowLeft') : key;
    const all = document.querySelectorAll(target || 'body'), element = all[turn % all.length];
    const shown = new Promise((done) => { drawn = done; });
    const begun = performance.now();
    element.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
    await shown;
    found.push(performance.now() - begun);
    await pause(40);
  }
  CanvasRenderingContext2D.prototype.drawImage = draw;
  return found;
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = trained(Path(folder) / "runs" / "demo")
        many = copies(demo, Path(folder) / "many")
        times = in_server(demo.parent, demo_times) | in_server(many, list_times)
    record("studio", times)


def trained(out: Path) -> Path:
    """A run of the demo's network, with forty sheets of samples."""
    command = ["train", "gan/progan", "--data", "scenes:200,32x32", "--preset", "small", "--kimg", "0.032"]
    quick = ["first_resolution=32", "train_kimg=0", "fade_kimg=0", "measure_kimg=-1", "health_kimg=-1"]
    chosen = [word for setting in quick for word in ("--set", setting)]
    subprocess.run(
        [sys.executable, "-m", "ganvas", *command, *chosen, "--out", str(out)], check=True, capture_output=True
    )
    sheet = sorted((out / "samples").glob("[0-9]*.png"))[-1]
    for kimg in range(1, 41):
        shutil.copy(sheet, out / "samples" / f"{kimg:06d}.000.png")
    return out


def copies(run: Path, root: Path) -> Path:
    """A thousand runs as far as a list looks at them."""
    for number in range(RUNS):
        folder = root / f"run{number:04d}"
        folder.mkdir(parents=True)
        for file in run.glob("*.json*"):
            shutil.copy(file, folder)
    return root


def in_server(root: Path, measured) -> dict[str, float]:
    """What a function measures of a studio of that folder."""
    command = [sys.executable, "-m", "ganvas", "serve", str(root), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stderr is not None
            address = re.search(r"http://127\.0\.0\.1:(\d+)/#t=(\S+)", server.stderr.readline())
            assert address is not None
            return measured(int(address[1]), address[2])
        finally:
            server.terminate()


def list_times(port: int, token: str) -> dict[str, float]:
    """Of the list of 1,000 runs: read for the first time, and with what is known."""
    seconds = []
    for _ in range(12):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        begun = time.perf_counter()
        connection.request("GET", "/api/runs", headers={"X-Ganvas-Token": token})
        found = json.loads(connection.getresponse().read())
        seconds.append(time.perf_counter() - begun)
        assert len(found["runs"]) == RUNS
        connection.close()
    return {"list_1000_first_ms": 1000 * seconds[0]} | spread("list_1000_again", [1000 * one for one in seconds[1:]])


def demo_times(port: int, token: str) -> dict[str, float]:
    """In the browser; nothing where there is none."""
    path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        return {}
    with sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)

        def at(screen: str, ready: str) -> float:
            begun = time.perf_counter()
            page.goto(f"http://127.0.0.1:{port}/?{time.time()}#/{screen}t={token}")
            page.wait_for_selector(ready)
            return 1000 * (time.perf_counter() - begun)

        usable = [at("runs?", "table") for _ in range(12)][2:]
        at("training?run=demo&", ".sheet[src]")
        page.keyboard.press("Home")
        page.wait_for_timeout(500)
        slider = page.evaluate(KEY, ["Arrow", "", REPEATS])
        at("walk?run=demo&", ".walk canvas")
        page.wait_for_timeout(500)
        walk = page.evaluate(KEY, ["ArrowRight", "", REPEATS])
        at("paint?run=demo&", ".cells button")
        page.wait_for_timeout(500)
        page.evaluate(KEY, [" ", ".cells button", 2])
        paint = page.evaluate(KEY, [" ", ".cells button", REPEATS])
        browser.close()
    return spread("page_usable", usable) | spread("slider", slider) | spread("walk", walk) | spread("stroke", paint)


def spread(name: str, milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {f"{name}_median_ms": statistics.median(ordered), f"{name}_p95_ms": ordered[int(0.95 * (len(ordered) - 1))]}


if __name__ == "__main__":
    main()
