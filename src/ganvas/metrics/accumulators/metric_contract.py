"""The contract of a metric file. One file per metric; nothing else changes when one is added.

``metrics/<name>.py`` has

- a docstring: one line that says what is measured, the paper and its link, what the number means, how its standard
  error is found, and every departure from the paper;
- ``NAME`` (the file's name), ``TITLE`` (for a table), ``BETTER`` (``"lower"``, ``"higher"`` or ``"neither"``),
  ``SEES`` (``"pixels"``, or the tap of a feature network whose rows it takes: ``"features"``, ``"logits"``,
  ``"channel_logits"``, ``"spatial"``, ``"segments"``), ``MINIMUM`` (pictures on each side);
- where it takes features: ``NETWORK``, the network of its paper, and ``FIXED = True`` where another network would make
  it another metric (FD-DINOv2), so that ``--features`` does not change it;
- where it keeps pictures and shows pairs of them to a network when two sets are compared: ``SEES = "pixels"``,
  ``PAIRED = True`` and a ``NETWORK`` (LPIPS). ``compare`` then takes it: ``network=...``;
- ``EQUAL = False`` where sets of two sizes may be compared (it is taken as True where left out);
- ``ALONE = True`` where the value is of one set and needs no reference: ``compare(None, fake)`` then works too;
- ``PAIRED = True`` where picture i of one set is compared with picture i of the other
  (:mod:`ganvas.metrics.maths.pairs.paired`);
- ``NEEDS``, the package without which it cannot be computed, where it is not one of those that Ganvas needs;
- ``COST``, where it is not plain: a phrase for the catalogue ("all pairs of pictures: minutes at 50,000");
- ``Config``: a frozen, keyword-only dataclass of what changes the value, with the paper's numbers as defaults;
- ``TINY``: a ``Config`` that a test computes in milliseconds;
- ``Accumulator(Stats)``: what one set of pictures is reduced to;
- ``compare(real, fake, *, quiet=True) -> list[Result]``: a pure function of two accumulators.

The real and the generated side are two objects of one class, so a reference is accumulated once and used often.
``tests/test_metric_contract.py`` runs over every such file.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, ClassVar

import torch
import torch.distributed as dist
from torch import Tensor

from ganvas.core.config import from_plain, to_plain
from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.metrics.accumulators.row_table import RowTable

MEMORY_BYTES = 1 << 30  # Of one accumulator's tables; what comes after lies in temporary files.

Streamed = Mapping[str, Tensor | Iterable[Tensor]]  # A state whose tables may come slab by slab.


class Stats(ABC):
    """What one metric keeps of one set of pictures: sums, which add, and tables, which have rows per picture.

    Every picture has a place in its set (``index``), from which all its random choices come. So the value depends
    neither on the batch size, nor on the order in which batches arrive, nor on which rank saw them.

    A metric defines ``Config`` and :meth:`_add`, which fills ``self.sums`` (through :meth:`_sum`) and
    ``self.tables`` (through :meth:`_append`); merging, saving and reducing over ranks then need nothing more.
    """

    Config: ClassVar[type]
    shares: ClassVar[str] = ""  # Accumulators that say the same here keep the same rows, whatever their Config.
    """Set, it promises that sums and tables depend on the rows, the seed and this word alone."""

    def __init__(self, *, seed: int = 0, config: Any = None, rows_of: str = "") -> None:
        """``rows_of`` says whose rows these are, as a part of a protocol string (network, weights, resize)."""
        self.seed = seed
        self.config = self.Config() if config is None else config
        self.rows_of = rows_of
        self.reset()

    def reset(self) -> None:
        """Forgets all pictures."""
        self.shape: tuple[int, ...] | None = None  # Of one picture (c, h, w), or of one row of features.
        self.sums: dict[str, Tensor] = {}
        self.tables: dict[str, RowTable] = {"index": RowTable()}
        self._next = 0

    def begin_at(self, place: int) -> None:
        """Where the first picture stands in its set, of an empty accumulator of a part."""
        assert place % 2 == 0, "pairs (2i, 2i + 1) are not divided"
        self._next = place

    @property
    def n(self) -> int:
        """Pictures seen."""
        return self.tables["index"].count

    @torch.no_grad()
    def update(self, rows: Tensor, index: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            rows: Pictures, uint8 of shape (n, c, h, w), or features, float of shape (n, d): see ``SEES``.
            index: The place of each in its set; by default they follow the last ones seen.

        Raises:
            UserError: rows of another shape, or places that are not one for each, or taken.
        """
        if not isinstance(rows, Tensor) or rows.ndim not in (2, 4):
            what = f"shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else type(rows).__name__
            raise UserError(f"Features are a tensor (n, d), and pictures one (n, c, h, w); this is {what}.")
        rows = rows.detach().cpu()
        if self.shape is not None and tuple(rows.shape[1:]) != self.shape:
            first, then = shape_in_words(self.shape), shape_in_words(rows.shape[1:])
            raise UserError(
                f"Pictures of one set differ in size: {first} came first and {then} after. "
                "Give all of them one size (`--size`)."
            )
        if index is None:
            index = torch.arange(self._next, self._next + len(rows))
        else:
            index = index.cpu().long()
            self._require_places(index, len(rows))
        self.shape = tuple(rows.shape[1:])
        self._next = max(self._next, int(index.max()) + 1) if len(index) else self._next
        self._add(rows, index)
        self._append("index", index)

    def merge(self, other: "Stats") -> None:
        """Takes in what another accumulator has seen of the same set."""
        self._require_alike(other)
        if other.n == 0:
            return
        both = torch.cat([self.tables["index"].all().long(), other.tables["index"].all()])
        if len(both.unique()) < len(both):
            raise UserError(
                "Two accumulators to be merged hold a picture of the same place in the set. "
                "Give each batch its `index` when a set is accumulated in parts."
            )
        self.shape, self._next = other.shape, max(self._next, other._next)
        for name, value in other.sums.items():
            self._sum(name, value)
        for name, table in other.tables.items():
            for slab in table.slabs():
                self._append(name, slab)
        self._settle()

    def __add__(self, other: "Stats") -> Any:
        whole = self.from_state(self.streamed())
        whole.merge(other)
        return whole

    def adopt(self, other: "Stats") -> None:
        """Shares what another accumulator has of the same set, where both say the same ``shares``.

        Both may be compared; only one of them may go on.
        """
        self.shape, self.rows_of, self._next = other.shape, other.rows_of, other._next
        self.sums, self.tables = other.sums, other.tables

    def shift(self, by: int) -> None:
        """Moves every picture ``by`` places on, so that a set seen apart can follow another one. Pairs stay pairs."""
        assert by % 2 == 0, "an odd step parts the pairs (2i, 2i + 1)"
        for name in [name for name in self.tables if name == "index" or name.endswith("_index")]:
            moved = RowTable()
            for slab in self.tables[name].slabs():
                moved.append(slab + by)
            self.tables[name] = moved
        self._next += by

    def state(self) -> dict[str, Tensor]:
        """Everything as tensors in memory (for safetensors): :meth:`from_state` goes on from there."""
        return self.state_without_tables() | {key: table.all() for key, table in self._tables().items()}

    def streamed(self) -> dict[str, Tensor | Iterable[Tensor]]:
        """:meth:`state` with its tables as slabs, not copied, for sets that do not fit into memory."""
        return {**self.state_without_tables(), **{key: table.slabs() for key, table in self._tables().items()}}

    def state_without_tables(self) -> dict[str, Tensor]:
        """Settings and sums alone."""
        settings = {"seed": self.seed, "config": to_plain(self.config), "shape": self.shape, "next": self._next}
        settings["rows_of"] = self.rows_of
        plain = torch.frombuffer(bytearray(json.dumps(settings).encode()), dtype=torch.uint8)
        return {"settings": plain} | {f"sum.{name}": value.clone() for name, value in self.sums.items()}

    def _tables(self) -> dict[str, RowTable]:
        return {f"table.{name}": table for name, table in self.tables.items() if table.count}

    @classmethod
    def from_state(cls, state: Streamed) -> Any:
        """The accumulator that :meth:`state` or :meth:`streamed` was taken from."""
        plain = state["settings"]
        assert isinstance(plain, Tensor)
        settings = json.loads(bytes(plain.tolist()))
        config = from_plain(cls.Config, settings["config"])
        new = cls(seed=settings["seed"], config=config, rows_of=settings.get("rows_of", ""))
        new.shape = None if settings["shape"] is None else tuple(settings["shape"])
        new._next = settings["next"]
        for key, value in state.items():
            kind, _, name = key.partition(".")
            if kind == "sum" and isinstance(value, Tensor):
                new._sum(name, value)
            elif kind == "table":
                for slab in [value] if isinstance(value, Tensor) else value:
                    new._append(name, slab)
        return new

    def reduce(self, ranks: Ranks) -> None:
        """Gives every rank what all ranks have seen. Each must have been given its own pictures' ``index``."""
        if ranks.count == 1:
            return
        device = _device()
        mine = self.from_state(self.streamed())
        self.reset()
        for rank in range(ranks.count):
            self.merge(self.from_state(_broadcast(mine if rank == ranks.rank else None, rank, device)))

    @abstractmethod
    def _add(self, rows: Tensor, index: Tensor) -> None:
        """Reduces a batch to sums and rows."""

    def _settle(self) -> None:  # noqa: B027
        """Called after a merge, for what two parts only have together (the halves of a pair)."""

    def _sum(self, name: str, value: Tensor) -> None:
        self.sums[name] = self.sums[name] + value if name in self.sums else value.clone()

    def _append(self, name: str, rows: Tensor) -> None:
        held = sum(table.nbytes for table in self.tables.values())
        self.tables.setdefault(name, RowTable()).append(rows, on_disk=held >= MEMORY_BYTES)

    def _require_places(self, index: Tensor, count: int) -> None:
        """One place for each row, none of them negative or taken."""
        if index.shape != (count,):
            raise UserError(
                f"{count} rows were given with an index of shape {tuple(index.shape)}: give one place each."
            )
        if not count:
            return
        if int(index.min()) < 0:
            raise UserError(f"The index holds {int(index.min())}: places in a set count from 0.")
        taken = len(index.unique()) < count
        if not taken and int(index.min()) < self._next:  # Looked for only where it may be: most come in order.
            taken = bool(torch.isin(index, self.tables["index"].all().long()).any())
        if taken:
            raise UserError("The index holds a place twice, or one that is taken: each picture of a set has its own.")

    def _require_alike(self, other: "Stats") -> None:
        if self.seed != other.seed:
            raise UserError(
                f"Random places and directions of seed {self.seed} and of seed {other.seed} do not go together. "
                f"Make both with one seed (`--seed {self.seed}`)."
            )
        if self.config != other.config:
            raise UserError(
                f"Statistics made in two ways do not go together: {self.config} and {other.config}. "
                "Make both in one way."
            )
        if self.rows_of != other.rows_of:
            raise UserError(
                f"Features of '{self.rows_of}' and of '{other.rows_of}' do not compare. Take both from one network "
                "with the same weights and the same resize."
            )
        if None not in (self.shape, other.shape) and self.shape != other.shape:
            raise UserError(
                f"Pictures of {shape_in_words(self.shape)} and of {shape_in_words(other.shape)} do not compare. "
                "Bring both to one size and one number of channels (`--size`)."
            )


