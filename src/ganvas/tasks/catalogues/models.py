"""The catalogue of models: what there is, and one model's settings and presets."""

from dataclasses import dataclass
from typing import Annotated, Any

import tyro


@dataclass(frozen=True, kw_only=True)
class Models:
    """List the models, or show one with its settings and presets.

    Examples:
      ganvas models
      ganvas models gan/progan
    """

    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[MODEL]")] = None
    """A model to show in full."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is known of each model; settings only when one was asked for."""

    models: list[dict[str, str]]
    presets: dict[str, str]
    settings: dict[str, Any]


def models(task: Models) -> Catalogue:
    """Reads the catalogue; only a named model is imported."""
    from ganvas.core import catalogue

    if task.name is None:
        entries = catalogue.entries("models")
        listed = [{"name": entry.name, "summary": entry.summary, "paper": entry.link} for entry in entries]
        return Catalogue(models=listed, presets={}, settings={})
    from ganvas.core.config import to_plain

    module = catalogue.load("models", task.name)
    entry = next(entry for entry in catalogue.entries("models") if entry.name == task.name)
    return Catalogue(
        models=[{"name": entry.name, "summary": entry.summary, "paper": entry.link}],
        presets=catalogue.functions("recipes", task.name),
        settings=to_plain(module.Config()),
    )
