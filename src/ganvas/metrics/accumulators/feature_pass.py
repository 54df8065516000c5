"""One pass over a set of pictures, in which every metric keeps what it needs of them.

A metric that sees features gets the rows of its network (``networks``, by metric); each network runs once per picture
for all metrics, and accumulators that keep the same rows keep them once. Memory is that of the metrics' accumulators
(each names its own in its file) and one batch.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.metrics.accumulators.metric_contract import Stats, shows_pairs
from ganvas.metrics.measuring import metric_catalogue

T = TypeVar("T")

DEFAULT = ("swd", "ms_ssim")

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
class Remembers(Protocol):
    """What remembers the accumulators of one set (:class:`ganvas.metrics.accumulators.feature_cache.Remembered`)."""

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


def gather(
    batches: Batches,
    *,
    metrics: Metrics = DEFAULT,
    n: int,
    seed: int = 0,
    networks: Mapping[str, Extractor] | None = None,
    kept: Remembers | None = None,
    place: int = 0,
    lenient: bool = False,
    treated: tuple[str, ...] = (),
    title: str = "pictures",
    quiet: bool = True,
) -> Gathered:
    """Feeds ``n`` pictures to an accumulator per metric. What ``batches`` holds beyond ``n`` is not read.

    Args:
        networks: For each metric that looks through one, its network.
        kept: Where accumulators of just these pictures may be found again, and are put.
        place: In its set, of the first picture: 0 but of a part that is to be merged with others.
        lenient: A metric that cannot take these pictures is left out (``missing``) instead of ending all.
        treated: What was done to the pictures first, in words that go into the protocol of values of them.

    Raises:
        UserError: there are fewer than ``n`` pictures, or they differ in size.
    """
    modules = {name: metric_catalogue.load(name) for name in metrics}
    stats, missing = _empty(modules, metrics, networks or {}, seed=seed, lenient=lenient)
    for one in stats.values():
        one.begin_at(place)
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
    if module.SEES == "pixels" and not shows_pairs(module):
        return None
    if name not in networks:
        return f"{module.TITLE} looks through a network, and none is given for it (`networks`)."
    if module.SEES == "pixels":
        return None
    taps = networks[name].taps
    if module.SEES not in taps:
        return (
            f"{module.TITLE} sees {module.SEES}, and the network {networks[name].identity} gives only "
            f"{', '.join(taps) or 'distances of pairs'}. Choose another one with `--features`."
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
