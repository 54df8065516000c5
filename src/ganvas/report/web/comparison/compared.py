"""Compared runs as plain values: each run as its own page has it, and beside it what only drawing tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ganvas.report.web.run_page import RunPage


@dataclass(frozen=True, kw_only=True)
class SamplingCost:
    """Of drawing one picture."""

    macs: float  # Multiply-accumulates of convolutions and matrix products, half of torch's count of FLOP.
    evaluations: int  # How often the layer that runs most often runs: 1 for a GAN, once a pixel for a PixelCNN.
    parameters: int  # Of the layers that run.
    milliseconds: float  # In batches: the least of some tries, on a machine that others may use too.
    batch: int  # Pictures at a time, while it was timed.


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A value on training pictures less, or beside, the same on pictures that were held out."""

    metric: str
    train: float
    held_out: float
    error: float | None  # Standard error of their difference.
    n: int
    better: str  # "lower" or "higher": which values are good ones.

    @property
    def value(self) -> float:
        """By how much the model does better on the pictures that it learnt from."""
        return self.held_out - self.train if self.better == "lower" else self.train - self.held_out


@dataclass(frozen=True, kw_only=True)
class Turned:
    """Precision and recall with one dial of a model turned over some values."""

    dial: str
    values: Sequence[float]
    precision: Sequence[float]
    recall: Sequence[float]
    seconds: Sequence[float] = ()  # Of drawing one picture at each.


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One model of a comparison. What is not known is None or empty, and the page says so."""

    run: RunPage
    name: str  # Unique among the compared.
    kimg: float | None = None  # Of its newest model.
    parameters: int | None = None  # Of all players.
    drawing: SamplingCost | None = None
    sheet: bytes | None = None  # PNG of pictures drawn from the common seed.
    gaps: Sequence[Gap] = ()
    turned: Sequence[Turned] = ()
    settings_tried: int | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that a page of a comparison shows."""

    models: Sequence[Compared]
    seed: int = 0  # Of the sheets.
    reals: bytes | None = None  # PNG of as many real pictures.
    real_precision: float | None = None  # What reals score in the place of the generated: the end of every curve.
    real_recall: float | None = None
    turned_protocol: str = ""  # Of precision and recall over dials.
    notes: Sequence[str] = field(default_factory=list)
    command: Sequence[str] = ()
