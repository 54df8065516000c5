"""Sphinx: Markdown pages, and one page per module, made from the docstrings at every build."""

import ast
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
PACKAGE = DOCS.parent / "src" / "ganvas"

project = "Ganvas"
copyright = "the Ganvas authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "html_image"]  # Pages are plain Markdown, as hosts of code show it.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints_format = "short"
maximum_signature_line_length = 100
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
# Annotations name their type by its last word, and two modules may well have a `Trained` each. References in prose that
# lead nowhere are still errors: they are of other kinds.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = "Ganvas"
html_show_sphinx = False


def write_module_pages(app: Sphinx) -> None:
    """``docs/api/<module>.rst`` for every file that has a docstring: a new file is documented by being there."""
    pages = {"index": _heading("Library") + "\n.. toctree::\n   :maxdepth: 1\n   :glob:\n\n   ganvas.*\n"}
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.name.startswith("_") and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))):
            name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            pages[name] = _heading(name) + f"\n.. automodule:: {name}\n"
    folder = DOCS / "api"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        page = folder / f"{name}.rst"
        if not page.exists() or page.read_text(encoding="utf-8") != text:  # An untouched page is not built again.
            page.write_text(text, encoding="utf-8")


def _heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def open_lists(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """A blank line before a list that follows its heading at once: reStructuredText wants it, a reader does not."""
    for at in range(len(lines) - 1, 0, -1):
        above, item = lines[at - 1], lines[at]
        same_depth = len(above) - len(above.lstrip()) == len(item) - len(item.lstrip())
        if item.lstrip().startswith("- ") and above.strip() and same_depth and not above.lstrip().startswith("- "):
            lines.insert(at, "")


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", open_lists)
    app.connect("config-inited", lambda app, config: write_module_pages(app))
