"""Measures two sets of pictures by any number of metrics, in one pass over either.

Reals are accumulated once and used often::

    reals = reference(real_batches, n=2000)          # with its floor: reals against a second draw of reals
    measurement = measure(reals, fake_batches)       # as often as you like

Memory is that of the metrics' accumulators (each names its own in its file) and one batch.
"""

import dataclasses
import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.metrics import shelf
from ganvas.metrics.contract import Stats

DEFAULT = ("swd", "ms_ssim")

Batches = Iterable[Tensor]  # Pictures, uint8 of shape (n, c, h, w) with any n.
Metrics = Sequence[str] | Mapping[str, Any]  # Names, or names with their Config.


class TooFew(UserError):
    """A source has fewer pictures than asked for."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """One set of pictures as every metric keeps it."""

    stats: Mapping[str, Stats]  # By metric.
    n: int
    fingerprint: str  # Of the pictures and their order.


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


def gather(
    batches: Batches,
    *,
    metrics: Metrics = DEFAULT,
    n: int,
    seed: int = 0,
    title: str = "pictures",
    quiet: bool = True,
) -> Gathered:
    """Feeds ``n`` pictures to an accumulator per metric. What ``batches`` holds beyond ``n`` is not read.

    Raises:
        UserError: there are fewer than ``n`` pictures, or they differ in size.
    """
    modules = {name: shelf.load(name) for name in metrics}
    configs = metrics if isinstance(metrics, Mapping) else {}
    stats = {name: module.Accumulator(seed=seed, config=configs.get(name)) for name, module in modules.items()}
    digest, done = hashlib.sha256(), 0
    with progress(title, n, unit="pictures", quiet=quiet) as report:
        for batch in batches:
            if batch.dtype != torch.uint8:
                raise UserError(f"Pictures to be measured are bytes (uint8); these are {batch.dtype}.")
            pictures = batch[: n - done].cpu()
            digest.update(pictures.numpy().tobytes())
            for name in modules:
                stats[name].update(pictures)
            done += len(pictures)
            report(done)
            if done == n:
                break
    if done < n:
        raise TooFew(f"{done} pictures are there and {n} are asked for. Ask for fewer: `--n {done}`.")
    return Gathered(stats=stats, n=n, fingerprint=digest.hexdigest()[:16])


def reference(
    batches: Batches,
    *,
    metrics: Metrics = DEFAULT,
    n: int,
    seed: int = 0,
    floor: bool = True,
    quiet: bool = True,
) -> Reference:
    """Gathers the first ``n`` reals, and measures the next ``n`` against them when there are as many."""
    started = time.monotonic()
    drawn, rest, found = iter(batches), [], []
    first = _exactly(drawn, n, rest)
    gathered = gather(first, metrics=metrics, n=n, seed=seed, title="measure: real", quiet=quiet)
    if floor:
        again = itertools.chain(rest, drawn)
        with suppress(TooFew):
            second = gather(again, metrics=metrics, n=n, seed=seed, title="measure: real again", quiet=quiet)
            found = _compare(gathered, second, quiet=quiet)
    return Reference(gathered=gathered, floor=found, seconds=time.monotonic() - started)


def measure(
    real: Batches | Reference,
    fake: Batches | Gathered,
    *,
    metrics: Metrics = DEFAULT,
    n: int | None = None,
    seed: int = 0,
    floor: bool = True,
    quiet: bool = True,
) -> Measurement:
    """Measures generated pictures against real ones.

    Args:
        real: Batches, or a :class:`Reference`, whose metrics, ``n`` and seed then hold.
        fake: Batches (or gathered as the reference was).
        metrics: Names, or names with a ``Config`` that departs from the metric's default.
        n: Pictures on each side. The order of both sides must be random; neighbours are paired by MS-SSIM.
        seed: Of all random choices of the metrics (places of patches, directions).
        floor: Whether to take a second draw of ``n`` reals, where there are as many, and measure it too.
    """
    started = time.monotonic()
    if not isinstance(real, Reference):
        if n is None:
            raise UserError("How many pictures are to be compared is not said. Give `n`.")
        real = reference(real, metrics=metrics, n=n, seed=seed, floor=floor, quiet=quiet)
    reals = real.gathered
    if not isinstance(fake, Gathered):
        asked = {name: stats.config for name, stats in reals.stats.items()}
        of_reals = next((stats.seed for stats in reals.stats.values()), seed)
        fake = gather(fake, metrics=asked, n=reals.n, seed=of_reals, title="measure: generated", quiet=quiet)
    results = _compare(reals, fake, quiet=quiet)
    return Measurement(
        results=results,
        floor=real.floor,
        n=reals.n,
        seed=next((result.seed for result in results), seed),
        seconds=time.monotonic() - started,
        reference=reals.fingerprint,
        fakes=fake.fingerprint,
    )


def _compare(real: Gathered, fake: Gathered, *, quiet: bool) -> list[Result]:
    """Every metric's results, with the reals' fingerprint in the protocol."""
    return [
        dataclasses.replace(result, protocol=f"{result.protocol}:ref={real.fingerprint}")
        for name, stats in real.stats.items()
        for result in shelf.load(name).compare(stats, fake.stats[name], quiet=quiet)
    ]


def _exactly(batches: Iterator[Tensor], n: int, rest: list[Tensor]) -> Iterator[Tensor]:
    """The first ``n`` pictures; what is left of the batch in which they end goes to ``rest``."""
    for batch in batches:
        if len(batch) > n:
            rest.append(batch[n:])  # Before the yield: whoever has enough does not come back.
        yield batch[:n]
        n -= len(batch)
        if n <= 0:
            return
