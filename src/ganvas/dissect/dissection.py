"""A whole dissection: what the units of each layer agree with, beside twins, and what a picture loses without them.

The order of things: pictures of the subject and their masks; agreement of every layer with them, and of the twins;
then, of one layer, the effect of silencing each unit, and of the strongest ones together on pictures that they were not
chosen on. The result is plain values, which a page, a table and a program read alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ganvas.core.errors import UserError
from ganvas.dissect.agreement.agreement import TOP
from ganvas.dissect.agreement.counts import PixelGrid
from ganvas.dissect.agreement.null import enough_to_pass
from ganvas.dissect.effects.context import Context, GroundEffect, inserted_everywhere
from ganvas.dissect.effects.shares import drawn_shares
from ganvas.dissect.effects.single_units import (
    HELD_OUT,
    SetEffect,
    Silence,
    UnitEffects,
    mean_values,
    random_units,
    set_effect,
    unit_effects,
)
from ganvas.dissect.labelled_sample import LabelledSample, sampled
from ganvas.dissect.labellers.labeller import Labeller, require_label
from ganvas.dissect.labellers.segmenter import Segmenter
from ganvas.dissect.layer_table import DissectedLayerRow, rows_beside
from ganvas.dissect.layers import DissectedLayer, Galleries, layers
from ganvas.dissect.permanent import UnitSet
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject

RANDOM_SETS = 3
FEWEST_SETS = 8  # That a layer has room for, where it is chosen to be silenced.
RAREST = 0.002  # Share of a label in the pictures, below which no set of units is chosen for it.


@dataclass(frozen=True, kw_only=True)
class DissectionSettings:
    """How much is looked at."""

    pictures: int = 512
    effect_pictures: int = 384
    held_out_pictures: int = 384
    set_size: int = 8
    permutations: int = 39
    silence: Silence = "zero"
    seed: int = 0
    twins: bool = True
    effects: bool = True
    shown_units: int = 8  # Of each layer, on the page.
    context: tuple[str, ...] = ()  # Labels that are put everywhere.
    context_pictures: int = 64


@dataclass(frozen=True, kw_only=True)
class Dissection:
    """All that was found, as plain values."""

    subject: str
    whose: str
    labeller: str
    labels: tuple[str, ...]
    shares: tuple[float, ...]  # Of the pictures' pixels, by label.
    layers: tuple[DissectedLayer, ...]
    settings: DissectionSettings
    protocol: str
    effect_layer: Place | None = None
    unit_effects: UnitEffects | None = None
    sets: tuple[SetEffect, ...] = ()
    contexts: tuple[Context, ...] = ()
    quality: tuple[float | None, ...] = ()  # The labeller's own IoU on held-out pictures, by label, where it is known.
    notes: tuple[str, ...] = ()
    beside: tuple[DissectedLayerRow, ...] = ()  # Layers of other dissections.
    galleries: Galleries = field(default_factory=dict)


def dissect(
    subject: Subject,
    labeller: Labeller,
    places: Sequence[Place],
    settings: DissectionSettings,
    *,
    effect_place: Place | None = None,
    by_hand: UnitSet | None = None,
    beside: Sequence[Path] = (),
    quiet: bool = False,
) -> Dissection:
    """Takes a network apart.

    Args:
        effect_place: The layer whose units are silenced; the one with the best fitting units where left out.
        by_hand: Units that a person chose, silenced together beside the others; their layer is then that one.
        beside: Folders of other dissections, whose layers stand in the same table.

    Raises:
        UserError: none of the labeller's labels occurs in the pictures, or units shall be silenced in a network that
            draws none.
    """
    _require_drawing(subject, settings, effect_place, by_hand)
    for thing in settings.context:
        require_label(thing, labeller)
    protocol = _protocol(labeller, settings, PixelGrid.of(subject.size))
    others = [row for folder in beside for row in rows_beside(folder, protocol)]
    sample = sampled(subject, labeller, settings.pictures)
    _require_labels(sample, labeller)
    bare, notes = _untrained(subject, labeller, settings)
    found_layers, galleries = layers(
        sample,
        bare,
        places,
        permutations=settings.permutations,
        seed=settings.seed,
        turned=settings.twins,
        shown_units=settings.shown_units,
        quiet=quiet,
    )
    shares = torch.bincount(sample.masks.flatten().long(), minlength=len(labeller.labels)) / sample.masks.numel()
    chosen = by_hand.place if by_hand else effect_place or _telling(found_layers, settings.set_size)
    found: UnitEffects | None = None
    sets, contexts = list[SetEffect](), tuple[Context, ...]()
    if settings.effects and subject.kind == "draws":
        found = unit_effects(
            subject,
            labeller,
            chosen,
            pictures=settings.effect_pictures,
            silence=settings.silence,
            quiet=quiet,
        )
        layer = next((layer for layer in found_layers if layer.place == chosen), None)
        sets = _sets(subject, labeller, found, layer, settings, by_hand)
        contexts = _contexts(subject, bare, labeller, found, settings, quiet=quiet)
    return Dissection(
        subject=subject.name,
        whose=subject.whose,
        labeller=labeller.identity,
        labels=labeller.labels,
        shares=tuple(shares.tolist()),
        layers=tuple(found_layers),
        settings=settings,
        protocol=protocol,
        effect_layer=chosen if found is not None else None,
        unit_effects=found,
        sets=tuple(sets),
        contexts=contexts,
        quality=_quality(labeller),
        notes=notes,
        beside=tuple(others),
        galleries=galleries,
    )


def _telling(layers: Sequence[DissectedLayer], set_size: int) -> Place:
    """The layer whose units fit best, of those in which a set of units is a small part.

    Where a set is half of a layer, random units take as much from a picture as chosen ones.
    """
    wide = [layer for layer in layers if layer.place.units >= FEWEST_SETS * set_size]
    widest = max(layer.place.units for layer in layers)
    among = wide or [layer for layer in layers if layer.place.units == widest]
    return max(among, key=lambda layer: layer.best.trained).place


def _untrained(
    subject: Subject, labeller: Labeller, settings: DissectionSettings
) -> tuple[LabelledSample | None, tuple[str, ...]]:
    """Pictures of the network with a fresh start; or why there is none."""
    if not settings.twins:
        return None, ()
    try:
        return sampled(subject.untrained(settings.seed), labeller, settings.pictures), ()
    except UserError as error:
        return None, (f"There is no untrained twin: {error}",)


def _contexts(
    subject: Subject,
    bare: LabelledSample | None,
    labeller: Labeller,
    found: UnitEffects,
    settings: DissectionSettings,
    *,
    quiet: bool,
) -> tuple[Context, ...]:
    """Things put everywhere, by the trained network and by its untrained twin, each by its own units."""
    if not settings.context:
        return ()
    twin = None
    if bare is not None:
        place, pictures = found.place, settings.effect_pictures // 2
        twin = bare.subject, unit_effects(bare.subject, labeller, place, pictures=pictures, quiet=quiet)

    def put(one: Subject, by: UnitEffects, thing: str) -> tuple[GroundEffect, ...]:
        units, pictures = _strongest(by, labeller, thing, settings), settings.context_pictures
        made = inserted_everywhere(
            one, labeller, found.place, units, thing, pictures=pictures, seed=settings.seed, quiet=quiet
        )
        return made.on_all(thing)

    def context(thing: str) -> Context:
        grounds = put(subject, found, thing)
        return Context(
            thing=thing,
            units=_strongest(found, labeller, thing, settings),
            pictures=settings.context_pictures,
            grounds=grounds,
            untrained=() if twin is None else put(*twin, thing),
            recall=tuple(_recall(labeller, thing, on.ground) for on in grounds),
        )

    return tuple(map(context, settings.context))


def _strongest(by: UnitEffects, labeller: Labeller, thing: str, settings: DissectionSettings) -> tuple[int, ...]:
    """The units that most of a thing goes with."""
    return tuple(by.ranked(labeller.labels.index(thing))[: settings.set_size])


def _recall(labeller: Labeller, thing: str, ground: str) -> float | None:
    if not isinstance(labeller, Segmenter):
        return None
    return labeller.card["paste_recall_on"].get(thing, {}).get(ground)


def _quality(labeller: Labeller) -> tuple[float | None, ...]:
    known = labeller.card["iou"] if isinstance(labeller, Segmenter) else {}
    return tuple(known.get(label) for label in labeller.labels)


def _require_drawing(
    subject: Subject, settings: DissectionSettings, effect_place: Place | None, by_hand: UnitSet | None
) -> None:
    """Silencing and inserting units is for networks that draw: nothing is lost from a picture that was given."""
    if subject.kind != "draws" and (settings.context or effect_place or by_hand):
        raise UserError(
            f"{subject.name} looks at pictures and draws none, so silencing its units takes nothing from a picture. "
            "Leave --context, --units and --effect-layer out, or dissect the network that draws."
        )


def _require_labels(sample: LabelledSample, labeller: Labeller) -> None:
    there = sample.masks.unique()
    if len(there) < 2:
        only = labeller.labels[int(there[0])]
        raise UserError(
            f"The labeller {labeller.identity} calls every pixel '{only}', so there is nothing to tell units apart by. "
            "Choose a labeller whose labels occur in these pictures, such as --labeller colours."
        )


def _protocol(labeller: Labeller, settings: DissectionSettings, grid: PixelGrid) -> str:
    height, width = grid.size
    fit = "beyond-position" if enough_to_pass(settings.permutations) else "iou"
    return (
        f"labeller={labeller.identity};n={settings.pictures};grid={height}x{width}/{grid.step};top={TOP};fit={fit};upsampled=bilinear;"
        f"silence={settings.silence};seed={settings.seed}"
    )


def _sets(
    subject: Subject,
    labeller: Labeller,
    found: UnitEffects,
    layer: DissectedLayer | None,
    settings: DissectionSettings,
    by_hand: UnitSet | None,
) -> list[SetEffect]:
    """For each label that is not rare: the strongest units by effect and by IoU, and random ones, silenced together."""
    place, count = found.place, min(settings.set_size, found.place.units)
    value = mean_values(subject, place, settings.effect_pictures) if settings.silence == "mean" else None
    before = drawn_shares(subject, labeller, settings.held_out_pictures, of=HELD_OUT)
    made: list[SetEffect] = []

    def silenced(units: Sequence[int], label: str, chosen_by: str) -> None:
        made.append(
            set_effect(
                subject,
                labeller,
                place,
                units,
                label=label,
                chosen_by=chosen_by,
                pictures=settings.held_out_pictures,
                value=value,
                before=before,
            )
        )

    if by_hand is not None:
        silenced(by_hand.units, "", "hand")
    for number in range(RANDOM_SETS):
        silenced(
            random_units(place, len(by_hand.units) if by_hand else count, seed=settings.seed, number=number),
            "",
            "random",
        )
    for at, label in enumerate(labeller.labels):
        if found.before[at] < RAREST:
            continue
        silenced(found.ranked(at)[:count], label, "effect")
        if layer is not None:
            silenced(layer.ranked(at)[:count], label, "iou")
    return made
