"""No file imports one that, by whatever way, imports it: at the top, inside a function, or for its types alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules_of(folder):
    """Every module below a folder by its dotted name."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(module, path):
    """The dotted names that a file may import, wherever the statement stands in it."""
    names = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            start = ".".join([*above, *([node.module] if node.module else [])])
            names |= {start} | {f"{start}.{alias.name}" for alias in node.names}
    return names


def graph_of(modules):
    """By module, the modules among these that it imports."""
    return {name: (imported(name, path) & modules.keys()) - {name} for name, path in modules.items()}


def circles(graph):
    """Sets of modules each of which reaches all others (Tarjan 1972, Depth-first search)."""
    number, lowest, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in number:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == number[node]:
            whole = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(whole) > 1:
                found.append(sorted(whole))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


@pytest.mark.parametrize("folder", ["src", "benchmarks", "scripts"])
def test_no_module_imports_itself_by_a_detour(folder):
    modules = modules_of(ROOT / folder)
    assert modules
    assert circles(graph_of(modules)) == []


def test_circles_are_seen_in_functions_and_in_types_and_a_fork_is_none(tmp_path):
    (tmp_path / "room").mkdir()
    files = {
        "room/__init__.py": "",
        "room/top.py": "from room import left\nimport room.right\n",
        "room/left.py": "from room.bottom import x\n",
        "room/right.py": "def f():\n    from .bottom import x\n",
        "room/bottom.py": "x = 1\n",
        "room/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.b import B\n",
        "room/b.py": "def f():\n    from . import c\n",
        "room/c.py": "import room.a\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert circles(graph_of(modules_of(tmp_path))) == [["room.a", "room.b", "room.c"]]


def test_two_circles_that_share_no_file_are_two():
    graph = {"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"e"}, "e": {"c"}, "f": {"a"}}
    assert sorted(circles(graph)) == [["a", "b"], ["c", "d", "e"]]
