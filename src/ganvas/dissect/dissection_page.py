"""The page of a dissection: one HTML file that opens from a disk."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import UInt8

from ganvas.core.number_text import minus, number
from ganvas.dissect.agreement.agreement import DETECTOR, TOP
from ganvas.dissect.dissection import RAREST, Dissection
from ganvas.dissect.effects.context import Context, GroundEffect
from ganvas.dissect.effects.shares import Effect
from ganvas.dissect.effects.single_units import SetEffect, UnitEffects
from ganvas.dissect.layer_table import layer_rows
from ganvas.dissect.layers import Bars, DissectedLayer, Unit
from ganvas.report.drawing.palette import BLUE, GREEN, ORANGE, SOFT
from ganvas.report.drawing.panels import Axes, Curve
from ganvas.report.pictures.grid import grid, png
from ganvas.report.web import page
from ganvas.report.web.chart import Chart
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.page import Content, Html, element

WIDE, NARROW = (560, 290), (370, 260)
TWINS = (("trained", BLUE), ("rotated", ORANGE), ("untrained", SOFT), ("permuted", GREEN))
STRONGEST = 6  # Units that are named per label.
GALLERY_SCALE = 2


def html(found: Dissection) -> str:
    """The whole page."""
    title = f"Dissection of {found.subject}"
    return page.document(
        title,
        element(
            "header",
            element("h1", title),
            element("p", f"Weights {found.whose}. Labels by {found.labeller}. {found.settings.pictures} pictures."),
        ),
        _layers(found),
        _beside(found),
        _sets(found),
        _single(found),
        *(_context(one) for one in found.contexts),
        *(_gallery(layer, found) for layer in found.layers),
        _reading(found),
    )


def _layers(found: Dissection) -> Html:
    charts = [
        _chart(found.layers, "Units that fit a label", "units", lambda layer: layer.fitting),
        _chart(found.layers, "Best fit beyond chance", "mean corrected score", lambda layer: layer.best),
    ]
    header = ("layer", "units", "fit a label", *(name for name, _ in TWINS[1:]), "by IoU alone", "same in halves")
    rows = [
        [
            f"{layer.place.name} {layer.place.label}",
            f"{layer.place.units} at {layer.place.size[0]}×{layer.place.size[1]}",
            *(number(value, digits=3) for value in values_of(layer.fitting)),
            _by_iou_alone(layer.detectors),
            f"{layer.same_in_halves:.0%}",
        ]
        for layer in found.layers
    ]
    return page.section(
        "Layers",
        element(
            "p",
            "How many units of each layer fit a label, and how many do by chance: in the same axes turned at random, "
            "in the same network before training, and with the labels of other pictures. Only what rises above all "
            f"three was learnt by single units. A unit fits a label if their IoU is above {DETECTOR} and more than "
            "the labels of other pictures give at the same places; by IoU alone, corners fit what is in corners.",
        ),
        element("div", *charts, class_="charts"),
        page.table(header, rows, text_columns=2),
    )


def _beside(found: Dissection) -> Html | None:
    """The same table over several runs."""
    if not found.beside:
        return None
    rows = [
        [
            row["run"],
            f"{row['layer']} {row['label']}",
            f"{row['units']} at {row['height']}×{row['width']}",
            f"{number(row['fitting'], digits=3)} ({row['fitting'] / row['units']:.0%})",
            *(number(value, digits=3) for value in (row["rotated"], row["untrained"], row["permuted"], row["best"])),
        ]
        for row in (*layer_rows(found.subject, found.layers), *found.beside)
    ]
    header = ("run", "layer", "units", "fit a label", "rotated", "untrained", "permuted", "best, corrected")
    return page.section(
        "Beside other runs",
        element("p", "The layers of other dissections, found in the same way: labeller, pictures, grid and level."),
        page.table(header, rows, text_columns=3),
    )


def _by_iou_alone(bars: Bars) -> str:
    """Of the units, and of the untrained network's."""
    twin = "" if bars.untrained is None else f" (untrained {number(bars.untrained, digits=3)})"
    return f"{number(bars.trained, digits=3)}{twin}"


