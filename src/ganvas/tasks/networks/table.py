"""The table of a network for a paper's appendix: layers, output shapes, parameters, cost, receptive fields."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from ganvas.tasks.networks.network_options import Network, graph_of

Format = Literal["latex", "markdown", "csv", "json", "text"]
SUFFIXES: dict[str, Format] = {
    ".tex": "latex",
    ".md": "markdown",
    ".csv": "csv",
    ".json": "json",
    ".txt": "text",
}


@dataclass(frozen=True, kw_only=True)
class Table(Network):
    """Write a network's table: a row per layer with output shape, parameters, multiply-accumulates, receptive field.

    Examples:
      ganvas table gan/progan --set resolution=1024
      ganvas table gan/progan:discriminator --set resolution=1024 --format latex -o discriminator.tex
      ganvas table nets.py:UNet --input 1,3,256,256
    """

    format: Format | None = None
    """What to write on stdout or into --out; by the file's ending where left out."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """File to write."""
    columns: tuple[str, ...] | None = None
    """Which columns, in order: layer module activation shape params kernel stride dilation groups kind macs backward
    field note."""
    depth: int | None = None
    """One row for each module so many names deep."""
    hide: tuple[str, ...] = ()
    """Layers without parameters to leave out, by their name in the table, such as "Pixel norm"."""


@dataclass(frozen=True, kw_only=True)
class TableResult:
    """The table as text, and its sums; ``text`` is for the screen, ``printed`` for stdout in place of the JSON."""

    model: str
    parameters: int
    used: int
    macs: int
    rows: list[dict[str, Any]]
    written: Path | None
    text: str | None
    printed: str | None


def table(task: Table) -> TableResult:
    """Traces the network and writes its table."""
    from ganvas.anatomy.table import formats
    from ganvas.anatomy.table import table as tables
    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import write_text
    from ganvas.core.progress import say

    form = _format(task)
    made = tables.table(graph_of(task), columns=task.columns, depth=task.depth, hide=task.hide)
    if made.failed:
        say(formats.to_text(made))
        raise UserError(f"{made.title} fails in {made.failed.rstrip('.')}. The table above is of what ran before.")
    text = formats.FORMATS[form or "text"](made)
    if task.out is not None:
        write_text(task.out, text)
    return TableResult(
        model=made.title,
        parameters=made.parameters,
        used=made.used,
        macs=made.macs,
        rows=formats.to_plain(made)["rows"],
        written=task.out,
        text=text if form is None else None,
        printed=text if form is not None and task.out is None else None,
    )


def _format(task: Table) -> Format | None:
    from ganvas.core.errors import UserError

    if task.out is not None and task.out.is_dir():
        raise UserError(
            f"-o {task.out}: a folder is there. Give the name of a file in it, such as {task.out / 'table.tex'}."
        )
    if task.format is not None or task.out is None:
        return task.format
    if task.out.suffix not in SUFFIXES:
        raise UserError(
            f"-o {task.out}: the ending '{task.out.suffix}' says no format. Give --format, or an ending of "
            f"{', '.join(SUFFIXES)}."
        )
    return SUFFIXES[task.out.suffix]
