"""A network's table as in a paper's appendix (Karras et al. 2018, table 2), ready to be written in any format.

``table(trace(model, (1, 512)))`` is a value; ``ganvas.anatomy.table.formats`` writes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ganvas.anatomy.fields.receptive_field import cumulative, unbounded
from ganvas.anatomy.table.layer_rows import Row, rows, times
from ganvas.anatomy.trace.graph import Graph
from ganvas.anatomy.trace.macs import CONVENTION, uncounted
from ganvas.core.errors import UserError, did_you_mean


@dataclass(frozen=True)
class TableColumn:
    """One column: its heading, what a row shows in it as text and as a value, and whether it is numbers."""

    heading: str
    text: Callable[[Row], str]
    value: Callable[[Row], object]
    numeric: bool = True


def _each(name: str) -> TableColumn:
    """Kernel, stride or dilation: one number where all axes agree."""

    def text(row: Row) -> str:
        sizes = getattr(row, name)
        return "" if not sizes else str(sizes[0]) if len(set(sizes)) == 1 else times(sizes)

    return TableColumn(name.capitalize(), text, lambda row: list(getattr(row, name)) or None)


COLUMNS: dict[str, TableColumn] = {
    "layer": TableColumn("Layer", lambda r: r.layer, lambda r: r.layer, numeric=False),
    "module": TableColumn("Module", lambda r: r.module, lambda r: r.module, numeric=False),
    "activation": TableColumn("Act.", lambda r: r.activation or "–", lambda r: r.activation or None, numeric=False),
    "shape": TableColumn("Output shape", lambda r: times(r.shape).replace("×", " × ") or "1", lambda r: list(r.shape)),
    "params": TableColumn("Params", lambda r: _parameters(r), lambda r: r.parameters),
    "kernel": _each("kernel"),
    "stride": _each("stride"),
    "dilation": _each("dilation"),
    "groups": TableColumn("Groups", lambda r: str(r.groups) if r.groups > 1 else "", lambda r: r.groups),
    "kind": TableColumn("Kind", lambda r: r.kind, lambda r: r.kind, numeric=False),
    "macs": TableColumn("MACs", lambda r: short(r.macs), lambda r: r.macs),
    "backward": TableColumn("MACs backward", lambda r: short(r.macs_backward), lambda r: r.macs_backward),
    "field": TableColumn(
        "Field",
        lambda r: "all" if r.reads_all else times(r.receptive_field) if r.receptive_field else "",
        lambda r: "all" if r.reads_all else list(r.receptive_field) if r.receptive_field else None,
    ),
    "note": TableColumn("Note", lambda r: r.note, lambda r: r.note or None, numeric=False),
}
OPTIONAL = ("dilation", "groups", "field", "note")  # Left out of the usual columns where no row has any.
USUAL = ("layer", "activation", "shape", "params", "stride", "dilation", "groups", "macs", "field", "note")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows and what stands around them.

    Attributes:
        title: The network's name.
        columns: Names in ``COLUMNS``.
        parameters: All of the network's, the unused included; ``used`` are those of the rows.
        unused: Name and count of parameters that no row has.
        layout: What a reader must know of the order of the axes in the shapes; "" where it is channels first.
        field: What the receptive fields are of; "" where no row has one.
        uncounted: Operations that multiply matrices and are not in ``macs``, and how often each ran.
        failed: Why the table ends early, or None.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    parameters: int
    used: int
    macs: int
    macs_backward: int
    unused: dict[str, int]
    input_shapes: tuple[tuple[int, ...], ...]
    failed: str | None
    layout: str = ""
    uncounted: Mapping[str, int] = field(default_factory=dict)
    field: str = ""

    @property
    def footnotes(self) -> tuple[str, ...]:
        """What a reader must know to use the numbers of these columns."""
        return self.notes(self.columns)

    def notes(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The same for other columns."""
        notes = [f"MACs for {_batch(self.input_shapes)}; {CONVENTION}"]
        notes += [note for name, note in (("shape", self.layout), ("field", self.field)) if note and name in columns]
        if self.uncounted:
            said = ", ".join(f"{op} ({times})" for op, times in self.uncounted.items())
            notes.append(f"Not counted in the MACs: {said}.")
        if self.unused:
            names = list(self.unused)
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            count = sum(self.unused.values())
            notes.append(f"Not used in this pass: {count:,} parameters ({', '.join(names[:4])}{more}).")
        return tuple(notes)


