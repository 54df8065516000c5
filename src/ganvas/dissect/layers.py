"""Layers beside their twins: how many units fit a label, and how many do by chance.

Three twins stand beside every count: the same network untrained, the same layer in randomly rotated axes, and the same
units with the labels of other pictures. What they also reach was not learnt by single units.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.progress import progress
from ganvas.dissect.agreement.agreement import LEVELS, TOP, Agreement, agreement, joined, rotated
from ganvas.dissect.agreement.counts import thresholds
from ganvas.dissect.agreement.null import LEVEL
from ganvas.dissect.gallery import strongest
from ganvas.dissect.instrument import Maps
from ganvas.dissect.labelled_sample import LabelledSample
from ganvas.dissect.places import Place

AT_TOP = LEVELS.index(TOP)
Galleries = dict[tuple[str, int], UInt8[Tensor, "k h w c"]]  # By the layer's name and the unit.


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit and the labels that fit it best."""

    unit: int
    label: str  # By the top-q rule.
    iou: float
    iou_error: float
    most: float  # What that IoU can be at the most, for this label.
    same_in_halves: bool  # Whether odd and even pictures name the same label.
    free_label: str  # By the chance-corrected score at any level.
    level: float
    free_iou: float
    chance: float  # The IoU of an independent unit at that level.
    corrected: float
    corrected_error: float
    information_label: str
    information: float
    p_value: float | None  # Of the permutation test over the whole layer.


@dataclass(frozen=True, kw_only=True)
class Bars:
    """One number of a layer, and the same of its twins; None for a twin that was not asked for."""

    trained: float
    rotated: float | None = None
    untrained: float | None = None
    permuted: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class DissectedLayer:
    """One layer's units."""

    place: Place
    units: tuple[Unit, ...]
    fitting: Bars  # Units that fit a label: such an IoU, and more of it than position gives.
    detectors: Bars  # Units whose IoU by the top-q rule is that of a detector, be it by their position alone.
    best: Bars  # Mean over units of the best chance-corrected score.
    significant: Bars  # Units that pass the permutation test, over the whole layer.
    same_in_halves: float  # Share of the units that both halves of the pictures give one label.
    fit: Float[Tensor, "units labels"]  # IoU by the top-q rule.

    def ranked(self, label: int) -> list[int]:
        """Units by their IoU with a label, the best first."""
        return self.fit[:, label].argsort(descending=True).tolist()


def layers(
    sample: LabelledSample,
    untrained: LabelledSample | None,
    places: Sequence[Place],
    *,
    permutations: int,
    seed: int,
    turned: bool,
    shown_units: int,
    quiet: bool,
) -> tuple[list[DissectedLayer], Galleries]:
    """The agreement of all places, in rotated axes too (``turned``), and of the untrained network where it is given.

    Returns:
        The layers, and pictures of the units (so many of each layer, ``shown_units``) that fit a label best.
    """
    total = sum(place.units for place in places) * (1 + turned + (untrained is not None))
    with progress("agreement", total, unit="units", quiet=quiet) as report:
        done = [0]

        def advance(units: int) -> None:
            done[0] += units
            report(done[0])

        own, other, galleries = _own(sample, places, permutations, seed, shown_units, advance, turned=turned)
        bare = {} if untrained is None else _plain(untrained, places, permutations, seed, advance)
    found = [
        _layer(place, sample.labels, own[place.name], other.get(place.name), bare.get(place.name)) for place in places
    ]
    return found, galleries


def _own(
    sample: LabelledSample,
    places: Sequence[Place],
    permutations: int,
    seed: int,
    shown_units: int,
    advance: Callable[[int], None],
    *,
    turned: bool,
) -> tuple[dict[str, Agreement], dict[str, Agreement], Galleries]:
    """Of the units as they are, and in rotated axes (of a layer that is cut into portions, within each)."""
    own: dict[str, list[Agreement]] = {}
    other: dict[str, list[Agreement]] = {}
    galleries: Galleries = {}
    labels = len(sample.labels)
    for place, first, maps in sample.maps(places):
        found = agreement(maps, sample.masks, labels, sample.grid, permutations=permutations, seed=seed)
        own.setdefault(place.name, []).append(found)
        galleries |= _gallery(sample, place, first, maps, found, shown_units)
        advance(maps.shape[1])
        if turned:
            turned_maps = rotated(maps, seed)
            scored = agreement(turned_maps, sample.masks, labels, sample.grid, permutations=permutations, seed=seed)
            other.setdefault(place.name, []).append(scored)
            advance(maps.shape[1])
    return _joined(own), _joined(other), galleries


