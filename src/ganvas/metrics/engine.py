"""Measures two sets of pictures by any number of metrics, in one pass over either.

Reals are accumulated once and used often::

    reals = reference(real_batches, n=2000)          # with its floor: reals against a second draw of reals
    measurement = measure(reals, fake_batches)       # as often as you like

A metric that sees features gets the rows of its network (``networks``, by metric); each network runs once per picture
for all metrics, and accumulators that keep the same rows keep them once. Memory is that of the metrics' accumulators
(each names its own in its file) and one batch.
"""

import dataclasses
import functools
import hashlib
import importlib.util
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.metrics import shelf
from ganvas.metrics.contract import Stats, shape_in_words

T = TypeVar("T")

DEFAULT = ("swd", "ms_ssim")
SEEN = ("pixels", "features", "logits", "spatial", "segments")  # Of sets of pictures; others see models or runs.

Batches = Iterable[Tensor]  # Pictures, uint8 of shape (n, c, h, w) with any n.
Metrics = Sequence[str] | Mapping[str, Any]  # Names, or names with their Config.


@runtime_checkable
class Extractor(Protocol):
    """What a feature network must offer (:mod:`ganvas.features`)."""

    @property
    def identity(self) -> str:
        """Extractor, weights and resize, as a part of a protocol string."""
        ...

    @property
    def taps(self) -> Mapping[str, int]:
        """What can be read, and how many numbers each is."""
        ...

    def extract(self, pictures: Tensor, taps: Sequence[str], /) -> Mapping[str, Tensor]:
        """Rows (n, d) by tap, of pictures uint8 (n, c, h, w)."""
        ...


@runtime_checkable
class Kept(Protocol):
    """What remembers the accumulators of one set (:class:`ganvas.metrics.cache.Remembered`)."""

    def find(self, name: str, empty: Stats) -> "tuple[Stats, Seen] | None":
        """The filled accumulator of a metric, and what the pictures were."""
        ...

    def keep(self, name: str, stats: Stats, seen: "Seen") -> None:
        """Remembers it."""
        ...


class Seen(NamedTuple):
    """What is known of the pictures that went through."""

    fingerprint: str  # Of them and their order.
    shape: tuple[int, ...] | None  # Channels, height, width; None where there were none.