def shows_pairs(metric: ModuleType) -> bool:
    """Whether a metric keeps pictures and shows pairs of them to a network when two sets are compared."""
    return metric.SEES == "pixels" and getattr(metric, "NETWORK", None) is not None


def require_pair(real: Stats, fake: Stats, *, minimum: int, title: str, equal: bool = True) -> None:
    """Refuses two sides that do not compare: other settings, other sizes, too few pictures, and where ``equal`` is
    set, as for values that depend on the number of pictures, unlike counts.
    """
    fewest = min(real.n, fake.n)
    if fewest < minimum:
        raise UserError(f"{title} needs at least {minimum} pictures on each side and was given {fewest}.")
    real._require_alike(fake)
    if equal and real.n != fake.n:
        raise UserError(
            f"{title} compares equally many pictures and was given {real.n} real and {fake.n} generated ones. "
            f"Take {fewest} of each (of a file: make it again with `ganvas stats -n {fewest}`): the value depends on "
            "their number."
        )


def shape_in_words(shape: Any) -> str:
    """``(3, 32, 48)`` as ``32x48 pixels with 3 channels`` (height first, as everywhere here)."""
    if len(shape) != 3:
        return "x".join(map(str, shape))
    channels, height, width = shape
    return f"{height}x{width} pixels with {channels} channel{'s' if channels != 1 else ''}"


