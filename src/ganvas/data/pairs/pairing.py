"""Pairs of two sources: which picture of the one belongs to which of the other.

Files belong together by their names, without endings and relative to their sources: ``photos/a/1.jpg`` and
``masks/a/1.png``. Pictures without names (arrays, what is made on the spot) belong together by their places.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.fitting import Size, written
from ganvas.data.pictures import read_header
from ganvas.data.sources.named_pictures import NamedPictures
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import PictureFiles

NAMED = 3  # Names that an error lists.


def stem_of(name: str, selected: str = "") -> str:
    """What a file is paired by: its name below the part that was taken, without its ending.

    >>> stem_of("photos/a/1.jpg", "photos")
    'a/1'
    """
    below = name.removeprefix(f"{selected}/") if selected else name
    return PurePosixPath(below).with_suffix("").as_posix()


def selected_of(spec: str) -> str:
    """The part of a source that ``SRC::part`` takes, as its names begin with; "" where all is taken."""
    source = open_source(spec)
    return source.selected if isinstance(source, NamedPictures) else ""


def matched_rows(
    first: Sequence[str], second: Sequence[str], *, specs: tuple[str, str], may_lack: frozenset[str] = frozenset()
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Rows of both sources that belong together, by the stems of their files.

    Args:
        first: A stem per row of the first source.
        second: The same of the second.
        specs: The sources as a person named them, for messages.
        may_lack: Stems that may be without a partner, since their partner is broken and is left out.

    Raises:
        UserError: two files of one source have one stem, or a file has no partner.
    """
    places = [_places(stems, spec) for stems, spec in zip((first, second), specs, strict=True)]
    for one, other, spec, where in ((0, 1, specs[0], specs[1]), (1, 0, specs[1], specs[0])):
        lacking = sorted(set(places[one]) - set(places[other]) - may_lack)
        if lacking:
            raise UserError(
                f"{len(lacking):,} of {len(places[one]):,} pictures of {spec} have no partner of the same name in "
                f"{where}: {', '.join(lacking[:NAMED])}{', ...' if len(lacking) > NAMED else ''}. Add them, or remove "
                "these."
            )
    common = sorted(set(places[0]) & set(places[1]), key=places[0].__getitem__)
    if not common:
        raise UserError(f"{specs[0]} and {specs[1]} have no pair that can be read.")
    return np.array([places[0][stem] for stem in common]), np.array([places[1][stem] for stem in common])


def _places(stems: Sequence[str], spec: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, stem in enumerate(stems):
        if stem in places:
            raise UserError(f"{spec} has two files named {stem} with different endings. Keep one of them.")
        places[stem] = place
    return places


def require_equal_sizes(first: str, second: str) -> None:
    """That the two files of every pair have one size, as their headers say; broken files are not looked at.

    Raises:
        UserError: a pair has two sizes.
    """
    sizes = [_sizes(spec) for spec in (first, second)]
    if sizes[0] is None or sizes[1] is None:
        return
    for stem in sorted(sizes[0].keys() & sizes[1].keys()):
        if sizes[0][stem] != sizes[1][stem]:
            raise UserError(
                f"{stem} is {written(sizes[0][stem])} in {first} and {written(sizes[1][stem])} in {second} "
                "(height x width). The two pictures of a pair must show the same pixels: make them of one size."
            )


def _sizes(spec: str) -> Mapping[str, Size] | None:
    """The size of every file by its stem; None of a source without files."""
    source = open_source(spec)
    if not isinstance(source, PictureFiles):
        return None
    selected = source.selected if isinstance(source, NamedPictures) else ""
    sizes: dict[str, Size] = {}
    for entry in source.entries():
        try:
            with entry.open() as file:
                header = read_header(file)
        except BrokenPicture:
            continue
        sizes[stem_of(entry.name, selected)] = (header.height, header.width)
    return sizes
