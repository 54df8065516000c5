"""The picture at the top of README.md: what the demo's model drew, and real scenes.

``python docs/figures/demo.py [RUN [TARGET]]`` after ``make demo``: the last sheet of ``runs/demo`` beside the sheet of
reals, into docs/demo.png. ``docs/figures/cifar10_laptop.png`` is the same of the run that
``benchmarks/gates/gate_laptop.py`` keeps.
"""

import sys
from pathlib import Path

from PIL import Image

TARGET = Path(__file__).parents[1] / "demo.png"
GAP = 24  # Pixels between the two.


def main(run: Path, target: Path) -> None:
    """Writes the picture."""
    drawn, real = (Image.open(run / "samples" / name) for name in (last_sheet(run), "reals.png"))
    both = Image.new("RGB", (drawn.width + GAP + real.width, max(drawn.height, real.height)), "white")
    both.paste(drawn, (0, 0))
    both.paste(real, (drawn.width + GAP, 0))
    both.save(target, optimize=True)


def last_sheet(run: Path) -> str:
    """The name of the sheet that was drawn last; names begin with the thousands of pictures shown."""
    return max(sheet.name for sheet in (run / "samples").glob("[0-9]*.png"))


if __name__ == "__main__":
    given = [Path(one) for one in sys.argv[1:]]
    main(*(given + [Path("runs/demo"), TARGET][len(given) :]))
