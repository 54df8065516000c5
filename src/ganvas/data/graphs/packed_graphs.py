"""Packed graphs: a store whose rows are tables, with the names of the kinds of nodes and edges in its manifest.

::

    manifest.json   as of every store, with the names of kinds, the law where it is known, and how many were left out
    tables.npy      uint8, count x nodes x nodes
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.data.cached_packs import cached_pack, require_empty
from ganvas.data.graphs.graph_laws import GraphLaw
from ganvas.data.graphs.graph_source import GraphSource, MadeGraphs
from ganvas.data.graphs.graph_tables import GraphRows, GraphTable, padded
from ganvas.data.graphs.opening_graphs import KIND, open_graphs
from ganvas.data.graphs.survey_graphs import GraphSurvey, kept_graphs, size_of, survey_of
from ganvas.data.packed_store import PackedStore, are_texts
from ganvas.data.sources.locations import expanded
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint

TABLES = "tables"
BLOCK_GRAPHS = 1 << 11
Names = tuple[tuple[str, ...], tuple[str, ...]]  # Of the kinds of nodes, and of edges.


class PackedGraphs(PackedStore):
    """A packed folder of graphs, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.node_names: tuple[str, ...] = tuple(self.manifest["node_names"])
        self.edge_names: tuple[str, ...] = tuple(self.manifest["edge_names"])

    @property
    def size(self) -> GraphSize:
        """That every graph has."""
        nodes = self.store.columns[TABLES].row_shape[0]
        return GraphSize(nodes=nodes, node_kinds=len(self.node_names), edge_kinds=len(self.edge_names))

    @property
    def law(self) -> GraphLaw | None:
        """What drew the graphs, where that is known."""
        law = self.manifest.get("law")
        return None if law is None else MadeGraphs(f"graphs:{law}").made

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> GraphRows:
        """Graphs by index, in the order asked."""
        return self.store.read(TABLES, indices)

    def content(self) -> str:
        """Also of the names: the same numbers are other graphs where they stand for other kinds."""
        return _with_names(super().content(), (self.node_names, self.edge_names))

    @staticmethod
    def damage(store: Store) -> str | None:
        """The first of the columns, and of what is read from the manifest, that is not one of graphs."""
        tables, manifest = store.columns.get(TABLES), store.manifest
        shape = None if tables is None else tables.row_shape
        problems = {
            "tables": tables is None or tables.dtype != np.dtype("|u1") or shape is None or len(set(shape)) != 1,
            "columns": set(store.columns) != {TABLES} or shape is None or len(shape) != 2,
            "node_names": not are_texts(manifest.get("node_names")) or not manifest.get("node_names"),
            "edge_names": not are_texts(manifest.get("edge_names")) or not manifest.get("edge_names"),
            "left_out": not isinstance(manifest.get("left_out"), dict),
            "law": not _is_law(manifest.get("law")),
        }
        return next((name for name, wrong in problems.items() if wrong), None)


class PackedGraphRows(GraphSource):
    """A packed folder as a source, each graph without the rows that it does not use."""

    kind = "packed"

    def __init__(self, path: Path, *, location: str) -> None:
        self.location, self.pack = location, PackedGraphs.open(path)
        self.node_names, self.edge_names = self.pack.node_names, self.pack.edge_names
        self.law = self.pack.manifest.get("law")

    def graphs(self) -> Iterator[GraphTable]:
        for start in range(0, len(self.pack), BLOCK_GRAPHS):
            for table in self.pack.read(slice(start, min(start + BLOCK_GRAPHS, len(self.pack)))):
                there = np.flatnonzero(np.diagonal(table))
                yield table[np.ix_(there, there)]

    def identity(self) -> str:
        return f"packed:{self.pack.fingerprint}"


def graph_source_of(spec: str) -> GraphSource:
    """The source of graphs that ``spec`` names, a packed folder being one."""
    return PackedGraphRows(expanded(spec), location=spec) if PackedGraphs.lies_at(spec) else open_graphs(spec)


def survey_graphs(spec: str, *, broken: str = "refuse") -> GraphSurvey:
    """What the source of graphs that ``spec`` names holds, read once for all that is asked of it.

    Raises:
        UserError: a graph of it cannot be had, or there is none.
    """
    return _survey(spec, graph_source_of(spec).identity(), broken)


@lru_cache(maxsize=4)
def _survey(spec: str, identity: str, broken: str) -> GraphSurvey:
    del identity  # Other graphs in the same place are surveyed anew.
    return survey_of(graph_source_of(spec), broken=broken)


