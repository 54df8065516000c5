"""The source in a TorchScript file, refused where it would read or write files: the one thing beyond computing."""

import ast
import io
import tokenize
import zipfile
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.nn.programs.program_operator import FILES


def require_harmless_source(path: Path) -> None:
    """Reads every file of source in the archive, and runs nothing.

    Raises:
        UserError: one calls an operator that reads or writes files, or cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                source = archive.read(name).decode("utf-8", "replace")
                called = _file_operator(source)
                if called:
                    raise UserError(
                        f"{path} calls '{called}' ({name[:80]!a}), which reads or writes any file of this computer. "
                        "Ask its maker for one without it."
                    )


def _file_operator(source: str) -> str | None:
    """The name of an operator on files that stands in a source: as an attribute, or in the text of a ``getattr``."""
    before, text = "", ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING:
            text += str(ast.literal_eval(token.string))  # Two texts beside each other are one.
        elif token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE):
            named = token.string if before == "." else ""
            if text in FILES or named in FILES:
                return text or named
            before, text = token.string, ""
    return None
