"""The one flow of measuring: reals are drawn, a second draw of them gives the floor, and both sides are compared.

A run's examiner and ``ganvas measure`` both go through :func:`refer` and :func:`against`. For batches at hand there are
two shorter forms; reals are accumulated once and used often::

    reals = reference(real_batches, n=2000)          # with its floor: reals against a second draw of reals
    measurement = measure(reals, fake_batches)       # as often as you like

:mod:`ganvas.metrics.accumulators.feature_pass` says what a pass over pictures is.
"""

import dataclasses
import importlib.util
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics import swd
from ganvas.metrics.accumulators.feature_pass import (
    DEFAULT,
    Batches,
    Extractor,
    Gathered,
    Metrics,
    Remembers,
    TooFew,
    gather,
)
from ganvas.metrics.accumulators.metric_contract import shape_in_words, shows_pairs
from ganvas.metrics.measuring import metric_catalogue

QUICK = {
    "swd": swd.Config(patches=64, directions=128)
}  # A seventh of the paper's cost: for the shape of a run's curve.
SEEN = (
    "pixels",
    "features",
    "logits",
    "channel_logits",
    "spatial",
    "segments",
)  # Of sets of pictures; others see models or runs.


@dataclass(frozen=True, kw_only=True)
class PassSettings:
    """What holds for every pass of one measurement."""

    seed: int = 0  # Of all random choices of the metrics (places of patches, directions).
    networks: Mapping[str, Extractor] = field(
        default_factory=dict
    )  # By metric that sees features: whose rows it takes.
    rows_of: Mapping[str, str] = field(default_factory=dict)  # Where no network runs: whose rows the other side's are.
    lenient: bool = (
        False  # Whether a metric that cannot be computed is omitted, with its reason, instead of ending all.
    )
    place: int = 0  # In its set, of the first picture that is gathered: where a part of a set begins.
    quiet: bool = True