def table(
    graph: Graph, *, columns: Sequence[str] | None = None, depth: int | None = None, hide: Sequence[str] = ()
) -> Table:
    """The table of a traced network.

    Args:
        columns: Names in ``COLUMNS``, in order; None for the usual ones that have something to say.
        depth: One row for each module so many names deep, instead of one per layer.
        hide: Layers to leave out by the name they have in the table, such as "Pixel norm"; not those with parameters.

    Raises:
        UserError: An unknown column or layer, or one that may not be hidden.
    """
    found = rows(graph, fields=cumulative(graph), unbounded=unbounded(graph))
    for name in columns or ():
        if name not in COLUMNS:
            raise UserError(f"There is no column '{name}'.{did_you_mean(name, COLUMNS)} Columns: {', '.join(COLUMNS)}.")
    found = _without(found, hide)
    if depth is not None:
        found = merged(found, depth)
    return Table(
        title=graph.model,
        columns=tuple(columns) if columns else _usual(found),
        rows=tuple(found),
        parameters=graph.parameters,
        used=sum(row.parameters for row in found),
        macs=graph.macs,
        macs_backward=graph.macs_backward,
        unused=dict(graph.unused),
        input_shapes=graph.input_shapes,
        failed=graph.failed,
        layout=_layout(found),
        field=_field(found),
        uncounted=uncounted(graph.nodes),
    )


def merged(found: Sequence[Row], depth: int) -> list[Row]:
    """Rows of one module, so many names deep, as one; what runs between modules stays as it is."""
    if depth < 1:
        raise UserError(f"--depth {depth}: the depth is at least 1, one row for each of the network's own parts.")
    together: list[Row] = []
    names: list[str] = []
    for row in found:
        name = ".".join(row.module.split(".")[:depth])
        if together and name and names[-1] == name:
            together[-1] = _joined(together[-1], row, name)
        else:
            together.append(row)
            names.append(name)
    return together


def _joined(a: Row, b: Row, name: str) -> Row:
    return Row(
        layer=name,
        module=name,
        kind=a.kind if a.kind == b.kind else "other",
        activation=b.activation if b.activation != "linear" else "",
        shape=b.shape,
        axes=b.axes,
        parameters=a.parameters + b.parameters,
        macs=a.macs + b.macs,
        macs_backward=a.macs_backward + b.macs_backward,
        receptive_field=b.receptive_field,
        reads_all=b.reads_all,
        shared=a.shared or b.shared,
        note="; ".join(dict.fromkeys(note for note in (a.note, b.note) if note)),
        nodes=a.nodes + b.nodes,
    )


def _without(found: list[Row], hide: Sequence[str]) -> list[Row]:
    for name in hide:
        same = [row for row in found if row.layer.lower() == name.lower()]
        if not same:
            known = dict.fromkeys(row.layer for row in found)
            raise UserError(
                f"There is no layer '{name}' to hide.{did_you_mean(name, known)} Layers: {', '.join(known)}."
            )
        if any(row.parameters or row.macs for row in same):
            raise UserError(f"'{name}' has parameters or multiply-accumulates; without it the sums would not be right.")
        found = [row for row in found if row not in same]
    return found


def _usual(found: Sequence[Row]) -> tuple[str, ...]:
    def has(name: str) -> bool:
        texts = {COLUMNS[name].text(row) for row in found}
        return bool(texts - {"", "1"})

    return tuple(name for name in USUAL if name not in OPTIONAL or has(name))


def _layout(found: Sequence[Row]) -> str:
    """Which axis of the shapes is features, where it is not always the first behind the batch; what was assumed."""
    many = [row for row in found if len(row.shape) > 1]
    last = [row for row in many if row.axes.told and row.axes.features == len(row.shape)]
    first = [row for row in many if row.axes.told and row.axes.features not in (None, len(row.shape))]
    text = ""
    if last:
        text = "Shapes without the batch, features last"
        text += " in linear layers, attention and recurrence and what follows them, first elsewhere." if first else "."
    unknown = dict.fromkeys(times(row.shape).replace("×", " × ") for row in many if not row.axes.told)
    if unknown:
        text += f" Taken as channels, then places, since no layer tells: {', '.join(list(unknown)[:4])}."
    return text.strip()


def _field(found: Sequence[Row]) -> str:
    """Of which unit the fields are; and, where units of one row differ, that they do."""
    if not any(row.receptive_field for row in found):
        return ""
    text = "Field: side of the receptive field of the layer's middle unit, on a plane without borders"
    if any(row.reads_all for row in found):
        text += " (all: the whole input, through a mean or an attention over all places)"
    phased = any(row.kind in ("transposed", "resize") or row.layer in _PHASED for row in found)
    return f"{text}; other units of a layer behind an up-sampling can have another." if phased else f"{text}."


_PHASED = ("Depth to space", "Space to depth")


def short(count: int) -> str:
    """A count in three digits: 42.7 G, 1.18 M; nothing for nothing."""
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 999.5 * size else f"{count / size:.0f} {unit}"
    return str(count) if count else ""


def _parameters(row: Row) -> str:
    return f"{row.parameters:,}" if row.parameters else "shared" if row.shared else "–"


def _batch(shapes: Sequence[tuple[int, ...]]) -> str:
    return "an input of " + " and ".join(times(shape) for shape in shapes) if shapes else "no input"
