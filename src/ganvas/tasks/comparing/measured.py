"""Measurements that a comparison takes anew: all runs in one way, and what they make of pictures that were held out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.core.run_folder import MEASURES, RunFolder
from ganvas.tasks.comparing.compare_options import Compare
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.measuring import sides

if TYPE_CHECKING:
    from ganvas.report.web.comparison.compared import Gap
    from ganvas.train.trained import Trained

GAPS = ("swd", "kid", "fid")  # Distances that are taken from training and from held-out pictures, where asked for.
BOUND_SAMPLES = 16  # Latents per picture, of a model that bounds its density alone.
MOST_GAPS, MOST_LIKELIHOODS = 2048, 512  # Pictures of a distance where -n is left out, and of a likelihood.


def measured_alike(task: Compare, runs: list[Path], trained: "list[Trained]") -> None:
    """Measures every run against one set of reals by one protocol, and leaves the lines in the runs."""
    data = task.data or _common_data(trained)
    names, lenient = sides.chosen_metrics(task.metrics)
    for path, model in zip(runs, trained, strict=True):
        if lenient or not _is_known(task, path, model, data, names):
            measure(_measurement(task, path, data))


def _measurement(task: Compare, path: Path, data: str) -> Measure:
    return Measure(
        a=str(path),
        b=data,
        n=task.n,
        metrics=task.metrics,
        features=task.features,
        weights=task.weights,
        trust_weights=task.trust_weights,
        seed=task.seed,
        fit=task.fit,
        device=task.device,
        quiet=task.quiet,
    )


def _common_data(trained: "list[Trained]") -> str:
    """What all runs were trained on."""
    if len({str(one.data.get("fingerprint")) for one in trained}) > 1:
        listed = ", ".join(dict.fromkeys(str(one.data.get("spec")) for one in trained))
        raise UserError(
            f"The runs were trained on unlike pictures ({listed}), so which ones all are to be measured against is not "
            "known. Name them: --data SRC."
        )
    return str(trained[0].data["spec"])


def _is_known(task: Compare, path: Path, model: "Trained", data: str, names: list[str]) -> bool:
    """Whether the run's newest model was measured so before: by the same command with the same answer."""
    if task.features or task.weights or task.n is None:
        return False
    wanted = {"source": "measure", "b": data, "n": task.n, "seed": task.seed, "model": model.fingerprint, "label": None}
    for line in RunFolder(path).lines(MEASURES):
        measured = {result["metric"] for result in line.get("results", ()) if isinstance(result, dict)}
        if all(line.get(key) == value for key, value in wanted.items()) and measured.issuperset(names):
            return True
    return False


def gaps(task: Compare, path: Path, model: "Trained") -> "list[Gap]":
    """How much better a model does on its training pictures than on those that were held out."""
    held_out = task.held_out or (model.data.get("held_out") or {}).get("spec")
    if held_out is None:
        return []
    n = _fewest(task, model, str(held_out))
    found = _distance_gaps(task, path, model, str(held_out), n)
    likelihood = _likelihood_gap(task, path, model, str(held_out), n)
    return found + ([likelihood] if likelihood else [])


def _fewest(task: Compare, model: "Trained", held_out: str) -> int:
    """Pictures of either set: as many as are asked for, where both have so many."""
    from ganvas.data.survey import survey

    there = min(survey(held_out).count, int(model.data.get("count") or 0) or MOST_GAPS)
    return min(task.n or MOST_GAPS, there)


def _distance_gaps(task: Compare, path: Path, model: "Trained", held_out: str, n: int) -> "list[Gap]":
    """Distances of the same generated pictures from as many training and held-out ones."""
    import dataclasses

    from ganvas.train.sampling.drawn import can_draw

    names = [name for name in sides.chosen_metrics(task.metrics)[0] if name in GAPS]
    if not names or not can_draw(model.model):
        return []
    base = dataclasses.replace(_measurement(task, path, held_out), metrics=tuple(names), n=n)
    held, train = measure(base), measure(dataclasses.replace(base, b=None))
    on_train = {result.metric: result for result in train.results}
    return [_gap(on_train[result.metric], result) for result in held.results if result.metric in names]


def _likelihood_gap(task: Compare, path: Path, model: "Trained", held_out: str, n: int) -> "Gap | None":
    from ganvas.losses.capabilities import BoundsDensity, HasDensity
    from ganvas.metrics.likelihood.density import METRIC
    from ganvas.tasks.likelihood import Likelihood, likelihood

    bounds = isinstance(model.model, BoundsDensity)
    if not bounds and not isinstance(model.model, HasDensity):
        return None
    how: dict[str, Any] = {
        "n": min(n, MOST_LIKELIHOODS),
        "samples": BOUND_SAMPLES if bounds else None,
        "seed": task.seed,
        "device": task.device,
        "quiet": task.quiet,
    }
    sets = (str(model.data["spec"]), held_out)
    found = [likelihood(Likelihood(run=path, data=data, **how)) for data in sets]
    train, held = (next(one for one in each.results if one.metric == METRIC) for each in found)
    return _gap(train, held)


def _gap(train: Result, held_out: Result) -> "Gap":
    import math

    from ganvas.report.web.comparison.compared import Gap

    errors = (train.standard_error, held_out.standard_error)
    known = [one for one in errors if one is not None]
    return Gap(
        metric=train.metric,
        train=train.value,
        held_out=held_out.value,
        error=math.hypot(*known) if len(known) == len(errors) else None,
        n=held_out.n,
        better=train.better,
    )
