"""Sources of graphs: laws that draw them, files of edges, and what a source of either kind promises."""

import abc
import re
from collections.abc import Iterator
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.cache import hash_file
from ganvas.data.graphs.graph_laws import LAWS, law_of_graphs
from ganvas.data.graphs.graph_tables import GraphTable, table_of
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.sources.spelled_words import told_once
from ganvas.data.text.text_source import TextFile, TextSource

COUNT = 10_000  # Graphs that a law draws where a person names no number.
MOST_NODES = 128  # Of a graph: a table has as many numbers as the square of it.
CODE = ("graph_laws.py", "graph_tables.py", "isomorphism.py")  # What draws.


class GraphSource(abc.ABC):
    """Graphs in a fixed order. A graph that cannot be had is a :class:`BadGraph` in its place."""

    kind: str  # "law", "edges", "molecules", "packed"
    location: str  # As the user wrote it.
    node_names: tuple[str, ...] = ("node",)  # All kinds of node that there can be.
    edge_names: tuple[str, ...] = ("edge",)
    law: str | None = None  # What draws them, where that is known, as :func:`law_of_source` reads it.

    @abc.abstractmethod
    def graphs(self) -> Iterator["GraphTable | BadGraph"]:
        """Every graph once, in a table of its own size."""

    @abc.abstractmethod
    def identity(self) -> str:
        """Changes when the graphs may have changed."""


class BadGraph:
    """A graph that cannot be had.

    Args:
        where: File and line.
        why: What is wrong with it.
        lenient: Whether it is left out and counted even where broken ones are refused.
    """

    def __init__(self, where: str, why: str, *, lenient: bool = False) -> None:
        self.where, self.why, self.lenient = where, why, lenient

    def refusal(self) -> UserError:
        """What a person is told."""
        return UserError(f"{self.where}: {self.why} Mend it, or leave such graphs out with --broken skip.")


class MadeGraphs(GraphSource):
    """``graphs:LAW[,COUNT][,nodes=N][,p=P][,seed=S]``, such as ``graphs:er,2000,nodes=12,p=0.3``."""

    kind = "law"

    def __init__(self, spec: str) -> None:
        self.location = spec
        name, *words = spec.removeprefix("graphs").removeprefix(":").split(",")
        if name not in LAWS:
            listed = ", ".join(f"graphs:{law}" for law in LAWS)
            said = f"there is no law '{name}'" if name else "which graphs is not said"
            raise UserError(f"{spec}: {said}.{did_you_mean(name, LAWS) if name else ''} Known: {listed}.")
        self.count, self.seed, options = COUNT, 0, dict[str, str]()
        for word in told_once(spec, words):
            if re.fullmatch(r"0*[1-9]\d{0,8}", word):
                self.count = int(word)
            elif match := re.fullmatch(r"seed=(\d{1,18})", word):
                self.seed = int(match[1])
            else:
                options |= _option(spec, name, word)
        self.made = law_of_graphs(name, {key: float(value) for key, value in options.items()})
        self.node_names = self.made.node_names
        self.edge_names = ("single",) if name == "alkanes" else self.edge_names
        self.law = ",".join([name, *(f"{key}={value}" for key, value in sorted(options.items()))])

    def graphs(self) -> Iterator[GraphTable]:
        return self.made.drawn(self.count, seed=self.seed)

    def identity(self) -> str:
        """With a hash of the code that draws."""
        code = [hash_file(Path(__file__).with_name(name)) for name in CODE]
        return "graphs:" + hash_of(self.law, self.count, self.seed, code)


class EdgeLists(GraphSource):
    """A file of edges: two names of nodes a line, one name for a node alone; a blank line begins the next graph.

    What follows ``#`` or ``%`` is a comment. An edge counts once however often it is named. Names are any words; they
    mean something within one graph alone.
    """

    kind = "edges"

    def __init__(self, path: Path, *, location: str) -> None:
        self.text: TextSource = TextFile(path, location=location)
        self.location = location

    def graphs(self) -> Iterator[GraphTable | BadGraph]:
        part: list[tuple[int, list[str]]] = []
        for number, line in enumerate(self.text.lines(), 1):
            words = re.split(r"[#%]", line)[0].replace(",", " ").split()
            if words:
                part.append((number, words))
            elif part and not line.strip():
                yield self._graph(part)
                part = []
        if part:
            yield self._graph(part)

    def identity(self) -> str:
        return f"edges:{self.text.identity()}"

    def _graph(self, lines: list[tuple[int, list[str]]]) -> GraphTable | BadGraph:
        numbers: dict[str, int] = {}
        edges = []
        for line, words in lines:
            where = f"{self.location}, line {line}"
            if len(words) > 2:
                return BadGraph(where, f"'{' '.join(words)}' has {len(words)} words, and an edge joins two nodes.")
            ends = [numbers.setdefault(word, len(numbers)) for word in words]
            if len(ends) == 2 and ends[0] == ends[1]:
                return BadGraph(where, f"the edge joins {words[0]} to itself, which no table of a graph holds.")
            edges += [(ends[0], ends[1])] if len(ends) == 2 else []
        if len(numbers) > MOST_NODES:
            return too_large(f"{self.location}, line {lines[0][0]}", len(numbers))
        return table_of(len(numbers), edges)


def too_large(where: str, nodes: int) -> BadGraph:
    """A graph that no table holds."""
    return BadGraph(where, f"the graph has {nodes:,} nodes, and at most {MOST_NODES} are learnt as one.")


def _option(spec: str, name: str, word: str) -> dict[str, str]:
    """A setting of a law, as it is written."""
    key, _, value = word.partition("=")
    known = ("nodes", "p") if name == "er" else ("nodes",)
    number = r"\d{1,4}" if key == "nodes" else r"\d*\.?\d+"
    if key not in known or not re.fullmatch(number, value):
        listed = ", ".join(f"{option}=NUMBER" for option in known)
        raise UserError(
            f"{spec}: '{word}' is not understood. Write graphs:{name},COUNT,{listed},seed=N; all but the name may be "
            "left out."
        )
    return {key: value}
