"""Names of sources as a person writes them: paths with ``~`` and ``::``, and the built-in sets."""

import re
from pathlib import Path

from ganvas.core.errors import UserError

SEPARATOR = "::"
FETCHED = "fetched:"
MOLECULES = "molecules:"  # Before a file of SMILES, which otherwise is a text.
BUILT_IN = {  # Sets that are made on the spot, and a form of their name that no file or folder has.
    "scenes": "scenes:20000",
    "street": "street:5000",
    "triangles": "triangles:20000",
    "mixtures": "mixtures:grid25",
    "notes": "notes:12000",
    "pydoc": "pydoc:yield",
    "oracle": "oracle:200",
    "graphs": "graphs:trees",
}


def expanded(path: str) -> Path:
    """The path with ``~`` as the home folder.

    Raises:
        UserError: there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UserError(
            f"{path}: there is no such home folder. Write the whole path, as in /home/name/photos."
        ) from None


def built_in(spec: str) -> str | None:
    """The built-in set that ``spec`` names, or None.

    Raises:
        UserError: a file or folder of exactly that name is there, so that either could be meant.
    """
    name = spec.partition(":")[0]
    if name not in BUILT_IN or not re.fullmatch(rf"{name}(:.*)?", spec):
        return None
    if Path(spec).exists():
        raise UserError(
            f"'{spec}' is the name of a built-in set, and of a file or folder that is there. "
            f"Write ./{spec} for yours, or {BUILT_IN[name]} for the built-in one."
        )
    return name


def stacked_of(spec: str) -> str | None:
    """The source whose pictures ``stacked[,COUNT][,seed=N]:SRC`` stacks; None where ``spec`` is not written so."""
    match = re.fullmatch(r"stacked(?:,[^:]*)?:(.+)", spec)
    return match[1] if match else None


def split_part(spec: str) -> tuple[str, str]:
    """Path and selected part of ``PATH::PART``; a path that has ``::`` in it itself is known by being there."""
    places = [match.start() for match in re.finditer(SEPARATOR, spec)]
    if not places or expanded(spec).exists():
        return spec, ""
    there = (place for place in reversed(places) if expanded(spec[:place]).exists())
    place = next(there, places[0])
    return spec[:place], spec[place + len(SEPARATOR) :].strip()


def lasting_name(spec: str) -> str:
    """The same source in words that mean the same from another folder; built-in and fetched sets as they are."""
    if spec.startswith(FETCHED) or built_in(spec):
        return spec
    if single := stacked_of(spec):
        return spec.removesuffix(single) + lasting_name(single)
    if spec.startswith(MOLECULES):
        return MOLECULES + lasting_name(spec.removeprefix(MOLECULES))
    path, selected = split_part(spec)
    found = expanded(path)
    if not found.exists():
        return str(found.absolute()) if "{" in path else spec  # Braces stand for many files.
    return f"{found.resolve()}{SEPARATOR}{selected}" if selected else str(found.resolve())


def refuse_out_inside(spec: str, out: Path) -> None:
    """Refuses a run inside the folder of its own data: its sheets would be taken for pictures of the set.

    Raises:
        UserError: ``out`` is the folder that ``spec`` names, or lies below it.
    """
    if spec.startswith(FETCHED) or built_in(spec):
        return
    if single := stacked_of(spec):
        refuse_out_inside(single, out)
        return
    folder = expanded(split_part(spec)[0])
    if folder.is_dir() and out.expanduser().resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{out} lies inside {folder}, the folder of the pictures. Choose a place outside, so that what is written "
            "there is never taken for pictures of the set."
        )
