"""The plan of a run: how long it is, how often it reports, what it keeps. What is trained is the model's Config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.config import from_plain
from ganvas.core.errors import UserError

HEALTH_KIMG = 1.0  # Least distance of check-ups that were not asked for: each costs about as much as twenty samples.
MOST_VIEWS = 1000  # Past states that a phase may look back on: each is a copy of the other players.
HISTORY_TURNS = 10  # Steps between two moments of a history.
NOISE_BATCHES = 3  # At least: a jackknife leaves one out, and two others have one product.
Policy = Literal["colour", "translation", "cutout"]  # Of DiffAugment.

# These may change when a run is resumed: they do not alter what the images shown so far have made of it.
FREE_TO_CHANGE = ("total_kimg", "keep_last", "checkpoint_minutes", "noise_scale")
FORMER_NAMES = {"noise_scale_batches": "noise_scale"}  # Of settings in runs that were saved before they had their name.


PER_RUN = {
    "report": 200,
    "sample": 40,
    "measure": 10,
    "health": 40,
}  # How many of each, where their interval is not given.


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings of a run that are not the model's. Intervals of 0 are chosen from the length of the run."""

    total_kimg: float = 100.0  # Thousands of real images to show.
    seed: int = 0  # Of the weights, the noise, the order of the pictures and the mirroring.
    mirror: bool = False  # Show every picture mirrored half of the time.
    crop_margin: float = 0.0  # Pack pictures larger by this share and show a window at a random place of each.
    augment: Literal["none", "diff", "ada"] = "none"  # Of all pictures that a discriminator sees, real and generated.
    augment_policies: tuple[Policy, ...] = ("colour", "translation", "cutout")  # Of diff, in this order.
    augment_target: float = 0.6  # Of ada: the mean sign of D on reals above which it grows.
    augment_kimg: float = 500.0  # Of ada: pictures that would take its probability from 0 to 1; 100 to fine-tune.
    augment_cap: float = 0.85  # Of ada: its probability stays below; near 1 the generator draws augmented pictures.
    precision: Literal["float32", "bfloat16"] = "float32"  # Of activations; weights and losses are float32.
    report_kimg: float = 0.0  # Between two lines of log.jsonl; 0 is a 200th of the run.
    sample_kimg: float = 0.0  # Between two grids of samples; 0 is a 40th of the run.
    measure_kimg: float = 0.0  # Between two measurements; 0 is a 10th of the run, below 0 is never.
    measure_n: int = 2048  # Pictures on each side of a measurement.
    health_kimg: float = 0.0  # Between two check-ups of the game; 0 is a 40th of the run, 1 at least; below 0 is never.
    noise_scale: int = 0  # Batches at each check-up that the gradient noise scale is measured on; 0 does not.
    delays: tuple[str, ...] = ()  # "D:4": phase D sees the other players as they were 4 of its turns ago.
    histories: tuple[str, ...] = ()  # "D:50": it sees one of their last 50 moments, every 10th step one.
    local_steps: int = 0  # Steps that each of several processes takes by itself before all take the mean; 0 is none.
    shards: int = 0  # Parts of a batch whose gradients are added in one order, so that 1, 2, 4 ... processes agree.
    keep_last: int = 2  # States to keep besides the best.
    keep_best: str = "none"  # Also keep the state with the best value of this metric, such as swd.
    checkpoint_minutes: float = 10.0  # Between two states, besides the one at the end and when it is stopped.

    def __post_init__(self) -> None:
        above(self, 0, "total_kimg")
        at_least(self, 1, "keep_last")
        at_least(self, 2, "measure_n")
        at_least(self, 0, "noise_scale", "local_steps", "shards")
        above(self, 0, "augment_kimg")
        fractions(self, "augment_target", "augment_cap")
        at_least(self, 0, "crop_margin", "report_kimg", "sample_kimg", "checkpoint_minutes")
        if self.keep_best != "none" and self.measure_kimg < 0:
            raise UserError(f"keep_best={self.keep_best} needs measurements, so measure_kimg must not be below 0.")
        if 0 < self.noise_scale < NOISE_BATCHES:
            given = f"noise_scale={self.noise_scale}"
            raise UserError(f"{given} is too few for a standard error. Give {NOISE_BATCHES} or more, or 0 for none.")
        if self.noise_scale and self.health_kimg < 0:
            given = f"noise_scale={self.noise_scale}"
            raise UserError(f"{given} is measured at check-ups, so health_kimg must not be below 0.")
        if self.local_steps and self.shards:
            raise UserError(f"local_steps={self.local_steps} lets processes differ, and shards={self.shards} does not.")
        if self.shards & (self.shards - 1):
            raise UserError(f"shards={self.shards} is no power of 2, which a tree of sums needs. Use 2, 4, 8, ...")
        _counts("delays", self.delays, least=0)
        _counts("histories", self.histories, least=2)

    def delayed(self) -> dict[str, int]:
        """Turns by which phases see the others late, by the phase's name."""
        return _counts("delays", self.delays, least=0)

    def historical(self) -> dict[str, int]:
        """Moments of the past among which phases see the others, by the phase's name."""
        return _counts("histories", self.histories, least=2)

    @property
    def total_nimg(self) -> int:
        return round(self.total_kimg * 1000)

    def interval(self, kind: Literal["report", "sample", "measure", "health"]) -> int:
        """Images between two of a kind; at least 1."""
        kimg = {
            "report": self.report_kimg,
            "sample": self.sample_kimg,
            "measure": self.measure_kimg,
            "health": self.health_kimg or max(self.total_kimg / PER_RUN["health"], HEALTH_KIMG),
        }[kind]
        kimg = kimg or self.total_kimg / PER_RUN[kind]
        return max(round(kimg * 1000), 1) if kimg > 0 else 0


def saved_plan(plain: Mapping[str, Any]) -> Plan:
    """The plan that a run was saved with, by today's names.

    Raises:
        UserError: it has a setting that was never one.
    """
    return from_plain(Plan, {FORMER_NAMES.get(name, name): value for name, value in plain.items()})


def _counts(field: str, given: tuple[str, ...], *, least: int) -> dict[str, int]:
    """
    >>> _counts("delays", ("D:4", "G:0"), least=0)
    {'D': 4, 'G': 0}
    """
    counts: dict[str, int] = {}
    for entry in given:
        phase, _, count = entry.rpartition(":")
        if not phase or not count.isdecimal() or not least <= int(count) <= MOST_VIEWS or phase in counts:
            raise UserError(
                f"{field}={','.join(given)}: '{entry}' is not understood. Give each phase once, as D:4, with a number "
                f"from {least} to {MOST_VIEWS}."
            )
        counts[phase] = int(count)
    return counts


def due(before: int, after: int, interval: int) -> bool:
    """Whether a multiple of ``interval`` lies in (before, after]: a function of the images shown alone.

    >>> due(0, 16, 100), due(96, 112, 100), due(0, 16, 0)
    (False, True, False)
    """
    return interval > 0 and after // interval > before // interval


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole run as one value: what a preset is.

    Attributes:
        config: The model's Config.
        plan: The run's.
        fitted: Whether the schedule is laid out anew over the run's length and the size of the pictures. A preset with
            a source keeps its own.
        bound: The longest shorter side in pixels that the settings are made for; None is that of ``config``.
    """

    config: Any
    plan: Plan
    fitted: bool = False
    bound: int | None = None
