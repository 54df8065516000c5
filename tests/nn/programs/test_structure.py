import json
from collections import OrderedDict

import pytest
import torch
from torch.utils import _pytree as pytree

from ganvas.nn.programs.structure import Structure


@pytest.mark.parametrize(
    "value",
    [1, (1, 2), [1, (2,)], {"a": 1, "pool/3": [2]}, {0: 1}, OrderedDict(b=1), ((torch.zeros(1),), {}), (), None],
)
def test_what_torch_writes_of_plain_containers_passes(value):
    assert Structure().refuses(pytree.treespec_dumps(pytree.tree_structure(value))) == ""


LEAF = {"type": None, "context": None, "children_spec": []}


@pytest.mark.parametrize(
    "node",
    [
        {"type": "collections.defaultdict", "context": {"default_factory_module": "os"}, "children_spec": []},
        {
            "type": "builtins.dict",
            "context": '[{"__enum__": true, "fqn": "os:x", "name": "y"}]',
            "children_spec": [LEAF],
        },
        {"type": "builtins.dict", "context": '["x\\n"]', "children_spec": [LEAF]},
        {"type": "builtins.dict", "context": '["a", "b"]', "children_spec": [LEAF]},
        {"type": "builtins.dict", "context": "{", "children_spec": []},
        {"type": "builtins.tuple", "context": '{"fqn": "os:x"}', "children_spec": []},
        {"type": "torch.Size", "context": "null", "children_spec": []},
        {"type": "collections.namedtuple", "context": "null", "children_spec": []},
        {"type": None, "context": None, "children_spec": [LEAF]},
        LEAF | {"other": 1},
    ],
)
def test_what_would_import_or_is_of_other_classes_is_refused(node):
    assert "tuples, lists" in Structure().refuses(json.dumps([1, node]))


@pytest.mark.parametrize("text", ["", "[]", "[2, {}]", "null", '[1, {"type"', "[" * 100_000, json.dumps([2, LEAF])])
def test_what_is_no_structure_is_refused(text):
    assert "tuples, lists" in Structure().refuses(text)


@pytest.mark.slow
def test_a_structure_without_end_is_refused():
    node = LEAF
    for _ in range(300):
        node = {"type": "builtins.list", "context": "null", "children_spec": [node]}
    assert Structure().refuses(json.dumps([1, node])) in ("", "tuples, lists and dictionaries of inputs and outputs")
