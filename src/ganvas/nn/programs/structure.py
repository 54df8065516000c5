"""Structures of a program's inputs and outputs: text in which torch would import any module that it names."""

import re
from typing import Literal, TypedDict

from ganvas.core.errors import UserError
from ganvas.core.files.typed_json import parse, require

KEY = re.compile(r"[\w\-./:+ ]{1,200}")
SEQUENCES = ("builtins.tuple", "builtins.list")
Kind = Literal["builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"]


class StructureNode(TypedDict):
    """A leaf, or a container with its children."""

    type: Kind | None
    context: str | None
    children_spec: "list[StructureNode]"


class _Outer(TypedDict):
    protocol: Literal[1]
    node: StructureNode


class Structure:
    """Nested tuples, lists and dictionaries with plain keys, as ``torch.utils._pytree.treespec_dumps`` writes them."""

    def refuses(self, value: str, /) -> str:
        """Empty for a structure of these alone."""
        try:
            given = parse(value, "a structure")
            pair = {"protocol": given[0], "node": given[1]} if isinstance(given, list) and len(given) == 2 else given
            fine = _plain(require(_Outer, pair, "a structure", strict=True)["node"])
        except (UserError, RecursionError):
            fine = False
        return "" if fine else "tuples, lists and dictionaries of inputs and outputs"


def _plain(node: StructureNode) -> bool:
    kind, context, children = node["type"], node["context"], node["children_spec"]
    if kind is None:
        return context is None and not children
    if kind in SEQUENCES:
        return context == "null" and all(_plain(child) for child in children)
    keys = parse(context or "", "keys")
    return (
        isinstance(keys, list)
        and len(keys) == len(children)
        and all(isinstance(key, int) or (isinstance(key, str) and KEY.fullmatch(key)) for key in keys)
        and all(_plain(child) for child in children)
    )
