"""Dissect screen: the tables of a dissection, from its JSON. The whole page with galleries is the file beside it."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.core.number_text import minus, number
from ganvas.core.run_folder import RunFolder
from ganvas.report.web import page
from ganvas.report.web.page import Html, element

TWINS = ("trained", "rotated", "untrained", "permuted")
MOST_UNITS = 200  # Of one layer that are listed.


def dissection_view(run: RunFolder) -> Html:
    """The dissection of a run; where there is none, the command that makes one."""
    command = page.command(f"ganvas dissect {shlex.quote(str(run.path))}")
    try:
        found = json.loads(run.dissection.read_bytes())
    except FileNotFoundError:
        return page.join(page.note("This run has not been dissected yet. This finds out what its units draw:"), command)
    except (OSError, ValueError, RecursionError):
        found = None
    try:
        return _view(found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):  # Of another version, or edited.
        return page.join(page.note("The dissection of this run cannot be read. This makes it anew:"), command)


def _view(found: Any) -> Html:
    about = f"{found['subject']}, {found['whose']}. Labels by {found['labeller']}."
    return page.join(
        page.note(about, " The galleries of units are in dissection/dissection.html of the run's folder."),
        page.section("Layers", _layers(found), page.note(
            "Units that fit a label, beside how many do by chance: in axes turned at random, before training, and with "
            "the labels of other pictures. Only what rises above all three was learnt by single units."
        )),
        page.section("What goes without them", _sets(found), page.note(
            "The share of a label's pixels that is gone when units are silenced together, on pictures that they were "
            "not chosen on; ± is one standard error over pictures."
        )) if found["sets"] else None,
        *(_units(layer) for layer in found["layers"]),
    )  # fmt: skip


def _layers(found: Mapping[str, Any]) -> Html:
    header = ("layer", "units", "fit a label", *TWINS[1:], "best beyond chance", "significant")
    rows = [
        [
            f"{layer['place']['name']} {layer['place']['label']}",
            f"{layer['place']['units']} at {'×'.join(map(str, layer['place']['size']))}",
            *(_number(layer["fitting"][twin]) for twin in TWINS),
            _number(layer["best"]["trained"]),
            _number(layer["significant"]["trained"]),
        ]
        for layer in found["layers"]
    ]
    return page.table(header, rows, text_columns=2)


def _sets(found: Mapping[str, Any]) -> Html:
    labels = list(dict.fromkeys(one["label"] for one in found["sets"] if one["label"]))
    header = ("label", "share of pictures", "chosen by effect", "by fit", "random", "units by effect")
    return page.table(header, [_set_row(found["sets"], label) for label in labels])


def _set_row(sets: Sequence[Mapping[str, Any]], label: str) -> list[page.Content]:
    by = {one["chosen_by"]: one for one in sets if one["label"] == label}
    chance = [_on(one, label) for one in sets if one["chosen_by"] == "random"]
    units = ", ".join(str(int(unit)) for unit in by["effect"]["units"]) if "effect" in by else ""
    return [
        label,
        f"{chance[0]['before']:.1%}" if chance else "",
        *(_gone(_on(by[how], label)) if how in by else "–" for how in ("effect", "iou")),
        ", ".join(_percent(-one["relative"]) for one in chance if one["relative"] is not None),
        units,
    ]


def _on(one: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    return next(effect for effect in one["effects"] if effect["label"] == label)


def _gone(effect: Mapping[str, Any]) -> page.Content:
    relative, error = effect["relative"], effect["relative_error"]
    if relative is None:
        return "–"
    return element("b", f"{_percent(-relative)}{'' if error is None else f' ± {100 * error:.0f}'} %")


def _units(layer: Mapping[str, Any]) -> Html:
    shown = sorted(layer["units"], key=lambda unit: -(unit["corrected"] or -math.inf))[:MOST_UNITS]
    rows = [
        [
            str(int(unit["unit"])),
            str(unit["free_label"]),
            _number(unit["corrected"]),
            _number(unit["free_iou"]),
            _number(unit["p_value"]),
        ]
        for unit in shown
    ]
    header = ("unit", "label", "score beyond chance", "IoU", "p")
    title = f"Units of {layer['place']['name']} {layer['place']['label']}"
    return page.details(title, page.table(header, rows, text_columns=2))


def _percent(part: float) -> str:
    return minus(f"{100 * part:.0f}")


def _number(value: float | None) -> str:
    return number(value, digits=3)
