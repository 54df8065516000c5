"""Makes dissect_layers.svg, dissect_without.png, latents_directions.png and latents_inverted.png, from a run.

python docs/figures/dissect_figures.py runs/demo
"""

import shutil
import sys
from pathlib import Path

import torch

from ganvas.core.pixels import to_bytes
from ganvas.dissect import subject
from ganvas.dissect.dissection import DissectionSettings, dissect
from ganvas.dissect.dissection_page import TWINS, values_of
from ganvas.dissect.effects.single_units import random_units, unit_effects
from ganvas.dissect.instrument import ablated
from ganvas.dissect.labellers.scenes_labeller import scenes_labeller
from ganvas.report.drawing.drawing import write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.drawing.primitives import Drawing
from ganvas.report.pictures.grid import grid, save_png
from ganvas.tasks.latents.directions import Directions, directions
from ganvas.tasks.latents.invert import Invert, invert

HERE = Path(__file__).parent
SHOWN, UNITS, LAYER = 12, 8, 3


def main(run: Path) -> None:
    own = subject.of_run(run)
    labeller = scenes_labeller(own.size)
    without(own, labeller)
    sheets(run)
    layers(own, labeller)


def layers(own, labeller):
    """Units that fit a label, by layer, beside the twins."""
    found = dissect(own, labeller, own.numbering.chosen(), DissectionSettings(effects=False, shown_units=0))
    ticks = [(float(at), layer.place.name) for at, layer in enumerate(found.layers)]
    panels = []
    for number, (title, of) in enumerate(
        (
            ("units that fit a label, share", lambda layer: layer.fitting),
            ("mean corrected score", lambda layer: layer.best),
        )
    ):
        curves = []
        for at, (name, colour) in enumerate(TWINS):
            scale = [1.0 if number else layer.place.units for layer in found.layers]
            y = [values_of(of(layer))[at] / part for layer, part in zip(found.layers, scale, strict=True)]
            curves.append(Curve(name=name, x=list(range(len(y))), y=y, colour=colour, marks=True))
        axes = Axes(title=title, x_title="layer", x_ticks=ticks, size=8.0, x_range=(-0.3, len(ticks) - 0.7))
        panels += chart(curves, (8 + 250 * number, 8, 240, 190), axes=axes)
    write(
        Drawing(width=506, height=206, items=tuple(panels), title="Units that fit a label"), HERE / "dissect_layers.svg"
    )


def without(own, labeller):
    """The same pictures whole, without the units of trees, of grass, and without random ones."""
    place = own.numbering.chosen()[LAYER]
    effects = unit_effects(own, labeller, place, pictures=256)
    sets = [effects.ranked(labeller.labels.index(label))[:UNITS] for label in ("tree", "grass")]
    sets.append(random_units(place, UNITS, seed=0, number=0))
    inputs = own.series("shown", 0, SHOWN)
    with torch.no_grad():
        rows = [own.run(inputs)[0], *(own.run(inputs, edits=[ablated(place, units)])[0] for units in sets)]
    pictures = to_bytes(torch.cat(rows)).permute(0, 2, 3, 1).numpy()
    save_png(grid(pictures, columns=SHOWN, scale=2), HERE / "dissect_without.png")


def sheets(run):
    """Directions, and the model's own pictures with scenes above what was found of them."""
    folder = run / "directions"
    shutil.copy(directions(Directions(run=run, out=folder, quiet=True)).sheet, HERE / "latents_directions.png")
    found = invert(Invert(run=run, source="own", n=8, out=run / "inverted", quiet=True))
    shutil.copy(found.sheet, HERE / "latents_inverted.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
