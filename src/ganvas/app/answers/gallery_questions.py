"""Questions of the gallery on the screen Dissect: units for the eye, and how real pictures are without some of them."""

import shlex
from typing import TYPE_CHECKING, Any

from ganvas.app.questions import Given, Question, listed, text, whole
from ganvas.app.studio import Studio
from ganvas.app.worker import LoadedModels
from ganvas.core.errors import UserError
from ganvas.report.pictures.grid import grid, png
from ganvas.report.web import page

if TYPE_CHECKING:
    from ganvas.dissect.effects.realism import Realism
    from ganvas.dissect.unit_gallery import GalleryUnit

MOST_UNITS = 128  # That a page is given at once.
REALS = 512
SIDE = 64  # Pixels of the screen, at least.


def show_gallery(studio: Studio, given: Given) -> dict[str, Any]:
    """The units of a layer with the pictures that they are strongest on, in an order."""
    run, layer, order = studio.shelf.run(text(given, "run")), text(given, "layer", ""), text(given, "order", "")

    def work(models: LoadedModels) -> dict[str, Any]:
        from ganvas.dissect.unit_gallery import largest_first, rarest_first

        subject = models.subject(run, None)
        layers = subject.numbering.chosen()
        place = subject.numbering.place(layer) if layer else layers[len(layers) // 2]
        units = models.gallery(run, place)
        path = shlex.quote(str(run.path))
        ordered = {"rare": rarest_first, "change": largest_first}.get(order, list)(units)
        return {
            "layers": [{"name": one.name, "title": one.title} for one in layers],
            "layer": place.name,
            "units": [_unit(one) for one in ordered[:MOST_UNITS]],
            "of": len(units),
            "command": f"ganvas dissect {path} --edit units.json -o {path}-edited",
        }

    return studio.worker.ask(f"{text(given, 'tab')} gallery", work)


def show_realism(studio: Studio, given: Given) -> dict[str, Any]:
    """How near to the data a run draws without some units, beside as many at random."""
    run, layer = studio.shelf.run(text(given, "run")), text(given, "layer")
    units = sorted({whole({"unit": unit}, "unit") for unit in listed(given, "units", most=4096)})

    def work(models: LoadedModels) -> dict[str, Any]:
        import numpy as np
        import torch

        from ganvas.dissect.effects.realism import realism
        from ganvas.dissect.instrument import units_mask
        from ganvas.features import network_catalogue

        subject = models.subject(run, None)
        place = subject.numbering.place(layer)
        units_mask(place, units)
        if not 0 < len(units) <= place.units // 2:
            raise UserError(
                f"{len(units)} of the {place.units} units of {layer} are chosen. Choose from 1 to {place.units // 2}: "
                "as many others are the control."
            )
        packed = models.trained(run).reals(quiet=True)
        rows = packed.read(np.linspace(0, len(packed) - 1, min(REALS, len(packed))).astype(np.int64))
        network = network_catalogue.load("untrained")
        reals = torch.from_numpy(rows).permute(0, 3, 1, 2).contiguous()
        found = realism(subject, place, units, reals, lambda seen: network.extract(seen, ["features"])["features"])
        return {"html": _realism(found, len(units))}

    return studio.worker.ask(f"{text(given, 'tab')} realism", work)


def _unit(one: "GalleryUnit") -> dict[str, Any]:
    pictures = one.pictures.numpy()
    shown = png(grid(pictures, columns=len(pictures), scale=max(SIDE // pictures.shape[1], 1)))
    return {"unit": one.unit, "active": one.active, "change": one.change, "picture": page.data_address(shown)}


def _realism(found: "Realism", count: int) -> page.Html:
    rows = [
        ["as it is", f"{found.whole:.3f}", ""],
        [f"without the {count} chosen", f"{found.without:.3f}", f"{found.without - found.whole:+.3f}"],
        *([f"without {count} at random", f"{one:.3f}", f"{one - found.whole:+.3f}"] for one in found.random),
    ]
    return page.join(
        page.table(("pictures", "Fréchet distance", "change"), rows),
        page.note(
            f"Of {found.pictures} pictures to as many of the data, seen through a network of random weights, which no "
            "download is needed for. Less is nearer. Only what the random units do not do is due to the choice."
        ),
    )


GALLERY_QUESTIONS = (
    Question(path="gallery", answer=show_gallery),
    Question(path="realism", answer=show_realism, method="POST"),
)
