"""Measures two sets of pictures by any number of metrics, in one pass over either.

Reals are accumulated once and used often::

    reals = reference(real_batches, n=2000)          # with its floor: reals against a second draw of reals
    measurement = measure(reals, fake_batches)       # as often as you like

What a pass over pictures is, :mod:`ganvas.metrics.accumulators.feature_pass` says.
"""

import dataclasses
import importlib.util
import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_pass import DEFAULT, Batches, Extractor, Gathered, Metrics, TooFew, gather
from ganvas.metrics.accumulators.metric_contract import shape_in_words
from ganvas.metrics.measuring import metric_catalogue

SEEN = ("pixels", "features", "logits", "spatial", "segments")  # Of sets of pictures; others see models or runs.


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
    seconds: float
    reference: str  # Fingerprint of the reals.
    fakes: str  # Fingerprint of the generated pictures.
    skipped: Mapping[str, str] = field(default_factory=dict)  # Metrics without a result, and why.


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
    """Gathers the first ``n`` reals, and measures the next ``n`` against them when there are as many."""
    started = time.monotonic()
    drawn, rest, found = iter(batches), [], []
    how: dict[str, Any] = {"metrics": metrics, "n": n, "seed": seed, "networks": networks, "quiet": quiet}
    gathered = gather(_exactly(drawn, n, rest), title="measure: real", **how)
    how["metrics"] = _without_pairs(metrics)  # A second draw of reals has no partners.
    if floor and how["metrics"]:
        with suppress(TooFew):
            second = gather(itertools.chain(rest, drawn), title="measure: real again", **how)
            found, _ = compare(gathered, second, quiet=quiet)
    return Reference(gathered=gathered, floor=found, seconds=time.monotonic() - started)


def measure(
    real: Batches | Reference,
    fake: Batches | Gathered,
    *,
    metrics: Metrics = DEFAULT,
    n: int | None = None,
    seed: int = 0,
    networks: Mapping[str, Extractor] | None = None,
    floor: bool = True,
    quiet: bool = True,
) -> Measurement:
    """Measures generated pictures against real ones.

    Args:
        real: Batches, or a :class:`Reference`, whose metrics, ``n`` and seed then hold.
        fake: Batches (or gathered as the reference was).
        metrics: Names, or names with a ``Config`` that departs from the metric's default.
        n: Pictures on each side. The order of both sides must be random, because neighbours are paired by MS-SSIM, and
            for SSIM and PSNR one and the same.
        seed: Of all random choices of the metrics (places of patches, directions).
        networks: For each metric that sees features, the network whose rows it takes.
        floor: Whether to take a second draw of ``n`` reals, where there are as many, and measure it too.
    """
    started = time.monotonic()
    if not isinstance(real, Reference):
        if n is None:
            raise UserError("How many pictures are to be compared is not said. Give `n`.")
        real = reference(real, metrics=metrics, n=n, seed=seed, networks=networks, floor=floor, quiet=quiet)
    reals = real.gathered
    if not isinstance(fake, Gathered):
        asked = {name: stats.config for name, stats in reals.stats.items()}
        of_reals = next((stats.seed for stats in reals.stats.values()), seed)
        how: dict[str, Any] = {"n": reals.n, "seed": of_reals, "networks": networks, "quiet": quiet}
        fake = gather(fake, metrics=asked, title="measure: generated", **how)
    results, _ = compare(reals, fake, quiet=quiet)
    return Measurement(
        results=results,
        floor=real.floor,
        n=reals.n,
        seed=next((result.seed for result in results), seed),
        seconds=time.monotonic() - started,
        reference=reals.fingerprint,
        fakes=fake.fingerprint,
    )


def compare(
    real: Gathered | None, fake: Gathered, *, lenient: bool = False, quiet: bool = True
) -> tuple[list[Result], dict[str, str]]:
    """Every metric's results with the reals' fingerprint in the protocol, and why others have none.

    Args:
        real: None measures what needs no reference.
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
            results += _one(name, real, fake, quiet=quiet)
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


def _one(name: str, real: Gathered | None, fake: Gathered, *, quiet: bool) -> list[Result]:
    module = metric_catalogue.load(name)
    of_one = getattr(module, "ALONE", False)
    if not of_one and (real is None or name not in real.stats):
        reason = real.missing.get(name) if real else why_not(name, alone=True)
        raise UserError(reason or f"The reference holds nothing for {name}.")
    stats = real.stats.get(name) if real else None
    found = module.compare(stats, fake.stats[name], quiet=quiet)
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


def _exactly(batches: Iterator[Tensor], n: int, rest: list[Tensor]) -> Iterator[Tensor]:
    """The first ``n`` pictures; what is left of the batch in which they end goes to ``rest``."""
    for batch in batches:
        if len(batch) > n:
            rest.append(batch[n:])  # Before the yield: whoever has enough does not come back.
        yield batch[:n]
        n -= len(batch)
        if n <= 0:
            return
