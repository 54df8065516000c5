"""A labeller for pictures of one's own: trained on a folder of pictures and the masks that somebody painted for them.

``images/`` holds the pictures and ``masks/`` a PNG of the same name for each, of which every pixel's value is the
number of its label (grey, or with a palette). ``labels.txt``, a name per line, names the labels; without it they are
numbers.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_float
from ganvas.core.progress import say
from ganvas.data.cache import cache_folder, hash_file, locked
from ganvas.data.fitting import Size
from ganvas.dissect.labellers import segmenter
from ganvas.dissect.labellers.segmenter import Segmenter
from ganvas.dissect.labellers.segmenter_training import SegmenterPlan, train

IMAGES, MASKS, LABELS = "images", "masks", "labels.txt"
PLAN = SegmenterPlan(steps=600)


def is_mask_folder(folder: Path) -> bool:
    """Whether a folder holds pictures with masks."""
    return (folder / IMAGES).is_dir() and (folder / MASKS).is_dir()


def mask_folder_labeller(folder: Path, size: Size, *, plan: SegmenterPlan = PLAN, quiet: bool = False) -> Segmenter:
    """The segmenter of a folder, at a size; trained where the cache has none.

    Raises:
        UserError: a mask is missing, or of another size than its picture, or there are too few.
    """
    pairs = _pairs(folder)
    hashes = [hash_file(path) for pair in pairs for path in pair]
    names = _names(folder)
    key = hashlib.sha256(json.dumps([hashes, names, size, asdict(plan)]).encode()).hexdigest()[:16]
    kept = cache_folder() / "segmenters" / key
    if not kept.is_dir():
        with locked(kept.with_suffix(".lock"), quiet=quiet):
            if not kept.is_dir():
                _train(folder, pairs, names, size, plan, kept, quiet=quiet)
    return segmenter.load(kept)


def _train(
    folder: Path,
    pairs: list[tuple[Path, Path]],
    names: list[str],
    size: Size,
    plan: SegmenterPlan,
    kept: Path,
    *,
    quiet: bool,
) -> None:
    if not quiet:
        say(f"Training a labeller on the {len(pairs)} masks in {folder}, once: about a minute.")
    opened = [_opened(*pair, size) for pair in pairs]
    images = torch.from_numpy(np.stack([image for image, _ in opened])).permute(0, 3, 1, 2)
    masks = torch.from_numpy(np.stack([mask for _, mask in opened]))
    known = int(masks.max()) + 1
    if names and known > len(names):
        raise UserError(
            f"A mask in {folder / MASKS} has the value {known - 1}, and {LABELS} names {len(names)} labels."
        )
    labels = names or [str(number) for number in range(known)]
    network, card = train(to_float(images), masks, labels, plan, source=folder.name, quiet=quiet)
    segmenter.save(network, card, kept)


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    images = sorted(path for path in (folder / IMAGES).iterdir() if path.is_file() and not path.name.startswith("."))
    pairs = [(path, folder / MASKS / f"{path.stem}.png") for path in images]
    missing = next((mask for _, mask in pairs if not mask.is_file()), None)
    if missing is not None:
        raise UserError(f"There is no {missing}: every picture in {folder / IMAGES} needs a mask of its name.")
    return pairs


def _names(folder: Path) -> list[str]:
    file = folder / LABELS
    return (
        [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        if file.is_file()
        else []
    )


def _opened(image: Path, mask: Path, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its mask at the size, the mask by its nearest pixels."""
    try:
        with Image.open(image) as shown, Image.open(mask) as painted:
            if shown.size != painted.size:
                raise UserError(f"{mask} has another size than its picture {image}: {painted.size}, {shown.size}.")
            if painted.mode not in ("L", "P", "1"):
                raise UserError(
                    f"{mask} is a colour picture. A mask's pixels are numbers of labels: grey, or a palette."
                )
            small = shown.convert("RGB").resize((size[1], size[0]), Image.Resampling.BOX)
            numbers = painted.resize((size[1], size[0]), Image.Resampling.NEAREST)
            return np.asarray(small).copy(), np.asarray(numbers, dtype=np.uint8).copy()
    except OSError as error:
        raise UserError(f"{image} with {mask} cannot be read: {error}.") from None
