"""Filled pictures measured against pictures without holes, beside a filling that needs no learning."""

from collections.abc import Sequence
from pathlib import Path

import torch

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.data.holes.harmonic import harmonic_fill
from ganvas.metrics.maths.pairs.region_errors import RegionTable, region_errors
from ganvas.tasks.inpainting.mask_files import MaskRules, read_mask
from ganvas.tasks.pictures.kept_files import open_kept, upright_size


def against_truth(
    names: Sequence[str], root: Path, places: dict[str, Path], masks: Sequence[Path], rules: MaskRules, truth: Path
) -> tuple[list[Result], list[Result]]:
    """The errors of the fillings, and those of the harmonic filling of the same holes.

    Raises:
        UserError: a truth is missing or of another size, or no picture has a hole.
    """
    found, floor = RegionTable(3), RegionTable(3)
    for name, mask in zip(names, masks, strict=True):
        given = open_kept(root / name, exact=True)
        hole = torch.from_numpy(read_mask(mask, given.size, rules).hole)
        if not bool(hole.any()):
            continue
        whole = open_kept(truth_of(name, root, truth), exact=True)
        pixels, filled, true = (
            torch.from_numpy(picture.channels(3).copy()).permute(2, 0, 1)
            for picture in (given, open_kept(places[name], exact=True), whole)
        )
        smooth = harmonic_fill(pixels.float(), hole).round().clamp(0, 255).to(torch.uint8)
        found.rows.append(region_errors(filled, true, hole))
        floor.rows.append(region_errors(smooth, true, hole))
    if not found.rows:
        raise UserError("--truth: no mask marks anything, so there is nothing to measure.")
    return found.results(), floor.results()


def truth_of(name: str, root: Path, truth: Path) -> Path:
    """The truth of a picture: of its name and its size.

    Raises:
        UserError: there is none.
    """
    found = _of_its_name(name, truth)
    if upright_size(found) != upright_size(root / name):
        raise UserError(f"{found} is of another size than {root / name}. The truth of a picture has its size.")
    return found


def _of_its_name(name: str, truth: Path) -> Path:
    """The file of a picture's name among the truths, or the one file given."""
    if truth.is_file():
        return truth
    if (truth / name).is_file():
        return truth / name
    found = sorted((truth / name).parent.glob(f"{Path(name).stem}.*")) if (truth / name).parent.is_dir() else []
    if len(found) != 1:
        raise UserError(f"--truth {truth}: there is no picture of {name} in it. A truth has its picture's name.")
    return found[0]