class TooFew(UserError):
    """A source has fewer pictures than asked for."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """One set of pictures as every metric keeps it."""

    stats: Mapping[str, Stats]  # By metric.
    n: int
    fingerprint: str  # Of the pictures and their order.
    missing: Mapping[str, str] = field(default_factory=dict)  # Metrics that are not there, and why.
    shape: tuple[int, ...] | None = None  # Of the pictures: channels, height, width; None where it is not known.
    treated: tuple[str, ...] = ()  # What was done to them first, in words: "crop", "lanczos".


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


def gather(
    batches: Batches,
    *,
    metrics: Metrics = DEFAULT,
    n: int,
    seed: int = 0,
    networks: Mapping[str, Extractor] | None = None,
    kept: Kept | None = None,
    lenient: bool = False,
    treated: tuple[str, ...] = (),
    title: str = "pictures",
    quiet: bool = True,
) -> Gathered:
    """Feeds ``n`` pictures to an accumulator per metric. What ``batches`` holds beyond ``n`` is not read.

    Args:
        networks: For each metric that sees features, the network whose rows it takes.
        kept: Where accumulators of just these pictures may be found again, and are put.
        lenient: A metric that cannot take these pictures is left out (``missing``) instead of ending all.
        treated: What was done to the pictures first, in words that go into the protocol of values of them.

    Raises:
        UserError: there are fewer than ``n`` pictures, or they differ in size.
    """
    modules = {name: shelf.load(name) for name in metrics}
    stats, missing = _empty(modules, metrics, networks or {}, seed=seed, lenient=lenient)
    followers = _followers(stats, modules, networks or {})
    found = {name: hit for name in followers if kept and (hit := kept.find(name, stats[name]))}
    stats |= {name: filled for name, (filled, _) in found.items()}
    known = next((said for _, said in found.values()), None)
    open_ = [name for name in followers if name not in found]
    if open_ or known is None:
        feed = _Feed({name: stats[name] for name in open_}, modules, networks or {}, lenient=lenient)
        known = _pass(batches, feed, n=n, title=title, quiet=quiet)
        missing |= {one: why for name, why in feed.refused.items() for one in followers[name]}
        for name in open_:
            if kept and name not in feed.refused:
                kept.keep(name, stats[name], known)
    for leader, names in followers.items():
        for name in names:
            if name != leader:
                stats[name].adopt(stats[leader])
    there = {name: stats[name] for name in modules if name in stats and name not in missing}
    return Gathered(stats=there, n=n, missing=missing, treated=treated, **known._asdict())


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
    module = shelf.load(name)
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
    module = shelf.load(name)
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


class _Feed:
    """Gives every batch to accumulators, each network's rows computed once."""

    def __init__(
        self,
        stats: Mapping[str, Stats],
        modules: Mapping[str, ModuleType],
        networks: Mapping[str, Extractor],
        *,
        lenient: bool,
    ) -> None:
        self.stats, self.lenient = dict(stats), lenient
        self.refused: dict[str, str] = {}
        self._by_network: dict[int, tuple[Extractor | None, list[str]]] = {}
        for name in stats:
            network = None if modules[name].SEES == "pixels" else networks[name]
            self._by_network.setdefault(id(network), (network, []))[1].append(name)
        self._tap = {name: modules[name].SEES for name in stats}
        self._seen = 0  # Pictures of earlier batches.

    def __call__(self, pictures: Tensor) -> None:
        for network, names in self._by_network.values():
            names = [name for name in names if name not in self.refused]
            if not names:
                continue
            seen = self._rows(network, names, pictures)
            for name in names:
                if name not in self.refused:
                    self._try([name], functools.partial(self.stats[name].update, seen[self._tap[name]]))
        self._seen += len(pictures)

    def _rows(self, network: Extractor | None, names: list[str], pictures: Tensor) -> Mapping[str, Tensor]:
        """What these metrics see of the pictures, by tap."""
        if network is None:
            return {"pixels": pictures}
        taps = sorted({self._tap[name] for name in names})
        return self._try(names, lambda: self._require_finite(network, network.extract(pictures, taps))) or {}

    def _require_finite(self, network: Extractor, seen: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """At once, and not when all has been looked at: by then nobody knows which picture it was."""
        for tap, rows in seen.items():
            bad = (~rows.isfinite().flatten(1).all(1)).nonzero()
            if len(bad):
                raise UserError(
                    f"The network {network.identity} gives nan or infinity as {tap} of picture "
                    f"{self._seen + int(bad[0])} (counted from 0, in the order drawn): nothing seen through it can be "
                    "measured."
                )
        return seen

    def _try(self, names: list[str], what: Callable[[], T]) -> T | None:
        try:
            return what()
        except UserError as error:
            if not self.lenient:
                raise
            self.refused |= dict.fromkeys(names, str(error))
            return None


def _empty(
    modules: Mapping[str, ModuleType],
    metrics: Metrics,
    networks: Mapping[str, Extractor],
    *,
    seed: int,
    lenient: bool,
) -> tuple[dict[str, Stats], dict[str, str]]:
    """An accumulator per metric that can have one, and why the others cannot."""
    configs = metrics if isinstance(metrics, Mapping) else {}
    stats, missing = {}, {}
    for name, module in modules.items():
        reason = _without_rows(name, module, networks)
        if reason and not lenient:
            raise UserError(reason)
        if reason:
            missing[name] = reason
            continue
        rows_of = networks[name].identity if module.SEES != "pixels" else ""
        stats[name] = module.Accumulator(seed=seed, config=configs.get(name), rows_of=rows_of)
    return stats, missing


def _without_rows(name: str, module: ModuleType, networks: Mapping[str, Extractor]) -> str | None:
    if module.SEES == "pixels":
        return None
    if name not in networks:
        return f"{module.TITLE} sees features, and no network is given for it (`networks`)."
    taps = networks[name].taps
    if module.SEES not in taps:
        return (
            f"{module.TITLE} sees {module.SEES}, and the network {networks[name].identity} gives only "
            f"{', '.join(taps)}. Choose another one with `--features`."
        )
    return None


def _followers(
    stats: Mapping[str, Stats], modules: Mapping[str, ModuleType], networks: Mapping[str, Extractor]
) -> dict[str, list[str]]:
    """Accumulators to be filled, each with those that keep the same rows (itself the first)."""
    groups: dict[Any, list[str]] = {}
    for name, one in stats.items():
        whose = id(networks[name]) if modules[name].SEES != "pixels" else None
        key = (one.shares, modules[name].SEES, whose) if one.shares else name
        groups.setdefault(key, []).append(name)
    return {names[0]: names for names in groups.values()}


def _pass(batches: Batches, feed: Callable[[Tensor], None], *, n: int, title: str, quiet: bool) -> Seen:
    """One pass over ``n`` pictures."""
    digest, done, shape = hashlib.sha256(), 0, None
    with progress(title, n, unit="pictures", quiet=quiet) as report:
        for batch in batches:
            if not isinstance(batch, Tensor) or batch.dtype != torch.uint8:
                what = f"a tensor of {batch.dtype}" if isinstance(batch, Tensor) else f"{type(batch).__name__}"
                raise UserError(f"Pictures to be measured come as tensors of uint8, (n, c, h, w); this is {what}.")
            pictures = batch[: n - done]
            shape = tuple(pictures.shape[1:])
            digest.update(pictures.cpu().numpy().tobytes())
            feed(pictures)
            done += len(pictures)
            report(done)
            if done == n:
                break
    if done < n:
        remedy = f"Ask for fewer: `--n {done}`." if done else "Give some."
        raise TooFew(f"{done} pictures are there and {n} are asked for. {remedy}")
    return Seen(digest.hexdigest()[:16], shape)


def _without_pairs(metrics: Metrics) -> Metrics:
    kept = [name for name in metrics if not getattr(shelf.load(name), "PAIRED", False)]
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
