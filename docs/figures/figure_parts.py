"""Figures of one page as parts that are made by name: what their scripts share. Makes none itself."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.primitives import Item

HERE = Path(__file__).parent


def said(*words: object) -> None:
    """A line on the screen."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write_svg(page: str, name: str, items: Sequence[Item], size: tuple[float, float]) -> None:
    """A figure of a page."""
    drawing = Drawing(width=size[0], height=size[1], items=tuple(items), title=name)
    write(drawing, HERE / f"{page}_{name}.svg")


def make_parts(parts: Mapping[str, Callable[[Path], None]], description: str | None) -> None:
    """Makes the figures that the command line names, all where it names none, with its folder of runs."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, help="where the runs are kept; removed where left out")
    parser.add_argument("--only", nargs="+", choices=list(parts), help="figures to make; all where left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.only or parts:
            parts[name](given.runs or Path(temporary))
