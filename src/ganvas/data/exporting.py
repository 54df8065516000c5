"""Writing of any source as PNG files: what other tools read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.core.files.atomic_files import atomic_folder
from ganvas.core.progress import progress
from ganvas.data.cached_packs import require_empty
from ganvas.data.conversion import Rules, convert
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import PictureArray, Source

PICTURES, MASKS = "pictures", "masks"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written."""

    pictures: Path
    masks: Path | None
    count: int
    mask_names: list[str]


def export(spec: str, out: Path, *, quiet: bool = False) -> Exported:
    """Pictures into ``out/pictures``, and the class of every pixel into ``out/masks`` where the source knows it.

    Files keep their names below the source; what has none is numbered.

    Raises:
        UserError: a picture is broken, or something is at ``out``.
    """
    from PIL import Image

    require_empty(out)
    source = open_source(spec)
    count = 0
    with (
        atomic_folder(out) as partial,
        progress(f"Writing {out}", source.total, unit=source.unit, quiet=quiet) as report,
    ):
        for name, picture, mask, at in _named(source):
            for folder, pixels in ((PICTURES, picture), (MASKS, mask)):
                if pixels is not None:
                    place = partial / folder / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels).save(place, format="PNG")
            count += 1
            report(at)
    mask_names = list(source.mask_names) if isinstance(source, PictureArray) else []
    masks = out / MASKS if (out / MASKS).exists() else None
    return Exported(pictures=out / PICTURES, masks=masks, count=count, mask_names=mask_names)


def _named(source: Source) -> Iterator[tuple[str, np.ndarray, np.ndarray | None, float]]:
    """Name, picture (h, w, c), mask (h, w) where there is one, and how far through the source."""
    done = 0
    for rows in convert(source, Rules()):
        for place, picture in enumerate(rows.images):
            name = PurePosixPath(rows.names[place]).with_suffix(".png").as_posix() if rows.names else f"{done:06d}.png"
            yield name, picture, None if rows.masks is None else rows.masks[place], rows.at
            done += 1