def values_of(bars: Bars) -> tuple[float | None, ...]:
    """In the order of TWINS."""
    return bars.trained, bars.rotated, bars.untrained, bars.permuted


def _chart(layers: Sequence[DissectedLayer], title: str, y_title: str, of: Callable[[DissectedLayer], Bars]) -> Html:
    x = np.arange(len(layers), dtype=np.float64)
    curves = []
    for at, (name, colour) in enumerate(TWINS):
        values = [values_of(of(layer))[at] for layer in layers]
        if any(value is not None for value in values):
            y = [np.nan if value is None else value for value in values]
            curves.append(Curve(name=name, x=x, y=y, colour=colour, marks=True, stroke_width=1.6))
    ticks = [(float(at), layer.place.name) for at, layer in enumerate(layers)]
    axes = Axes(x_title="layer", y_title=y_title, x_ticks=ticks, size=11.0, x_range=(-0.3, len(layers) - 0.7))
    shown = Chart(title=title, curves=curves, axes=axes)
    return chart_figure(shown, WIDE, NARROW)


def _sets(found: Dissection) -> Html | None:
    if not found.sets:
        return None
    labels = [label for label in found.labels if any(one.label == label for one in found.sets)]
    quality = dict(zip(found.labels, found.quality, strict=True))
    rows = [[*_set_row(found.sets, label), number(quality[label], digits=2)] for label in labels]
    hand = ["by hand"] if any(one.chosen_by == "hand" for one in found.sets) else []
    header = ("label", "share of pictures", *hand, "by effect", "by fit", "random", "labeller's IoU")
    count = len(next(one.units for one in found.sets if one.chosen_by != "hand"))
    assert found.effect_layer is not None
    return page.section(
        "What goes without them",
        element(
            "p",
            f"{count} units of {found.effect_layer.title} silenced together ({found.settings.silence}), on "
            f"{found.settings.held_out_pictures} pictures that they were not chosen on: the share of a label's pixels "
            "that is gone. Units chosen by what goes with each of them alone, by how well they fit the label, and at "
            "random. An effect is no truer than its labeller, whose own score on held-out pictures stands beside it.",
        ),
        page.table(header, rows),
    )


def _set_row(sets: Sequence[SetEffect], label: str) -> list[Content]:
    by = {one.chosen_by: one.on(label) for one in sets if one.label == label}
    chance = [one.on(label) for one in sets if one.chosen_by == "random"]
    hand = [_removed(one.on(label)) for one in sets if one.chosen_by == "hand"]
    return [
        label,
        f"{chance[0].before:.1%}" if chance else "",
        *hand,
        _removed(by.get("effect")),
        _removed(by.get("iou")),
        ", ".join(_percent(one.relative) for one in chance),
    ]


def _context(one: Context) -> Html:
    twin = {on.ground: on for on in one.untrained}
    rows = [
        [
            on.ground,
            _points(on),
            f"{minus(f'{on.causal:+.1f}')}, {minus(f'{on.random:+.1f}')}",
            "–" if recall is None else f"{recall:.2f}",
            _points(twin.get(on.ground)),
            f"{on.cells:,}",
        ]
        for on, recall in zip(one.grounds, one.recall, strict=True)
    ]
    return page.section(
        f"Where a {one.thing} can be put",
        element(
            "p",
            f"The units {', '.join(map(str, one.units))}, which most of '{one.thing}' goes with, set to a high value "
            f"in one cell at a time of {one.pictures} pictures: by how many points of the cell there is more of it "
            "then, less what as many random units do. What the labeller recognises of real ones laid there bounds what "
            "can be seen; what the untrained network shows is no knowledge of where things belong.",
        ),
        page.table(("on", "points", "by its units, by random", "labeller recognises", "untrained", "cells"), rows),
    )


def _points(on: GroundEffect | None) -> str:
    return "–" if on is None else minus(f"{on.points:+.2f} ± {on.error:.2f}")


