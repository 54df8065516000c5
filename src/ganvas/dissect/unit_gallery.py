"""The units of a layer for the eye of a person who looks for artefacts: what each is strongest on, in a telling order.

Bau et al. 2019, GAN Dissection, section 4.3 (https://arxiv.org/abs/1811.10597): twenty units that draw artefacts were
found by hand in ten minutes, by looking through such pictures. No number finds them by itself: what a unit is active on
is content first, so the order only saves time. Artefacts are often drawn by units that are rarely active, or by those
whose silence changes pictures much.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.pixels import to_bytes
from ganvas.core.progress import progress
from ganvas.dissect.agreement.agreement import TOP
from ganvas.dissect.gallery import strongest
from ganvas.dissect.instrument import ablated
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject

SERIES = "gallery"
PICTURES, SILENCED_PICTURES = 128, 16
SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class GalleryUnit:
    """A unit with the pictures that it is strongest on."""

    unit: int
    active: float  # Share of the pictures in which it is anywhere among its strongest.
    change: float  # Root mean square change of colours from -1 to 1 when it is silenced.
    pictures: UInt8[Tensor, "k h w c"]


def unit_gallery(subject: Subject, place: Place, *, quiet: bool = True) -> list[GalleryUnit]:
    """Every unit of a layer of a network that draws, in the order of their numbers."""
    seen = [(to_bytes(shown), maps[place.name]) for shown, maps in subject.seen(PICTURES, of=SERIES, keep=[place])]
    pictures, maps = torch.cat([one for one, _ in seen]), torch.cat([one for _, one in seen]).float()
    changes = _changes(subject, place, quiet=quiet)
    return [_unit(number, maps[:, number], pictures, changes[number]) for number in range(place.units)]


def _unit(number: int, maps: Float[Tensor, "n h w"], pictures: UInt8[Tensor, "n c h w"], change: float) -> GalleryUnit:
    level = float(maps.flatten().kthvalue(max(round(maps.numel() * (1 - TOP)), 1)).values)
    active = float((maps.flatten(1).amax(1) > level).float().mean())
    found = strongest(maps, pictures, level, count=SHOWN)
    return GalleryUnit(unit=number, active=active, change=change, pictures=found)


@torch.no_grad()
def _changes(subject: Subject, place: Place, *, quiet: bool) -> list[float]:
    inputs = subject.series(SERIES, 0, SILENCED_PICTURES)
    before, _ = subject.run(inputs)
    found = []
    with progress(f"units of {place.name}", place.units, unit="units", quiet=quiet) as report:
        for unit in range(place.units):
            after, _ = subject.run(inputs, edits=[ablated(place, [unit])])
            found.append(float((after - before).square().mean().sqrt()))
            report(unit + 1)
    return found


def rarest_first(units: list[GalleryUnit]) -> list[GalleryUnit]:
    """Those that are active in the fewest pictures first."""
    return sorted(units, key=lambda one: (one.active, one.unit))


def largest_first(units: list[GalleryUnit]) -> list[GalleryUnit]:
    """Those without which pictures change most first."""
    return sorted(units, key=lambda one: (-one.change, one.unit))
