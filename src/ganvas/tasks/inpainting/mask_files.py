"""Masks of pictures as files: black and white pictures, or strokes; one for each picture by its name, or one for all.

White is what is to be filled in, as in every other program; a file whose hole is more than ``MOST`` of the picture is
asked about, since it is most likely the other way round.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8

from ganvas.core.errors import UserError
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.holes.strokes import Drawn, Strokes, is_strokes
from ganvas.data.pictures import decode
from ganvas.data.sources.labels import is_picture

MOST = 0.6  # Of a picture; a larger hole has to be meant.
NAMED = 5  # Names in a message.

White = Literal["auto", "hole", "known"]


@dataclass(frozen=True, kw_only=True)
class MaskRules:
    """How mask files are read."""

    white: White = "auto"
    resize: bool = False


def masks_of(pictures: Sequence[str], masks: Path) -> list[Path]:
    """The mask file of every picture: ``masks`` itself where it is a file, else the file of the same name in it.

    Args:
        pictures: Relative names in their folder.

    Raises:
        UserError: some picture has no mask, or several.
    """
    if masks.is_file():
        return [masks] * len(pictures)
    if not masks.is_dir():
        raise UserError(f"--masks {masks}: there is no such file or folder.")
    by_stem: dict[str, list[Path]] = {}
    for path in sorted(masks.rglob("*")):
        if is_picture(path.name) or is_strokes(path):
            by_stem.setdefault(path.relative_to(masks).with_suffix("").as_posix(), []).append(path)
    found = [by_stem.get(Path(name).with_suffix("").as_posix(), []) for name in pictures]
    missing = [name for name, paths in zip(pictures, found, strict=True) if not paths]
    if missing:
        listed = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
        raise UserError(
            f"{len(missing):,} of {len(pictures):,} pictures have no mask in {masks}: {listed}. A mask has its "
            "picture's name, with any ending of a picture or .json; one file as --masks is for all pictures."
        )
    several = next((paths for paths in found if len(paths) > 1), None)
    if several:
        raise UserError(f"{several[0]} and {several[1]} are both masks of one picture. Keep one of them.")
    return [paths[0] for paths in found]


def read_mask(path: Path, size: tuple[int, int], rules: MaskRules) -> Drawn:
    """The hole, and what else was drawn, for a picture of ``size`` (height, width).

    Raises:
        UserError: it cannot be read, is of another size, marks everything, or so much that it may be inverted, or
            strokes sketch and colour where nothing is to be filled in.
    """
    if is_strokes(path):
        try:
            drawn = Strokes.read(path).draw(*size)
        except UserError as error:
            raise UserError(f"{path}: {error}" if str(path) not in str(error) else str(error)) from None
        _require_mask_pen(path, drawn)
    else:
        drawn = _only_hole(_of_picture(path, size, rules))
    if rules.white == "known" and not is_strokes(path):
        drawn = dataclasses.replace(drawn, hole=~drawn.hole)
    share = float(drawn.hole.mean())
    if share == 1:
        raise UserError(f"{path} marks the whole picture, so nothing would be known of it. Leave some of it black.")
    if share > MOST and rules.white == "auto":
        raise UserError(
            f"{path} marks {share:.0%} of the picture to be filled in, as white does. Where white is what is known, "
            "say --white known; where this is meant, --white hole."
        )
    return drawn


def _require_mask_pen(path: Path, drawn: Drawn) -> None:
    planes = {"sketch": drawn.sketch, "colour": drawn.coloured}
    pens = [pen for pen, plane in planes.items() if plane.any()]
    if pens and not drawn.hole.any():
        height, width = drawn.hole.shape
        raise UserError(
            f"{path} holds strokes of {' and '.join(pens)}, and none of mask on the {height}x{width} pixels of the "
            "picture, so nothing is to change. They tell what a mask is filled with: add strokes of the pen mask over "
            "all that is to change."
        )


def _of_picture(path: Path, size: tuple[int, int], rules: MaskRules) -> Bool[np.ndarray, "h w"]:
    try:
        pixels = decode(path.read_bytes())
    except BrokenPicture as error:
        raise UserError(f"The mask {path} {error}. Save it anew, for instance as PNG.") from None
    light = _light(pixels)
    if light.max() == 1:
        raise UserError(
            f"The mask {path} holds nothing but 0 and 1, which is black and almost black. Save it with 255 for white."
        )
    if light.shape != size:
        if not rules.resize:
            raise UserError(
                f"The mask {path} is of {light.shape[0]}x{light.shape[1]} pixels (height x width) and its picture of "
                f"{size[0]}x{size[1]}. Give one of equal size, or --resize-masks to have it enlarged or reduced."
            )
        light = _resized(light, size)
    return light >= 128


def _light(pixels: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w"]:
    """The brightest channel, over black where a mask has alpha: coloured palettes mark as white does."""
    colours = pixels.shape[2] - (1 if pixels.shape[2] in (2, 4) else 0)
    light = pixels[..., :colours].max(2)
    return np.where(pixels[..., -1] >= 128, light, 0).astype(np.uint8) if pixels.shape[2] in (2, 4) else light


def _resized(light: UInt8[np.ndarray, "h w"], size: tuple[int, int]) -> UInt8[np.ndarray, "h2 w2"]:
    """The value at the centre of each pixel."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, light.shape, strict=True)
    )
    return light[rows[:, None], columns]


def _only_hole(hole: Bool[np.ndarray, "h w"]) -> Drawn:
    nothing = np.zeros_like(hole)
    return Drawn(hole=hole, sketch=nothing, coloured=nothing, colour=np.zeros((*hole.shape, 3), np.uint8))