def _plain(
    sample: LabelledSample, places: Sequence[Place], permutations: int, seed: int, advance: Callable[[int], None]
) -> dict[str, Agreement]:
    found: dict[str, list[Agreement]] = {}
    for place, _, maps in sample.maps(places):
        scored = agreement(maps, sample.masks, len(sample.labels), sample.grid, permutations=permutations, seed=seed)
        found.setdefault(place.name, []).append(scored)
        advance(maps.shape[1])
    return _joined(found)


def _joined(parts: Mapping[str, Sequence[Agreement]]) -> dict[str, Agreement]:
    return {name: joined(each) for name, each in parts.items()}


def _gallery(sample: LabelledSample, place: Place, first: int, maps: Maps, found: Agreement, units: int) -> Galleries:
    """The strongest pictures of the units that fit best."""
    if not units:
        return {}
    best = found.scores.iou[:, AT_TOP].amax(1).argsort(descending=True)[:units]
    at = thresholds(sample.grid.values(maps[:, best]), (TOP,))[:, 0]
    return {
        (place.name, first + unit): strongest(maps[:, unit], sample.pictures, threshold)
        for unit, threshold in zip(best.tolist(), at.tolist(), strict=True)
    }


def _layer(
    place: Place, labels: Sequence[str], own: Agreement, turned: Agreement | None, bare: Agreement | None
) -> DissectedLayer:
    def bars(of: Callable[[Agreement], float], permuted: float | None) -> Bars:
        return Bars(
            trained=of(own),
            rotated=None if turned is None else of(turned),
            untrained=None if bare is None else of(bare),
            permuted=permuted,
        )

    return DissectedLayer(
        place=place,
        units=tuple(_unit(own, unit, labels) for unit in range(place.units)),
        fitting=bars(lambda found: found.fitting, own.fitting_permuted),
        detectors=bars(lambda found: float(found.detectors.sum()), own.detectors_permuted),
        best=bars(
            lambda found: float(found.best.mean()),
            None if own.best_permuted is None else float(own.best_permuted.mean()),
        ),
        significant=bars(_significant, None),
        same_in_halves=float(own.halves.mean()),
        fit=own.scores.iou[:, AT_TOP],
    )


def _significant(found: Agreement) -> float:
    """Units that pass the permutation test; nan where it was not made, or with so few that none could."""
    if found.null is None or not found.null.can_pass:
        return float("nan")
    return float((found.null.p_values <= LEVEL).sum())


def _unit(found: Agreement, unit: int, labels: Sequence[str]) -> Unit:
    scores = found.scores
    label = int(scores.iou[unit, AT_TOP].argmax())
    level, free = divmod(int(scores.corrected[unit].flatten().argmax()), len(labels))
    _, told = divmod(int(scores.information[unit].flatten().argmax()), len(labels))
    return Unit(
        unit=unit,
        label=labels[label],
        iou=float(scores.iou[unit, AT_TOP, label]),
        iou_error=float(scores.iou_error[unit, AT_TOP, label]),
        most=float(scores.most[unit, AT_TOP, label]),
        same_in_halves=bool(found.halves[unit]),
        free_label=labels[free],
        level=LEVELS[level],
        free_iou=float(scores.iou[unit, level, free]),
        chance=float(scores.chance[unit, level, free]),
        corrected=float(scores.corrected[unit, level, free]),
        corrected_error=float(scores.corrected_error[unit, level, free]),
        information_label=labels[told],
        information=float(scores.information[unit].amax()),
        p_value=None if found.null is None else float(found.null.p_values[unit]),
    )
