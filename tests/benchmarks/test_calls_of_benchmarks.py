"""Benchmarks are run seldom: their calls of the package's functions are held against what these take, as written."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_benchmarks_call_the_package_as_it_is():
    misfits = [said for path in sorted((ROOT / "benchmarks").rglob("*.py")) for said in misfits_of(path)]
    assert not misfits, "\n".join(misfits)


def misfits_of(path: Path) -> Iterator[str]:
    """Calls of functions that a file imports from the package, whose arguments these do not take."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.asname or name.name: functions_of(statement.module or "").get(name.name)
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("ganvas.")
        for name in statement.names
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        taken = imported.get(call.func.id)
        if taken is not None and not fits(call, taken):
            yield f"{path.name}:{call.lineno}: {ast.unparse(call)} does not fit ({ast.unparse(taken)})"


@cache
def functions_of(module: str) -> dict[str, ast.arguments]:
    """What the functions of a module take."""
    path = ROOT / "src" / Path(*module.split(".")).with_suffix(".py")
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else []
    return {one.name: one.args for one in body if isinstance(one, ast.FunctionDef)}


def fits(call: ast.Call, taken: ast.arguments) -> bool:
    """Whether a function takes the arguments, as far as they are written out."""
    names = [one.arg for one in (*taken.posonlyargs, *taken.args)]
    keywords = {keyword.arg for keyword in call.keywords if keyword.arg}
    known = keywords <= {*names, *(one.arg for one in taken.kwonlyargs)} or taken.kwarg is not None
    starred = any(isinstance(one, ast.Starred) for one in call.args) or len(keywords) < len(call.keywords)
    few_enough = len(call.args) <= len(names) or taken.vararg is not None
    needed = names[len(call.args) : len(names) - len(taken.defaults)]
    needed += [one.arg for one, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if default is None]
    return known and few_enough and (starred or set(needed) <= keywords)
