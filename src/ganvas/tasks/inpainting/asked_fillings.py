"""Pictures that are to be filled, with their masks and places; all masks are looked at before the first is filled.

A mask that is refused half-way through would leave a folder made with settings that the refusal says to change.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganvas.core.progress import progress, say
from ganvas.tasks.inpainting.mask_files import MaskRules, read_mask
from ganvas.tasks.pictures.kept_files import upright_size
from ganvas.tasks.pictures.output_folder import fingerprint

MANY = 50  # Files whose check shows its progress.


@dataclass(frozen=True, kw_only=True)
class AskedFilling:
    """One picture that is to be filled."""

    name: str  # Below the root.
    root: Path
    mask: Path
    place: Path

    @property
    def picture(self) -> Path:
        """Its file."""
        return self.root / self.name

    @property
    def keeps_format(self) -> bool:
        """Whether what is written is of the format of what is read."""
        return self.place.suffix == self.picture.suffix

    def made_of(self) -> dict[str, str]:
        """The files that its filling depends on, as they are now."""
        return {"picture": fingerprint(self.picture.read_bytes()), "mask": fingerprint(self.mask.read_bytes())}


def asked_fillings(
    names: Sequence[str], root: Path, masks: Sequence[Path], places: Mapping[str, Path]
) -> list[AskedFilling]:
    """Of every picture, with the mask at its position and the place of its name."""
    pairs = zip(names, masks, strict=True)
    return [AskedFilling(name=name, root=root, mask=mask, place=places[name]) for name, mask in pairs]


def check_masks(
    asked: Sequence[AskedFilling], rules: MaskRules, *, guides: Sequence[str], model: str
) -> list[AskedFilling]:
    """Reads every mask at the size of its picture, and says what the model does not heed.

    Args:
        guides: What the model heeds of strokes beside the mask.
        model: Its name.

    Returns:
        Those whose mask marks something.

    Raises:
        UserError: a mask or a picture cannot be used.
    """

    @functools.cache  # One mask may be for thousands of pictures.
    def planes(mask: Path, size: tuple[int, int]) -> tuple[str, ...]:
        drawn = read_mask(mask, size, rules)
        found = {"mask": drawn.hole, "sketch": drawn.sketch, "colour": drawn.coloured}
        return tuple(pen for pen, plane in found.items() if plane.any())

    marked: list[AskedFilling] = []
    ignored: dict[Path, tuple[str, ...]] = {}
    with progress("Checking masks", len(asked), unit="masks", quiet=len(asked) < MANY) as report:
        for index, one in enumerate(asked):
            pens = planes(one.mask, upright_size(one.picture))
            marked += [one] if "mask" in pens else []
            unheeded = tuple(pen for pen in pens if pen != "mask" and pen not in guides)
            ignored |= {one.mask: unheeded} if unheeded else {}
            report(index + 1)
    _say_what_is_ignored(ignored, model)
    return marked


def _say_what_is_ignored(ignored: Mapping[Path, tuple[str, ...]], model: str) -> None:
    """Once, of all files together."""
    if not ignored:
        return
    first = next(iter(ignored))
    files = f"{first} holds" if len(ignored) == 1 else f"{first} and {len(ignored) - 1:,} more hold"
    pens = sorted({pen for some in ignored.values() for pen in some}, reverse=True)  # Sketch before colour.
    say(f"{files} strokes of {' and '.join(pens)}, which {model} does not heed.")