@runtime_checkable
class PictureSet(Protocol):
    """Pictures, or what is known of them, that can be reduced to what metrics keep."""

    @property
    def treated(self) -> tuple[str, ...]:
        """What was done to the pictures first, in words."""
        ...

    def gather(self, metrics: Metrics, settings: PassSettings, *, first: int, n: int, of: int, title: str) -> Gathered:
        """``n`` of them from the ``first`` on, of ``of`` that are drawn in all.

        Raises:
            UserError: a metric cannot take them; a ``TooFew`` where there are fewer.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class DrawnSet:
    """Pictures that are drawn when they are asked for."""

    batches: Callable[[int, int, int], Batches]  # From, to, of so many in all: uint8 (b, c, h, w).
    treated: tuple[str, ...] = ()
    remembered: Callable[[int, int], Remembers | None] | None = None  # From, to: where they may be found reduced.

    def gather(self, metrics: Metrics, settings: PassSettings, *, first: int, n: int, of: int, title: str) -> Gathered:
        """See :class:`PictureSet`."""
        return gather(
            self.batches(first, first + n, of),
            metrics=metrics,
            n=n,
            seed=settings.seed,
            networks=settings.networks,
            kept=self.remembered(first, first + n) if self.remembered and not settings.place else None,
            place=settings.place,
            lenient=settings.lenient,
            treated=self.treated,
            title=title,
            quiet=settings.quiet,
        )


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The real side, gathered once, and what a second draw of reals scores against it."""

    gathered: Gathered
    floor: list[Result] = field(default_factory=list)  # Empty when there were no reals left for a second draw.
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one measurement found. ``floor`` has the results of the same names for reals in the place of fakes."""

    results: list[Result]
    floor: list[Result]
    n: int
    seed: int
    seconds: float  # Without those of the reference, which may serve many.
    reference: str  # Fingerprint of the reals; empty where there are none.
    fakes: str  # Fingerprint of the generated pictures.
    skipped: Mapping[str, str] = field(default_factory=dict)  # Metrics without a result, and why.
    gathered: tuple[Gathered, ...] = field(default=(), compare=False, repr=False)  # The generated, and the reals.


def refer(
    reals: PictureSet,
    settings: PassSettings,
    *,
    metrics: Metrics = DEFAULT,
    n: int,
    floor: bool = True,
    treated: tuple[str, ...] = (),
) -> Reference:
    """Gathers the first ``n`` reals and, where there are as many again, measures the next ``n`` against them.

    Args:
        floor: Whether to look for a second draw.
        treated: What was done to the generated pictures. A second draw takes their place, and their protocol.
    """
    started = time.monotonic()
    floored = _without_pairs(metrics)  # A second draw of reals has no partners.
    of = 2 * n if floor and floored else n
    gathered = reals.gather(metrics, settings, first=0, n=n, of=of, title="measure: real")
    found: list[Result] = []
    if of > n:
        with suppress(TooFew):
            second = reals.gather(floored, settings, first=n, n=n, of=of, title="measure: real again")
            second = dataclasses.replace(second, treated=treated)
            found = compare(gathered, second, networks=settings.networks, lenient=True, quiet=settings.quiet)[0]
    return Reference(gathered=gathered, floor=found, seconds=time.monotonic() - started)


def against(
    real: Reference | None, fake: PictureSet, settings: PassSettings, *, metrics: Metrics = DEFAULT, n: int
) -> Measurement:
    """Gathers ``n`` generated pictures and compares them with the reference; None measures what needs none."""
    started = time.monotonic()
    reals = real.gathered if real else None
    fakes = fake.gather(metrics, settings, first=0, n=n, of=n, title="measure: generated")
    results, skipped = compare(reals, fakes, networks=settings.networks, lenient=settings.lenient, quiet=settings.quiet)
    return Measurement(
        results=results,
        floor=real.floor if real else [],
        n=fakes.n,
        seed=settings.seed,
        seconds=time.monotonic() - started,
        reference=reals.fingerprint if reals else "",
        fakes=fakes.fingerprint,
        skipped=skipped,
        gathered=(fakes,) if reals is None else (fakes, reals),
    )


def reference(
    batches: Batches,
    *,
    metrics: Metrics = DEFAULT,
    n: int,
    seed: int = 0,
    networks: Mapping[str, Extractor] | None = None,
    floor: bool = True,
    quiet: bool = True,
) -> Reference:
    """Gathers the first ``n`` of the batches, and measures the next ``n`` against them when there are as many."""
    settings = PassSettings(seed=seed, networks=networks or {}, quiet=quiet)
    return refer(_in_order(batches), settings, metrics=metrics, n=n, floor=floor)


def measure(
    real: Batches | Reference,
    fake: Batches,
    *,
    metrics: Metrics = DEFAULT,
    n: int | None = None,
    seed: int = 0,
    networks: Mapping[str, Extractor] | None = None,
    floor: bool = True,
    quiet: bool = True,
) -> Measurement:
    """Measures batches of generated pictures against batches of real ones.

    Args:
        real: Batches, or a :class:`Reference`, whose metrics, ``n`` and seed then hold.
        metrics: Names, or names with a ``Config`` that departs from the metric's default.
        n: Pictures on each side. The order of both sides must be random, because neighbours are paired by MS-SSIM, and
            for SSIM and PSNR one and the same.
        seed: Of all random choices of the metrics (places of patches, directions).
        networks: For each metric that sees features, the network whose rows it takes.
        floor: Whether to take a second draw of ``n`` reals, where there are as many, and measure it too.
    """
    if not isinstance(real, Reference):
        if n is None:
            raise UserError("How many pictures are to be compared is not said. Give `n`.")
        real = reference(real, metrics=metrics, n=n, seed=seed, networks=networks, floor=floor, quiet=quiet)
    reals = real.gathered
    asked = {name: stats.config for name, stats in reals.stats.items()}
    of_reals = next((stats.seed for stats in reals.stats.values()), seed)
    settings = PassSettings(seed=of_reals, networks=networks or {}, quiet=quiet)
    return against(real, _in_order(fake), settings, metrics=asked, n=reals.n)


def compare(
    real: Gathered | None,
    fake: Gathered,
    *,
    networks: Mapping[str, Extractor] | None = None,
    lenient: bool = False,
    quiet: bool = True,
) -> tuple[list[Result], dict[str, str]]:
    """Every metric's results with the reals' fingerprint in the protocol, and why others have none.

    Args:
        real: None measures what needs no reference.
        networks: Of metrics that show them pairs of pictures.
        lenient: A metric that cannot be computed is left out, with its reason, instead of ending all.

    Raises:
        UserError: the two sides have pictures of different sizes, or a metric cannot be computed.
    """
    if real is not None and None not in (real.shape, fake.shape) and real.shape != fake.shape:
        has, wanted = shape_in_words(fake.shape), shape_in_words(real.shape)
        raise UserError(
            f"The generated pictures have {has}, and the real ones {wanted}. "
            "Bring both to one size and one number of channels (`--size`, `--channels`)."
        )
    results: list[Result] = []
    without = {**fake.missing, **(real.missing if real else {})}
    for name in fake.stats:
        try:
            results += _one(name, real, fake, network=(networks or {}).get(name), quiet=quiet)
        except UserError as error:
            if not lenient:
                raise
            without[name] = str(error)
    return results, without


def why_not(name: str, *, alone: bool, n: int | None = None) -> str | None:
    """What keeps a metric from being computed, as far as it can be said before any picture is read; None: nothing."""
    module = metric_catalogue.load(name)
    package = getattr(module, "NEEDS", None)
    if module.SEES not in SEEN:
        command = getattr(module, "COMMAND", f"ganvas metrics {name}")
        return f"{name} is not a measure of sets of pictures: it has a command of its own, `{command}`."
    if package and importlib.util.find_spec(package) is None:
        return f"{module.TITLE} needs the package {package}: pip install 'ganvas[metrics]'."
    if alone and not getattr(module, "ALONE", False):
        return f"{module.TITLE} compares with real pictures. Give them as well: ganvas measure FAKES REALS."
    if n is not None and n < module.MINIMUM:
        return f"{module.TITLE} needs at least {module.MINIMUM} pictures on each side, and there are {n}."
    return None


def _one(name: str, real: Gathered | None, fake: Gathered, *, network: Extractor | None, quiet: bool) -> list[Result]:
    module = metric_catalogue.load(name)
    of_one = getattr(module, "ALONE", False)
    if not of_one and (real is None or name not in real.stats):
        reason = real.missing.get(name) if real else why_not(name, alone=True)
        raise UserError(reason or f"The reference holds nothing for {name}.")
    stats = real.stats.get(name) if real else None
    how = {"network": network} if shows_pairs(module) else {}
    found = module.compare(stats, fake.stats[name], quiet=quiet, **how)
    said = f":treated={'+'.join(fake.treated)}" if fake.treated else ""
    said += f":ref={real.fingerprint}" if real is not None and stats is not None else ""
    return [dataclasses.replace(one, protocol=f"{_of_shape(one.protocol, fake)}{said}") for one in found]


def _of_shape(protocol: str, side: Gathered) -> str:
    """With the size of the pictures, where the metric does not say it itself, as far as it is known."""
    channels, height, width = side.shape or (0, 0, 0)
    size = f"{height}x{width}x{channels}"
    return protocol if side.shape is None or size in protocol.split(":") else f"{protocol}:of-{size}"


def _without_pairs(metrics: Metrics) -> Metrics:
    kept = [name for name in metrics if not getattr(metric_catalogue.load(name), "PAIRED", False)]
    return {name: metrics[name] for name in kept} if isinstance(metrics, Mapping) else kept


def _in_order(batches: Batches) -> DrawnSet:
    """Batches that can be gone through once: what is asked for first must be their beginning."""
    drawn, rest = iter(batches), list[Tensor]()

    def following(start: int, stop: int, of: int) -> Iterator[Tensor]:
        ahead = itertools.chain(list(rest), drawn)
        rest.clear()
        yield from _exactly(ahead, stop - start, rest)

    return DrawnSet(batches=following)


def _exactly(batches: Iterator[Tensor], n: int, rest: list[Tensor]) -> Iterator[Tensor]:
    """The first ``n`` pictures; the remainder of the batch in which they end goes to ``rest``."""
    for batch in batches:
        if len(batch) > n:
            rest.append(batch[n:])  # Before the yield: whoever has enough does not come back.
        yield batch[:n]
        n -= len(batch)
        if n <= 0:
            return
