"""Precision and recall of models with their dials turned, all against one draw of real pictures."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError, did_you_mean
from ganvas.tasks.comparing.compare_options import Compare

if TYPE_CHECKING:
    from ganvas.data.packed import Packed
    from ganvas.metrics.measuring.flow import PassSettings, Reference
    from ganvas.report.web.comparison.compared import Turned
    from ganvas.train.sampling.dials import Dial
    from ganvas.train.trained import Trained

METRIC, ALL = "precision_recall", "all"
MOST = 2048  # Pictures on each side where -n is left out.


@dataclass(frozen=True, kw_only=True)
class Reals:
    """One draw of real pictures, as precision and recall see it, and how well a second draw does in a model's place."""

    reference: "Reference"
    settings: "PassSettings"
    n: int
    precision: float | None
    recall: float | None
    protocol: str


def chosen_dials(task: Compare, trained: "list[Trained]") -> "list[list[Dial]]":
    """Of each model the dials that were asked for.

    Raises:
        UserError: a dial is named that no model has.
    """
    from ganvas.train.sampling.dials import dials_of

    words = [word for text in task.turn for word in text.split(",") if word]
    every = [dials_of(one) for one in trained]
    known = dict.fromkeys(dial.name for dials in every for dial in dials)
    for word in words:
        if word != ALL and word not in known:
            raise UserError(
                f"--turn {word}: none of the models has such a dial.{did_you_mean(word, [*known, ALL])} "
                f"They have: {', '.join(known) or 'none'}."
            )
    return [[dial for dial in dials if ALL in words or dial.name in words] for dials in every]


def reals_of(task: Compare, packed: "Packed") -> Reals:
    """Gathers the real side once."""
    from ganvas.metrics.accumulators.feature_networks import Networks
    from ganvas.metrics.measuring import draws, flow
    from ganvas.tasks.measure import Measure
    from ganvas.tasks.measuring.sides import chosen_networks

    options = Measure(
        a="", features=task.features, weights=task.weights, trust_weights=task.trust_weights, device=task.device
    )
    networks, _ = Networks(chosen_networks(options), [METRIC]).of([METRIC])
    settings = flow.PassSettings(seed=task.seed, networks=networks, quiet=True)
    n = min(task.n or MOST, len(packed))
    reals = flow.DrawnSet(
        batches=lambda start, stop, of: draws.draw(packed, stop, seed=task.seed, start=start), treated=packed.treated
    )
    reference = flow.refer(reals, settings, metrics={METRIC: None}, n=n, floor=len(packed) >= 2 * n)
    floor = {result.metric: result.value for result in reference.floor}
    return Reals(
        reference=reference,
        settings=settings,
        n=n,
        precision=floor.get(f"{METRIC}.precision"),
        recall=floor.get(f"{METRIC}.recall"),
        protocol=next((result.protocol for result in reference.floor), ""),
    )


@dataclass(frozen=True, kw_only=True)
class Turns:
    """The curves of all models by name, and what they are measured against."""

    curves: "dict[str, list[Turned]]"
    reals: Reals
    protocol: str


def of_all(
    task: Compare, trained: "list[Trained]", names: list[str], dials: "list[list[Dial]]", packed: "Packed"
) -> Turns:
    """Precision and recall over the chosen dials of every model."""
    reals = reals_of(task, packed)
    found = {
        name: [turned(task, model, dial, reals, name) for dial in own]
        for model, name, own in zip(trained, names, dials, strict=True)
    }
    protocols = [protocol for curves in found.values() for _, protocol in curves]
    return Turns(
        curves={name: [curve for curve, _ in curves] for name, curves in found.items()},
        reals=reals,
        protocol=protocols[-1] if protocols else reals.protocol,
    )


def turned(task: Compare, model: "Trained", dial: "Dial", reals: Reals, name: str) -> tuple["Turned", str]:
    """Draws anew at every value of a dial; with the protocol."""
    from ganvas.core.progress import tracked
    from ganvas.report.web.comparison.compared import Turned

    found, seconds, protocol = [], [], ""
    for value in tracked(dial.values, f"{name}, {dial.name}", unit="values", quiet=task.quiet):
        parts, protocol, took = _at(task, model, dial, value, reals)
        found.append(parts)
        seconds.append(took / reals.n)
    return (
        Turned(
            dial=dial.name,
            values=list(dial.values),
            precision=[precision for precision, _ in found],
            recall=[recall for _, recall in found],
            seconds=seconds,
        ),
        protocol,
    )


def _at(
    task: Compare, model: "Trained", dial: "Dial", value: float, reals: Reals
) -> tuple[tuple[float, float], str, float]:
    from ganvas.metrics.measuring import flow
    from ganvas.train.sampling.dials import drawn_at

    started = time.perf_counter()
    batches: list[Any] = list(drawn_at(model, dial, value, reals.n, seed=task.seed))
    took = time.perf_counter() - started
    fakes = flow.DrawnSet(batches=lambda start, stop, of: iter(batches))
    measured = flow.against(reals.reference, fakes, reals.settings, metrics={METRIC: None}, n=reals.n)
    by_name = {result.metric: result for result in measured.results}
    pair = by_name[f"{METRIC}.precision"].value, by_name[f"{METRIC}.recall"].value
    return pair, by_name[METRIC].protocol, took