def prepare_graphs(
    spec: str,
    *,
    nodes: int | None = None,
    names: Names | None = None,
    broken: str = "refuse",
    cache: Path | None = None,
    quiet: bool = False,
) -> PackedGraphs:
    """The graphs of a source as tables, packed once and kept.

    Args:
        spec: The source, as :func:`~ganvas.data.graphs.opening_graphs.open_graphs` takes it, or a packed folder.
        nodes: Of a table; larger graphs are left out and counted. None holds the largest.
        names: Kinds of another source, by which this one is to be numbered; None is those that occur.
        broken: Whether a graph that cannot be had is refused, or left out ("skip").
        cache: Where packs are kept; None is the user's cache folder.
        quiet: Nothing is said of waiting for another process.

    Raises:
        UserError: nothing is there, a graph cannot be had, or none is left.
    """
    source = graph_source_of(spec)
    return cached_pack(
        hash_of(KIND, VERSION, source.identity(), nodes, names, broken)[:32],
        open_pack=lambda folder: PackedGraphs.open_verified(folder, cache=cache),
        write=lambda folder: _write(source, survey_graphs(spec, broken=broken), folder, nodes, names, broken),
        cache=cache,
        quiet=quiet,
    )


def pack_graphs(spec: str, out: Path, *, broken: str = "refuse") -> PackedGraphs:
    """Packs a source of graphs into the folder ``out``, which must not be there yet."""
    require_empty(out)
    with atomic_folder(out) as partial:
        _write(graph_source_of(spec), survey_graphs(spec, broken=broken), partial, None, None, broken)
    return PackedGraphs.open(out)


def _write(
    source: GraphSource, found: GraphSurvey, folder: Path, nodes: int | None, names: Names | None, broken: str
) -> None:
    size = size_of(found, nodes=nodes)
    used = names or (tuple(found.nodes), tuple(found.bonds) or source.edge_names[:1])
    change, left = _Renumbering(source, used), Counter[str]()
    writer = StoreWriter(folder, KIND)
    try:
        for graphs in _blocks(kept_graphs(source, broken=broken, left_out=left, nodes=nodes or size.nodes)):
            tables = np.concatenate([padded(graph[None], nodes or size.nodes) for graph in graphs])
            writer.append({TABLES: change(tables)})
        columns = writer.finish_columns()
    finally:
        writer.close()
    if not writer.count:
        raise UserError(f"{source.location}: every graph has more than {nodes} nodes. Allow more, or name others.")
    more = {
        "node_names": list(used[0]),
        "edge_names": list(used[1]),
        "left_out": dict(left),
        "law": source.law,
        "source": {"kind": source.kind, "name": Path(source.location).name},
    }
    content = content_fingerprint(KIND, writer.count, columns)
    writer.write_manifest(columns, fingerprint=_with_names(content, used), more=more)


class _Renumbering:
    """Tables by the numbers that a source has for its kinds, to tables by those of some names."""

    def __init__(self, source: GraphSource, names: Names) -> None:
        self.location = source.location
        self.of_nodes = _numbers(source.node_names, names[0])
        self.of_edges = _numbers(source.edge_names, names[1])

    def __call__(self, tables: GraphRows) -> GraphRows:
        diagonal = np.eye(tables.shape[1], dtype=bool)
        given = np.where(diagonal, self.of_nodes[tables], self.of_edges[tables])
        if (given < 0).any():
            raise UserError(f"{self.location} has kinds of node or edge that the graphs of the run have not.")
        return given.astype(np.uint8)


def _numbers(given: Sequence[str], wanted: Sequence[str]) -> Int[np.ndarray, " k"]:
    """The new number of each old one, 0 of 0; -1 for what is not wanted."""
    known: Mapping[str, int] = {name: number for number, name in enumerate(wanted, 1)}
    table = [0, *(known.get(name, -1) for name in given)]
    return np.array(table + [-1] * (256 - len(table)), np.int64)


def _blocks(graphs: Iterable[GraphTable]) -> Iterator[list[GraphTable]]:
    left = iter(graphs)
    while block := list(islice(left, BLOCK_GRAPHS)):
        yield block


def _with_names(content: str, names: Names) -> str:
    return "sha256:" + hash_of(content, list(names[0]), list(names[1]))


def _is_law(spelled: object) -> bool:
    """Whether a manifest names a law, or none."""
    if spelled is None:
        return True
    try:
        return isinstance(spelled, str) and bool(MadeGraphs(f"graphs:{spelled}").made)
    except UserError:
        return False
