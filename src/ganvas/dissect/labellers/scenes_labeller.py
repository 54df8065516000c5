"""The labeller of ``scenes``: trained once on pictures whose masks are exact, and kept in the cache."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from ganvas.core.pixels import to_float
from ganvas.core.progress import say
from ganvas.data.cache import cache_folder, hash_file, locked
from ganvas.data.fitting import Size
from ganvas.data.scenes.scenes import MASK_NAMES, Scenes
from ganvas.data.sources.synthetic import MadeScenes
from ganvas.dissect.labellers import segmenter
from ganvas.dissect.labellers.segmenter import Segmenter
from ganvas.dissect.labellers.segmenter_training import SegmenterPlan, train

PICTURES = 8192
CODE = ("paste.py", "segmenter.py", "segmenter_training.py")
PLAN = SegmenterPlan()
SEED = 77  # Of the scenes: none that a run is likely to be trained on.


def scenes_labeller(
    size: Size, *, plan: SegmenterPlan = PLAN, pictures: int = PICTURES, quiet: bool = False
) -> Segmenter:
    """The segmenter for scenes of this size; trained where the cache has none, about a minute."""
    folder = cache_folder() / "segmenters" / _key(size, plan, pictures)
    if not folder.is_dir():
        with locked(folder.with_suffix(".lock"), quiet=quiet):
            if not folder.is_dir():
                _train(size, plan, pictures, folder, quiet=quiet)
    return segmenter.load(folder)


def _train(size: Size, plan: SegmenterPlan, pictures: int, folder: Path, *, quiet: bool) -> None:
    if not quiet:
        say(f"Training the labeller of scenes at {size[0]}x{size[1]}, once: about a minute.")
    images, masks, _ = Scenes(*size, count=pictures, seed=SEED).pictures(0, pictures)
    network, card = train(
        to_float(torch.from_numpy(images).permute(0, 3, 1, 2)),
        torch.from_numpy(masks),
        MASK_NAMES,
        plan,
        source=f"scenes:{pictures},{size[0]}x{size[1]},seed={SEED}",
        quiet=quiet,
    )
    segmenter.save(network, card, folder)


def _key(size: Size, plan: SegmenterPlan, pictures: int) -> str:
    """Of everything that the weights follow from: the pictures with the code that draws them, the plan, this code."""
    code = [hash_file(Path(__file__).parent / name) for name in CODE]
    said = json.dumps([MadeScenes(pictures, size, seed=SEED).identity(), asdict(plan), code])
    return hashlib.sha256(said.encode()).hexdigest()[:16]
