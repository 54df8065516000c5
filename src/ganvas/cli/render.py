"""What a person sees of a result, on stderr; stdout carries the same as JSON."""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

from ganvas.core.progress import duration, say
from ganvas.tasks.models import Catalogue
from ganvas.tasks.sample import Drawn
from ganvas.tasks.train import TrainResult


@singledispatch
def show(result: Any) -> None:
    """Nothing more than the JSON, unless a kind of result has its own form below."""


@show.register
def _(result: TrainResult) -> None:
    if result.settings and not result.seconds and not result.kimg:
        for part in ("config", "plan"):
            table(part, ("setting", "value"), [(k, str(v)) for k, v in result.settings[part].items()])
        return
    done = "finished" if result.finished else "stopped; the same command goes on"
    say(f"{result.run}: {done} at {result.kimg:,.1f} kimg after {duration(result.seconds)} of training.")


@show.register
def _(result: Drawn) -> None:
    say(f"{result.path}: {result.pictures} pictures of {result.model} at {result.kimg:g} kimg, seed {result.seed}.")


@show.register
def _(result: Catalogue) -> None:
    if not result.settings:
        rows = [(model["name"], model["summary"], model["paper"]) for model in result.models]
        table("models", ("name", "what it is", "paper"), rows)
        return
    say(f"{result.models[0]['name']}: {result.models[0]['summary']} {result.models[0]['paper']}")
    if result.presets:
        table("presets", ("--preset", "what it is, and its source"), list(result.presets.items()))
    table("settings", ("--set", "default"), [(name, str(value)) for name, value in result.settings.items()])


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stderr, as wide as the terminal allows."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for name in header:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    Console(stderr=True).print(drawn)
