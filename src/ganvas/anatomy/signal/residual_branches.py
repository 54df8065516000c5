"""Residual branches, found in a network's graph, and Fixup's factors for the layers within.

Zhang et al. 2019, Fixup Initialization: Residual Learning Without Normalization. https://arxiv.org/abs/1901.09321
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.anatomy.trace.graph import Node

WEIGHTED = ("conv", "linear")


@dataclass(frozen=True, kw_only=True)
class Branch:
    """What is added to a shortcut: from the operation where both part to their sum."""

    fork: int
    sum: int
    layers: tuple[int, ...]  # With weights, in order of execution.


def branches(nodes: Sequence[Node]) -> tuple[Branch, ...]:
    """All residual branches. Of the two sides of a sum the branch is the one with more layers; alike, it is none."""
    before: list[set[int]] = []
    found = []
    for node in nodes:
        before.append({node.index}.union(*(before[i] for i in node.inputs)))
        if node.op != "add" or len(set(node.inputs)) != 2:
            continue
        a, b = (before[i] for i in node.inputs)
        common = a & b
        if not common:
            continue
        fork = max(common)
        sides = [sorted(i for i in side - before[fork] if _weighted(nodes[i])) for side in (a, b)]
        longer = max(sides, key=len)
        if len(sides[0]) != len(sides[1]):
            found.append(Branch(fork=fork, sum=node.index, layers=tuple(longer)))
    return tuple(found)


def fixup_factors(nodes: Sequence[Node]) -> dict[int, float]:
    """By what He's deviation is multiplied, for the layers that differ (section 3, steps 1 and 2); empty without any.

    In each of L branches of m layers the first m - 1 are scaled by ``L^(-1 / (2m - 2))``; the last is 0, and so is the
    network's last layer, if it is a linear one. A layer of nested branches belongs to the shortest.
    """
    found = branches(nodes)
    factors: dict[int, float] = {}
    for branch in sorted(found, key=lambda branch: -len(branch.layers)):
        *inner, last = branch.layers
        factors |= {index: len(found) ** (-1 / (2 * len(inner))) for index in inner}
        factors[last] = 0.0
    if factors:
        last = max(node.index for node in nodes if _weighted(node))
        if nodes[last].op == "linear":
            factors[last] = 0.0
    return factors


def _weighted(node: Node) -> bool:
    return node.op.startswith(WEIGHTED)
