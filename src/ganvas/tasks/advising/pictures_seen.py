"""The pictures of a source before training: how many, of which sizes, how unlike one another, and how many twice."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from ganvas.data.packed import Packed
    from ganvas.data.survey import Survey

LOOKED_AT = 2000  # Pictures that are held against one another, evenly chosen.
THUMB = 8  # Pixels along each side of what is compared.
NEAR = 0.1  # Of the usual distance of two pictures: what lies nearer is the same picture again, cut or saved anew.


@dataclass(frozen=True, kw_only=True)
class PicturesSeen:
    """What the pictures of a source are like."""

    count: int
    sizes: int  # How many different ones.
    median_side: int  # Of the shorter side, in pixels.
    shape: tuple[int, int]  # Height and width of the most frequent size.
    channels: int
    classes: int
    fewest_of_a_class: int
    broken: int
    jpeg: bool
    same: int  # Pictures that are there already, to the last pixel, at the size that was looked at.
    near: int  # Further ones that hardly differ from another, among those that were looked at.
    looked_at: int

    @property
    def unlike(self) -> int:
        """About how many different pictures there are."""
        return round((self.count - self.same) * (1 - self.near_share))

    @property
    def near_share(self) -> float:
        """Of those that were looked at."""
        return self.near / self.looked_at if self.looked_at else 0.0


def seen(survey: "Survey", packed: "Packed") -> PicturesSeen:
    """Reads headers from the survey and pixels from the pack."""
    import numpy as np

    from ganvas.metrics.likelihood.density import were_jpeg

    sides = np.repeat([min(size) for size in survey.sizes], list(survey.sizes.values()))
    rows = np.unique(np.linspace(0, len(packed) - 1, min(LOOKED_AT, len(packed))).astype(np.int64))
    images = packed.read(rows)
    labels = survey.labels or {}
    return PicturesSeen(
        count=survey.count,
        sizes=len(survey.sizes),
        median_side=int(np.median(sides)),
        shape=next(iter(survey.sizes)),
        channels=packed.channels,
        classes=len(labels),
        fewest_of_a_class=min(labels.values(), default=0),
        broken=len(survey.broken),
        jpeg=were_jpeg(packed),
        same=same_pictures(packed),
        near=near_pictures(thumbs(images)),
        looked_at=len(rows),
    )


def same_pictures(packed: "Packed") -> int:
    """How many pictures are there already, to the last pixel."""
    import hashlib

    import numpy as np

    known = set()
    for start in range(0, len(packed), 256):
        block = packed.read(np.arange(start, min(start + 256, len(packed))))
        known.update(hashlib.blake2b(picture.tobytes(), digest_size=16).digest() for picture in block)
    return len(packed) - len(known)


def thumbs(images: "np.ndarray") -> "np.ndarray":
    """Pictures (n, h, w, c) as means over :data:`THUMB` x :data:`THUMB` fields, one row each."""
    import torch
    from torch.nn import functional as F

    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    return F.adaptive_avg_pool2d(pixels, THUMB).flatten(1).numpy()


def near_pictures(rows: "np.ndarray") -> int:
    """How many rows lie near another one that is not the same, by the usual distance of two rows."""
    import torch

    if len(rows) < 2:
        return 0
    distances = torch.cdist(torch.from_numpy(rows), torch.from_numpy(rows))
    usual = float(distances[~torch.eye(len(rows), dtype=torch.bool)].median())
    distances.fill_diagonal_(torch.inf)
    distances[distances == 0] = torch.inf  # Counted as the same.
    return int((distances.min(1).values < NEAR * usual).sum())
