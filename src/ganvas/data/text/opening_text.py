"""Opening of the source of text that a person names after ``--data``.

::

    names.txt, names.txt.xz                any file of text in UTF-8, a sample a line
    pydoc, pydoc:yield                     the help texts of Python, a sample a sentence; one topic of them
    oracle:200, oracle:200,5000,seed=3     lines that a recurrent network with random weights draws
    packed/                                what `ganvas data pack` made of text

``SRC::train`` is nine lines of ten, ``SRC::held-out`` the tenth.
"""

import re
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.sources.locations import expanded, split_part
from ganvas.data.store import kind_of
from ganvas.data.text.text_source import COMPRESSED, PARTS, PartOfText, PydocTopics, TextFile, TextSource

KIND = "text"
ENDINGS = (".txt", ".text", ".smi", ".lines")
BUILT_IN = r"(pydoc|oracle)(:[^:].*)?"


def is_text(spec: str) -> bool:
    """Whether a source is one of text by its name; a model of text takes any other file that can be read as one."""
    path, _ = split_part(spec)
    if re.fullmatch(BUILT_IN, path):
        return not Path(path).exists()
    found = expanded(path)
    if found.is_dir():
        return kind_of(found) == KIND
    inner = found.with_suffix("") if found.suffix.lower() in COMPRESSED else found
    return inner.suffix.lower() in ENDINGS and found.is_file()


def open_text(spec: str) -> TextSource:
    """The source of text that ``spec`` names (this module's docstring lists the forms).

    Raises:
        UserError: nothing is there, or it cannot be a file of text.
    """
    path, part = split_part(spec)
    whole = _open_whole(path)
    if not part:
        return whole
    if part not in PARTS:
        raise UserError(f"{spec}: text has no part '{part}'.{did_you_mean(part, PARTS)} Parts: {', '.join(PARTS)}.")
    return PartOfText(whole, part, location=spec)


def _open_whole(path: str) -> TextSource:
    if re.fullmatch(BUILT_IN, path) and not Path(path).exists():
        if path.startswith("oracle"):
            from ganvas.data.text.oracle import OracleLines  # Its seeds import torch.

            return OracleLines(path)
        return PydocTopics(path)
    found = expanded(path)
    if not found.exists():
        beside = [entry.name for entry in found.parent.iterdir()] if found.parent.is_dir() else []
        near = did_you_mean(found.name, [*beside, "pydoc"])
        raise UserError(f"There is no file {found}.{near or ' Check the path, or use pydoc.'}")
    if not found.is_file():
        raise UserError(f"{path} is a folder, and text is read from one file, a sample a line. Name the file.")
    return TextFile(found, location=path)
