"""The pictures of a dissection with their masks, and the maps of layers in portions that memory holds.

Maps are kept as the network gives them, since they are small there, and drawn again for each portion where all of them
together would be too much: 512 units of 64x64 over 1,000 pictures are 8 GB, and pass in 33 portions of 256 MB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from ganvas.core.pixels import to_bytes
from ganvas.dissect.agreement.counts import PixelGrid, PixelLabels
from ganvas.dissect.instrument import Maps
from ganvas.dissect.labellers.labeller import Labeller
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject

MOST_BYTES = 256 << 20
SERIES = "sample"


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledSample:
    """Pictures that units are held against."""

    subject: Subject
    pictures: UInt8[Tensor, "n c h w"]
    masks: PixelLabels  # Of the grid's pixels.
    grid: PixelGrid
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.masks)

    def maps(self, places: Sequence[Place]) -> Iterator[tuple[Place, int, Maps]]:
        """The maps of places: the place, the number of the first unit, and (n, units, h, w), portion by portion."""
        for portion in portions(places, len(self)):
            kept: dict[tuple[str, int], list[Tensor]] = {(place.name, first): [] for place, first, _ in portion}
            keep = list({place.name: place for place, _, _ in portion}.values())
            for _, maps in self.subject.seen(len(self), of=SERIES, keep=keep):
                for place, first, last in portion:
                    # A copy: a view of some units would keep the maps of all of them.
                    kept[place.name, first].append(maps[place.name][:, first:last].to(torch.float32, copy=True))
            for place, first, _ in portion:
                yield place, first, torch.cat(kept.pop((place.name, first)))


def sampled(subject: Subject, labeller: Labeller, count: int) -> LabelledSample:
    """So many pictures of a subject, with what is where in them."""
    pictures, masks = list[Tensor](), list[Tensor]()
    for shown, _ in subject.seen(count, of=SERIES):
        pictures.append(to_bytes(shown))
        masks.append(labeller.segment(shown).to(torch.uint8))
    grid = PixelGrid.of(subject.size)
    return LabelledSample(
        subject=subject,
        pictures=torch.cat(pictures),
        masks=grid.pixels(torch.cat(masks)),
        grid=grid,
        labels=labeller.labels,
    )


def portions(places: Sequence[Place], count: int) -> list[list[tuple[Place, int, int]]]:
    """Layers and units (first, after the last) whose maps are kept together."""
    found: list[list[tuple[Place, int, int]]] = [[]]
    room = MOST_BYTES
    for place in places:
        each = count * place.size[0] * place.size[1] * 4
        first = 0
        while first < place.units:
            units = min(place.units - first, room // each)
            if units < place.units - first and units < place.units and found[-1]:
                found.append([])
                room = MOST_BYTES
                continue
            units = max(units, 1)
            found[-1].append((place, first, first + units))
            room -= units * each
            first += units
    return [portion for portion in found if portion]
