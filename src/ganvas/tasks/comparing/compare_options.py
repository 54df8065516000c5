"""The arguments of ``ganvas compare``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Lay runs side by side: a row a model, never one score, only values of one protocol beside each other.

    Writes a page, and beside it the same as JSON and CSV; a table goes to stdout. Without --data, --held-out and -n it
    tells what the runs have measured already; with one of them all are measured alike, and the runs keep the values.

    Examples:
      ganvas compare runs/a runs/b
      ganvas compare runs/a runs/b --data photos/ -n 5000 -o compare.html
      ganvas compare runs/a runs/b --held-out unseen/ -n 1000 --metrics swd,precision_recall --features untrained
      ganvas compare runs/gan runs/vae --turn all --features untrained -n 1000
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN [RUN ...]")]
    """Runs of models of pictures."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("compare.html")
    """The page; .json and .csv of the same name are written beside it."""
    data: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """Real pictures to measure every run against, whatever it was trained on."""
    held_out: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """Pictures that no run has learnt from: distances and likelihoods are taken of these and of the training ones."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Measure all runs with so many pictures on each side."""
    metrics: tuple[str, ...] = ("swd", "ms_ssim")
    """Which metrics are measured, by commas or blanks; `ganvas metrics` lists them."""
    features: str | None = None
    """The network that metrics of features look through, such as untrained, or a file of `ganvas features train`."""
    weights: tuple[str, ...] = ()
    """A file of weights for that network, or NETWORK=FILE for one of several."""
    trust_weights: bool = False
    """Take weights that are not the published ones; the protocol then carries their hash."""
    turn: tuple[str, ...] = ()
    """Draw precision against recall with dials turned: all, or their names (temperature, truncation, guidance, ...)."""
    sheet: int = 16
    """Pictures that each model draws from the common seed; 0 draws nothing and times nothing."""
    seed: int = 0
    """Of the pictures that are drawn and of the choice of real ones."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with real pictures of another shape, or smaller than the models'."""
    device: str = "auto"
    """Where to compute: cpu, cuda, or auto."""
    quiet: bool = False
    """No progress."""
