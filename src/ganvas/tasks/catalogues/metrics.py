"""The catalogue of metrics: what each sees, which way is better, and its paper."""

from dataclasses import dataclass
from typing import Annotated

import tyro


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """List the metrics, or show one with what it sees and what it does not.

    Examples:
      ganvas metrics
      ganvas metrics swd
    """

    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[METRIC]")] = None
    """A metric to show in full."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of the catalogue."""

    name: str
    title: str
    summary: str
    paper: str
    better: str  # "lower", "higher", or "neither": near what real pictures score.
    sees: str  # "pixels", or the tap of a network, such as "features" and "logits"; or what is no set.
    minimum: int  # Pictures on each side.
    network: str | None = None  # Whose tap, unless `--features` says otherwise.
    fixed: bool = False  # Whether `--features` is no matter to it.
    alone: bool = False  # Whether it needs no reference.
    cost: str = ""


@dataclass(frozen=True, kw_only=True)
class MetricList:
    """What is known of each metric; the long text only where one was asked for."""

    metrics: list[Metric]
    description: str = ""


def metrics(task: Metrics) -> MetricList:
    """Reads the catalogue from the files themselves and imports none."""
    from ganvas.core.errors import UserError, did_you_mean
    from ganvas.metrics.measuring import metric_catalogue

    known = metric_catalogue.names()
    if task.name is not None and task.name not in known:
        raise UserError(
            f"There is no metric '{task.name}'.{did_you_mean(task.name.lower(), known)} Metrics: {', '.join(known)}."
        )
    wanted = [entry for entry in metric_catalogue.entries() if task.name in (None, entry.name)]
    found = [_read(entry.name, entry.summary, entry.link) for entry in wanted]
    return MetricList(metrics=[metric for metric, _ in found], description="" if task.name is None else found[0][1])


def _read(name: str, summary: str, link: str) -> tuple[Metric, str]:
    """A metric's plain constants and its docstring, without running it."""
    import ast

    from ganvas.core import catalogue

    tree = ast.parse((catalogue.PACKAGE / "metrics" / f"{name}.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    said = {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in assigned}
    metric = Metric(
        name=name,
        title=said["TITLE"],
        summary=summary,
        paper=link,
        better=said["BETTER"],
        sees=said["SEES"],
        minimum=said["MINIMUM"],
        network=said.get("NETWORK"),
        fixed=said.get("FIXED", False),
        alone=said.get("ALONE", False),
        cost=said.get("COST") or ("one pass over the pixels" if said["SEES"] == "pixels" else "its network, once"),
    )
    return metric, ast.get_docstring(tree) or ""
