"""Laws of graphs that are known: random trees, alkanes, Erdős-Rényi graphs, and two communities.

::

    trees         uniform among the labelled trees of some nodes, by Pruefer sequences: v^(v-2) of them
    alkanes       carbon skeletons of one size, every isomer equally often: 1 1 1 2 3 5 9 18 35 up to nonane
    er            every pair of nodes joined with probability p (Gilbert 1959)
    communities   two groups of 6 to 10 nodes, pairs within joined with .7, pairs between with .05

Of trees and alkanes the probability of every class of isomorphism is known exactly. The communities of each graph are
drawn anew.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.data.graphs.graph_tables import AnyRows, Edge, GraphTable, adjacency_of, is_tree, sizes_of, table_of
from ganvas.data.graphs.isomorphism import isomorphism_keys

MOST_ENUMERATED = 12  # Nodes of trees whose classes are listed: 551 classes, 355 alkanes.
VALENCE_OF_CARBON = 4
GROUP, WITHIN, BETWEEN = (6, 10), 0.7, 0.05


@dataclass(frozen=True, kw_only=True)
class GraphLaw(ABC):
    """A law that graphs are drawn from."""

    name: ClassVar[str]
    node_names: ClassVar[tuple[str, ...]] = ("node",)
    nodes: int

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> GraphTable:
        """One graph in a table of :attr:`nodes` rows."""

    def allows(self, tables: AnyRows) -> Bool[np.ndarray, " n"] | None:
        """Which graphs the law can draw; None where it can draw any."""
        return None

    def classes(self) -> Mapping[int, float] | None:
        """The probability of each class of isomorphism by its key; None where they are too many to be listed."""
        return None

    def drawn(self, count: int, *, seed: int) -> Iterator[GraphTable]:
        """``count`` graphs, a function of the seed."""
        rng = np.random.default_rng(derive_seed(seed, "graphs", self.name, self.nodes))
        return (self.draw(rng) for _ in range(count))


@dataclass(frozen=True, kw_only=True)
class Trees(GraphLaw):
    """Labelled trees, all equally likely."""

    name: ClassVar[str] = "trees"
    nodes: int = 6

    def draw(self, rng: np.random.Generator) -> GraphTable:
        return table_of(self.nodes, pruefer_tree(rng.integers(self.nodes, size=self.nodes - 2).tolist()))

    def allows(self, tables: AnyRows) -> Bool[np.ndarray, " n"]:
        return is_tree(tables) & (sizes_of(tables) == self.nodes)

    def classes(self) -> Mapping[int, float] | None:
        """Labellings of each, ``v! / |Aut|``, over ``v^(v-2)`` (Cayley 1889)."""
        if self.nodes > MOST_ENUMERATED:
            return None
        labelled = math.factorial(self.nodes) / self.nodes ** (self.nodes - 2)
        return {key: labelled / symmetries(tree) for key, tree in free_trees(self.nodes, self.nodes).items()}


@dataclass(frozen=True, kw_only=True)
class Alkanes(GraphLaw):
    """Trees of carbon atoms with at most four neighbours, all isomers equally likely, nodes in random order."""

    name: ClassVar[str] = "alkanes"
    node_names: ClassVar[tuple[str, ...]] = ("C",)
    nodes: int = 9

    def draw(self, rng: np.random.Generator) -> GraphTable:
        isomers = list(free_trees(self.nodes, VALENCE_OF_CARBON).values())
        order = rng.permutation(self.nodes)
        return isomers[rng.integers(len(isomers))][np.ix_(order, order)]

    def allows(self, tables: AnyRows) -> Bool[np.ndarray, " n"]:
        few = adjacency_of(tables).sum(2).max(1) <= VALENCE_OF_CARBON
        return is_tree(tables) & (sizes_of(tables) == self.nodes) & few

    def classes(self) -> Mapping[int, float]:
        isomers = free_trees(self.nodes, VALENCE_OF_CARBON)
        return dict.fromkeys(isomers, 1 / len(isomers))


@dataclass(frozen=True, kw_only=True)
class ErdosRenyi(GraphLaw):
    """Every pair of nodes is joined with probability ``p``, independently."""

    name: ClassVar[str] = "er"
    nodes: int = 16
    p: float = 0.2

    def draw(self, rng: np.random.Generator) -> GraphTable:
        pairs = list(combinations(range(self.nodes), 2))
        chosen = rng.random(len(pairs)) < self.p
        return table_of(self.nodes, [pair for pair, one in zip(pairs, chosen, strict=True) if one])


@dataclass(frozen=True, kw_only=True)
class Communities(GraphLaw):
    """Two groups of nodes, dense within and hardly joined between."""

    name: ClassVar[str] = "communities"
    nodes: int = 2 * GROUP[1]

    def draw(self, rng: np.random.Generator) -> GraphTable:
        first, second = rng.integers(GROUP[0], min(GROUP[1], self.nodes // 2) + 1, size=2).tolist()
        pairs = list(combinations(range(first + second), 2))
        share = [WITHIN if (a < first) == (b < first) else BETWEEN for a, b in pairs]
        chosen = rng.random(len(pairs)) < share
        joined = [pair for pair, one in zip(pairs, chosen, strict=True) if one]
        return table_of(first + second, joined, most=self.nodes)


LAWS: dict[str, type[GraphLaw]] = {law.name: law for law in (Trees, Alkanes, ErdosRenyi, Communities)}


def pruefer_tree(sequence: list[int]) -> list[Edge]:
    """The edges of the labelled tree of a Pruefer sequence (Pruefer 1918): one tree for each of the v^(v-2).

    >>> pruefer_tree([3, 3])
    [(0, 3), (1, 3), (2, 3)]
    """
    nodes = len(sequence) + 2
    degree = [1 + sequence.count(node) for node in range(nodes)]
    edges = []
    for node in sequence:
        leaf = degree.index(1)
        edges.append((leaf, node))
        degree[leaf], degree[node] = 0, degree[node] - 1
    first, second = (node for node in range(nodes) if degree[node] == 1)
    return [*edges, (first, second)]


@cache
def free_trees(nodes: int, most_neighbours: int) -> dict[int, GraphTable]:
    """One tree of each class of isomorphism by its key, grown leaf by leaf."""
    if nodes == 1:
        return _by_key([table_of(1, [])])
    grown = []
    for tree in free_trees(nodes - 1, most_neighbours).values():
        for place in np.flatnonzero(adjacency_of(tree[None])[0].sum(1) < most_neighbours):
            larger = np.pad(tree, (0, 1))
            larger[-1, -1] = larger[place, -1] = larger[-1, place] = 1
            grown.append(larger)
    return _by_key(grown)


def _by_key(tables: list[GraphTable]) -> dict[int, GraphTable]:
    keys = isomorphism_keys(np.stack(tables)).tolist()
    return dict(sorted(zip(keys, tables, strict=True), key=lambda item: item[0]))


def symmetries(tree: GraphTable) -> int:
    """How many permutations of its nodes leave a tree as it is (Jordan 1869): those that keep its middle.

    >>> symmetries(table_of(4, [(0, 1), (0, 2), (0, 3)])), symmetries(table_of(4, [(0, 1), (1, 2), (2, 3)]))
    (6, 2)
    """
    neighbours = [np.flatnonzero(row).tolist() for row in adjacency_of(tree[None])[0]]
    middle = _middle(neighbours)
    if len(middle) == 1:
        return _rooted(neighbours, middle[0], -1)[1]
    (one, ways), (other, ways_of_other) = (_rooted(neighbours, a, b) for a, b in (middle, middle[::-1]))
    return ways * ways_of_other * (2 if one == other else 1)


def _rooted(neighbours: list[list[int]], node: int, parent: int) -> tuple[str, int]:
    """How a branch is spelled whatever the order of its own branches, and its symmetries."""
    below = sorted(_rooted(neighbours, child, node) for child in neighbours[node] if child != parent)
    words = [word for word, _ in below]
    same = math.prod(math.factorial(words.count(word)) for word in set(words))
    return f"({''.join(words)})", same * math.prod(ways for _, ways in below)


def _middle(neighbours: list[list[int]]) -> list[int]:
    """The one or two nodes that are left when leaves are taken away layer by layer."""
    left, degree = set(range(len(neighbours))), [len(some) for some in neighbours]
    while len(left) > 2:
        leaves = {node for node in left if degree[node] == 1}
        left -= leaves
        for leaf in leaves:
            for node in neighbours[leaf]:
                degree[node] -= 1
    return sorted(left)


def law_of_graphs(name: str, options: Mapping[str, float]) -> GraphLaw:
    """The law of a name.

    Raises:
        UserError: there is none, it has no such option, or it cannot be of that size.
    """
    settings: dict[str, Any] = {key: value if key == "p" else int(value) for key, value in options.items()}
    made = LAWS[name](**settings)
    least = {"trees": 3, "alkanes": 1, "communities": 2 * GROUP[0]}.get(name, 2)
    most = {"alkanes": MOST_ENUMERATED, "communities": 2 * GROUP[1]}.get(name, 64)
    if not least <= made.nodes <= most:
        raise UserError(f"graphs:{name} with nodes={made.nodes} cannot be made. It has from {least} to {most} nodes.")
    if isinstance(made, ErdosRenyi) and not 0 <= made.p <= 1:
        raise UserError(f"graphs:er with p={made.p:g}: a probability is from 0 to 1.")
    return made