def _removed(effect: Effect | None) -> str:
    if effect is None:
        return "–"
    return f"{_percent(effect.relative)} ± {100 * effect.relative_error:.1f}"


def _percent(value: float) -> str:
    return minus(f"{100 * value:+.1f} %")


def _single(found: Dissection) -> Html | None:
    effects = found.unit_effects
    if effects is None:
        return None
    rows = [[label, _strongest(effects, at)] for at, label in enumerate(found.labels) if effects.before[at] >= RAREST]
    passing = int((effects.t.abs() > effects.critical).sum())
    return page.section(
        "One unit at a time",
        element(
            "p",
            f"The units of {effects.place.title} that most of a label goes with, each silenced by itself on "
            f"{effects.pictures} pictures: percent of the label, with its standard error.",
        ),
        page.table(("label", "units"), rows, text_columns=2),
        page.note(
            f"{passing} of {effects.change.numel()} effects are beyond |t| = {effects.critical:.1f}, which chance "
            "passes once in twenty such tables. With so many pictures nearly every unit moves something: go by the "
            "size."
        ),
    )


def _strongest(effects: UnitEffects, label: int) -> str:
    base = float(effects.before[label])
    units = effects.ranked(label)[:STRONGEST]
    change, error = (values[:, label].div(base).tolist() for values in (effects.change, effects.error))
    return "; ".join(f"{unit}: {_percent(change[unit])} ± {100 * error[unit]:.1f}" for unit in units)


def _gallery(layer: DissectedLayer, found: Dissection) -> Html | None:
    units = [unit for unit in layer.units if (layer.place.name, unit.unit) in found.galleries]
    if not units:
        return None
    units.sort(key=lambda unit: -unit.iou)
    figures = [_unit(unit, found.galleries[layer.place.name, unit.unit].numpy()) for unit in units]
    return page.section(
        f"Layer {layer.place.name}: {layer.place.label}",
        page.note(
            f"The {len(units)} of {layer.place.units} units that fit a label best, on the pictures that each is "
            f"strongest on; bright where it is among the strongest {TOP:.0%} of its places."
        ),
        element("div", *figures, class_="charts"),
    )


def _unit(unit: Unit, pictures: UInt8[np.ndarray, "k h w c"]) -> Html:
    row = grid(pictures, columns=len(pictures), scale=GALLERY_SCALE)
    head = f"Unit {unit.unit}: {unit.label}, IoU {unit.iou:.3f} ± {unit.iou_error:.3f} of at most {unit.most:.3f}"
    halves = "both halves of the pictures say so" if unit.same_in_halves else "the halves of the pictures disagree"
    free = (
        f"{halves}; at any level {unit.free_label}: IoU {unit.free_iou:.3f} at {unit.level:g}, by chance "
        f"{unit.chance:.3f}, corrected {unit.corrected:.3f} ± {unit.corrected_error:.3f}"
    )
    return page.figure(
        page.picture(png(row, optimize=True), f"Pictures that unit {unit.unit} is strongest on"),
        page.join(element("b", head), element("br"), free),
    )


def _reading(found: Dissection) -> Html:
    return page.section(
        "How the numbers are made",
        element(
            "p",
            "IoU is of all pictures together: the pixels where a unit is among its strongest and the label is, over "
            "the pixels where either is. A label that covers more of the picture than the unit is active on cannot "
            "reach far, so the most that is possible stands beside it. At any level of activity an always active unit "
            "fits whatever is largest; the corrected score takes that chance off: 0 for an independent unit, 1 for "
            "equality. Standard errors are over pictures.",
        ),
        page.facts([("protocol", page.code(found.protocol)), ("shares", _shares(found))]),
        *(page.note(note) for note in found.notes),
    )


def _shares(found: Dissection) -> str:
    order = sorted(zip(found.shares, found.labels, strict=True), reverse=True)
    return ", ".join(f"{label} {share:.1%}" for share, label in order if share > 0)
