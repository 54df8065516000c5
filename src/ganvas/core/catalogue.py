"""The catalogue, found by path: ``gan/progan`` is ``ganvas/models/gan/progan.py``. There is no registry.

Listing reads the files' docstrings and imports nothing, so that ``--help`` and ``ganvas models`` need no torch.
"""

import ast
import functools
import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ganvas.core.errors import UserError, did_you_mean

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing of the catalogue: its name, the first line of its docstring, and the first link in it."""

    name: str
    summary: str
    link: str


def entries(shelf: str) -> list[Entry]:
    """Everything under a shelf (``models``, ``metrics``, ``recipes``), by name."""
    return [_describe(name, path, path.stat().st_mtime_ns) for name, path in _files(shelf).items()]


def _files(shelf: str) -> dict[str, Path]:
    root = PACKAGE / shelf
    files = sorted(path for path in root.rglob("*.py") if not path.name.startswith("_"))
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in files}


def load(shelf: str, name: str) -> ModuleType:
    """Imports one thing of a shelf by its name; an unknown name is a :class:`UserError` with the nearest known."""
    known = list(_files(shelf))
    if name not in known:
        kind = shelf.removesuffix("s")
        raise UserError(f"There is no {kind} '{name}'.{_suggest(name, known)} `ganvas {shelf}` lists them.")
    return importlib.import_module(f"ganvas.{shelf}.{name.replace('/', '.')}")


def models_with(capability: type, *, among: Iterable[str] | None = None) -> list[str]:
    """The models that have everything that a protocol of methods and properties asks for.

    Args:
        among: Names of those that are asked, and imported; all where left out.
    """
    asked = {name for name in dir(capability) if not name.startswith("_")}
    return [
        name for name in (_files("models") if among is None else among) if asked <= set(dir(load("models", name).Model))
    ]


def few(names: list[str], *, most: int = 8) -> str:
    """Names in a sentence; of more than ``most``, the first of each family.

    >>> few(["gan/gan", "gan/dcgan", "vae/vae"]), few(["gan/gan", "gan/dcgan", "vae/vae"], most=2)
    ('gan/gan, gan/dcgan or vae/vae', 'gan/gan or vae/vae')
    """
    if len(names) > most:
        names = list({name.partition("/")[0]: name for name in reversed(names)}.values())[::-1]
    return " or ".join([part for part in (", ".join(names[:-1]), names[-1]) if part])


def functions(shelf: str, name: str) -> dict[str, str]:
    """The public functions of a module, by the name a user types (``table1-a``), with their first docstring line."""
    path = PACKAGE / shelf / f"{name}.py"
    if not path.exists():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name.replace("_", "-"): (ast.get_docstring(node) or "").partition("\n")[0]
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def preset(model: str, name: str) -> Any:
    """The recipe of a model's preset, by the name that a user types: settings of the model and of the run.

    Raises:
        UserError: the model has no such preset.
    """
    known = functions("recipes", model)
    if name not in known:
        listed = f" Presets: {', '.join(known)}." if known else f" {model} has no presets."
        raise UserError(f"There is no preset '{name}'.{did_you_mean(name, known)}{listed}")
    return vars(load("recipes", model))[name.replace("-", "_")]()


def _suggest(name: str, known: list[str]) -> str:
    """The nearest full name; a bare ``progan`` finds ``gan/progan``."""
    same_end = [full for full in known if full.rpartition("/")[2] == name.rpartition("/")[2]]
    return f" Did you mean '{same_end[0]}'?" if same_end else did_you_mean(name, known)


@functools.cache
def _describe(name: str, path: Path, changed: int) -> Entry:
    """Of a file as it was when it was last ``changed``: a listing of all models parses each of them once."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    link = re.search(r"https?://[^\s<>()`]+", text)
    summary = text.partition("\n")[0].strip()
    return Entry(name=name, summary=summary, link=link[0].rstrip(".,;") if link else "")
