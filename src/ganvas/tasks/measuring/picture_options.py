"""Options of the commands that reduce pictures to what metrics keep: which pictures, treated how, seen by what."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """Which pictures, how they are brought to one size, and the networks that look at them."""

    metrics: tuple[str, ...] = ()
    """Which metrics, by commas or blanks, or all; `ganvas metrics` lists them."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """So many pictures."""
    seed: int = 0
    """Chooses pictures and all random numbers."""
    features: str | None = None
    """The network that metrics of features look through: a name, or a file of your own. Default: each metric's."""
    weights: tuple[str, ...] = ()
    """A file of weights for that network, or NETWORK=FILE for one of several."""
    trust_weights: bool = False
    """Take weights that are not the published ones; the protocol then carries their hash."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the feature networks. bfloat16 is faster on GPUs; refused where it moves the distance of 512 pictures."""
    size: str | None = None
    """Bring pictures of a source to a size first: 64, or 64x96 (height x width). Runs keep their own."""
    channels: Literal[1, 3, 4] | None = None
    """1 grey, 3 RGB, 4 RGBA. Left out: the run's, or the pictures' own."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with pictures of another shape, or smaller than the size."""
    background: str = "white"
    """Colour under transparent pixels and on padding: a name or #rrggbb."""
    broken: Literal["refuse", "skip"] = "refuse"
    """Stop at a file that cannot be read, or leave it out."""
    device: str = "auto"
    """Where networks run: cpu, cuda, or auto."""
    no_cache: bool = False
    """Compute features anew, and remember none. Packs of pictures are kept in the cache all the same."""
    quiet: bool = False
    """No progress."""
