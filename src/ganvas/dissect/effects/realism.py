"""Realism of what a generator draws without some units, beside as many units at random.

Bau et al. 2019, GAN Dissection, section 4.3, silence units that draw artefacts and see the Frechet Inception distance
fall, and not with random units. Here the distance is of the features of any frozen network; each set of pictures is of
the same latents and of the same size, so that what the size adds to a Frechet distance is in all of them alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.pixels import to_bytes
from ganvas.core.seeds import stream
from ganvas.dissect.instrument import UnitEdit, ablated
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject
from ganvas.metrics.maths.frechet import frechet_from_features

RANDOM_SETS = 3
SERIES = "realism"

Features = Callable[[UInt8[Tensor, "n c h w"]], Float[Tensor, "n d"]]


@dataclass(frozen=True, kw_only=True)
class Realism:
    """Frechet distances to real pictures."""

    whole: float  # With all units.
    without: float  # Without the chosen ones.
    random: tuple[float, ...]  # Without as many others, drawn at random.
    pictures: int


def realism(
    subject: Subject, place: Place, units: Sequence[int], reals: UInt8[Tensor, "n c h w"], features: Features
) -> Realism:
    """Of a network that draws, on as many pictures as there are real ones."""
    real = features(reals)

    def distance(edits: Sequence[UnitEdit]) -> float:
        drawn = [to_bytes(shown) for shown, _ in subject.seen(len(reals), of=SERIES, edits=edits)]
        return frechet_from_features(features(torch.cat(drawn)), real)

    others = [unit for unit in range(place.units) if unit not in units]
    random = [
        torch.randperm(len(others), generator=stream(0, "random units", number))[: len(units)].tolist()
        for number in range(RANDOM_SETS)
    ]
    return Realism(
        whole=distance([]),
        without=distance([ablated(place, units)]),
        random=tuple(distance([ablated(place, [others[at] for at in each])]) for each in random),
        pictures=len(reals),
    )