def broadcast_table(table: RowTable | None, source: int) -> list[Tensor]:
    """The slabs of a rank's table on every rank, in their order; None on the ranks that do not send it."""
    parts = {} if table is None else {"rows": list(table.slabs())}
    rows = _broadcast_parts(parts, source, _device()).get("rows", [])
    return [rows] if isinstance(rows, Tensor) else list(rows)


def _device() -> torch.device:
    """Where tensors lie that ranks send to one another."""
    return torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")


def _broadcast(stats: Stats | None, source: int, device: torch.device) -> dict[str, Tensor | Iterable[Tensor]]:
    """A rank's state on every rank."""
    parts: dict[str, list[Tensor]] = {}
    if stats is not None:
        parts = {key: [value] for key, value in stats.state_without_tables().items()}
        parts |= {key: list(table.slabs()) for key, table in stats._tables().items()}
    return _broadcast_parts(parts, source, device)


def _broadcast_parts(
    parts: Mapping[str, list[Tensor]], source: int, device: torch.device
) -> dict[str, Tensor | Iterable[Tensor]]:
    """What a rank has, on every rank: first its names, types and shapes, then tensor by tensor, tables slab by slab."""
    described: list[Any] = [{key: [(str(v.dtype)[6:], list(v.shape)) for v in slabs] for key, slabs in parts.items()}]
    dist.broadcast_object_list(described, src=source, device=device)
    whole = {}
    for key, slabs in described[0].items():
        sent = (
            _sent(parts[key][i] if parts else None, shape, dtype, source, device)
            for i, (dtype, shape) in enumerate(slabs)
        )
        whole[key] = next(sent) if len(slabs) == 1 else _table(sent)
    return whole


def _sent(value: Tensor | None, shape: list[int], dtype: str, source: int, device: torch.device) -> Tensor:
    kind = getattr(torch, dtype)
    buffer = torch.empty(shape, dtype=kind, device=device) if value is None else value.to(device)
    dist.broadcast(buffer, src=source)
    return buffer.cpu()


def _table(slabs: Iterable[Tensor]) -> Iterable[Tensor]:
    """Kept until all are there, in memory or on the disk: every rank must take part in every broadcast, in order."""
    rows = RowTable()
    for slab in slabs:
        rows.append(slab, on_disk=rows.nbytes >= MEMORY_BYTES)
    return rows.slabs()
