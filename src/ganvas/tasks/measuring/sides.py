"""The two sides of a comparison: a run's model, a source of pictures or a file of statistics, as metrics see it."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError
from ganvas.tasks.measuring.picture_options import PictureOptions

if TYPE_CHECKING:
    from ganvas.core.ranks import Ranks
    from ganvas.data.packed import Packed
    from ganvas.metrics.accumulators.feature_networks import Chosen
    from ganvas.metrics.accumulators.feature_pass import Gathered, Metrics
    from ganvas.metrics.measuring.flow import DrawnSet, PassSettings, PictureSet
    from ganvas.metrics.statistics.base import StatsFile
    from ganvas.train.trained import Trained

ALL = "all"
BATCH = 64
Shape = tuple[int, int, int]  # Height, width, channels.


@dataclass(frozen=True, kw_only=True)
class Side:
    """Where pictures, or what is known of them, come from."""

    spec: str
    shape: Shape | None  # None for a file of statistics that does not say.
    count: int | None  # None for a model, which draws as many as are asked, and for a file that does not say.
    batches: Callable[[int, int, int], Iterator[Any]] | None = None  # From, to, of so many in all: uint8 (b, c, h, w).
    names: Callable[[], list[str] | None] | None = None  # Of the files in order; None itself: nothing has a place.
    content: Callable[[int, int], str] | None = None  # Names these pictures and their order; None where they are made.
    fingerprint: str | None = None  # Of a pack, whatever is drawn of it.
    trained: "Trained | None" = None
    file: "StatsFile | None" = None
    treated: tuple[str, ...] = ()  # What was done to the pictures first.
    left_out: tuple[str, ...] = ()  # Names of files that could not be read.

    @property
    def has_pictures(self) -> bool:
        """Whether there is something for a network to look at."""
        return self.file is None or self.file.pictures is not None


class SequentialDraw:
    """A model's pictures in order; whoever goes on where the last one stopped has them drawn once.

    Args:
        sample: Of so many in all, those from a place on, in batches.
    """

    def __init__(self, sample: Callable[[int, int], Iterator[Any]]) -> None:
        self._sample, self._at, self._total = sample, 0, -1
        self._open: Iterator[Any] = iter(())

    def __call__(self, start: int, stop: int, of: int) -> Iterator[Any]:
        if (start, of) != (self._at, self._total):
            self._open, self._total = self._sample(of, start), of
        self._at = start
        while self._at < stop:
            batch = next(self._open, None)
            if batch is None:
                return
            taken = min(len(batch), stop - self._at)
            if taken < len(batch):
                self._open = itertools.chain([batch[taken:]], self._open)
            self._at += taken
            yield batch[:taken]


def chosen_metrics(given: Sequence[str]) -> tuple[list[str], bool]:
    """Names from ``fid,kid`` or ``fid kid``, each once. ``all`` are all there are, less those that cannot be (True).

    >>> chosen_metrics(("swd,ms_ssim", "swd"))
    (['swd', 'ms_ssim'], False)
    """
    from ganvas.metrics.measuring import metric_catalogue

    words = list(dict.fromkeys(word.strip() for text in given for word in text.split(",") if word.strip()))
    if not words:
        raise UserError(f"No metric is named. Choose from: {', '.join(metric_catalogue.names())}.")
    if ALL in words:
        return metric_catalogue.names(), True
    for word in words:
        metric_catalogue.load(word)
    return words, False


def chosen_networks(task: PictureOptions) -> "Chosen":
    """What was said about networks, with the device found."""
    from ganvas.metrics.accumulators.feature_networks import Chosen
    from ganvas.tasks.train import pick_device

    return Chosen(
        features=task.features,
        weights=tuple(task.weights),
        trust=task.trust_weights,
        device=pick_device(task.device),
        precision=task.precision,
    )


def of_run(task: PictureOptions, path: Path, *, kimg: float | None, batch: int, seed: int, label: str | None) -> Side:
    """A run's model, or one of its model folders.

    Raises:
        UserError: its weights hold nan or infinity.
    """
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    trained = load(path, kimg=kimg, device=pick_device(task.device))
    broken = [name for name, weight in trained.model.state_dict().items() if not bool(weight.isfinite().all())]
    if broken:
        raise UserError(
            f"The weights {broken[0]} of {path} at {trained.kimg:g} kimg hold nan or infinity: the training diverged, "
            "and there are no pictures to measure. Name an earlier moment with --kimg."
        )
    return Side(
        spec=str(path),
        shape=(trained.height, trained.width, trained.channels),
        count=None,
        batches=SequentialDraw(
            lambda n, start: trained.sample_bytes(n, seed=seed, batch=batch, label=label, start=start)
        ),
        trained=trained,
    )


def of_source(task: PictureOptions, spec: str, *, model: "Trained | None" = None) -> Side:
    """Pictures, brought to the size and colour of a model where there is one beside them."""
    from ganvas.data.packing import prepare
    from ganvas.tasks.data import parse_size

    size = parse_size(task.size) if task.size else (model.height, model.width) if model else None
    packed = prepare(
        spec,
        size=size,
        channels=task.channels or (model.channels if model else None),
        fit=model.data.get("fit", task.fit) if model and task.fit == "refuse" else task.fit,
        background=task.background,
        broken=task.broken,
        quiet=task.quiet,
    )
    return of_pack(task, spec, packed)


def of_pack(task: PictureOptions, spec: str, packed: "Packed", *, label: int | None = None) -> Side:
    """Pictures that lie packed; those of one class where it is given."""
    import torch

    from ganvas.metrics.measuring.draws import draw

    among = torch.arange(len(packed))
    if label is not None:
        if packed.labels is None:
            raise UserError(f"{spec} has no labels, so the pictures of one class cannot be told. Leave --label out.")
        among = torch.from_numpy(packed.labels == label).nonzero().flatten()
    return Side(
        spec=spec,
        shape=(packed.height, packed.width, packed.channels),
        count=len(among),
        batches=lambda start, stop, of: draw(packed, stop, seed=task.seed, start=start, among=among),
        names=lambda: packed.names,
        content=lambda start, stop: _content(packed, among, start, stop, seed=task.seed),
        fingerprint=packed.fingerprint,
        treated=packed.treated,
        left_out=tuple(name for name, _ in packed.manifest.get("broken", ())),
    )


def of_file(path: Path) -> Side:
    """A file of statistics."""
    from ganvas.metrics.statistics.opening import open_stats

    file = open_stats(path)
    channels, height, width = file.shape or (0, 0, 0)
    shape = (height, width, channels) if file.shape else None
    return Side(spec=str(path), shape=shape, count=file.n, file=file, treated=file.treated)


def picture_set(task: PictureOptions, side: Side, ranks: "Ranks | None" = None) -> "PictureSet":
    """A side as the measuring flow takes it; where there are several processes, each gathers a part of the pictures."""
    from ganvas.metrics.measuring.shared_set import SharedSet

    if side.file is not None:
        return _OfFile(task, side, side.file)
    drawn = _drawn(task, side)
    return SharedSet(drawn=drawn, ranks=ranks) if ranks is not None and ranks.count > 1 else drawn


def _drawn(task: PictureOptions, side: Side) -> "DrawnSet":
    from ganvas.metrics.measuring.flow import DrawnSet

    assert side.batches is not None
    return DrawnSet(
        batches=side.batches,
        treated=side.treated,
        remembered=lambda start, stop: _remembered(task, side, start, stop),
    )


@dataclass(frozen=True)
class _OfFile:
    """What a file of statistics holds; what it lacks comes from the pictures that are in it too."""

    task: PictureOptions
    side: Side
    file: "StatsFile"

    @property
    def treated(self) -> tuple[str, ...]:
        return self.side.treated

    def gather(
        self, metrics: "Metrics", settings: "PassSettings", *, first: int, n: int, of: int, title: str
    ) -> "Gathered":
        """See :class:`ganvas.metrics.measuring.flow.PictureSet`; a file has one draw, whole."""
        beside = self.file.pictures
        known = self.file.gathered(
            metrics,
            seed=settings.seed,
            networks=settings.networks,
            rows_of=settings.rows_of,
            lenient=settings.lenient or beside is not None,
        )
        configs = metrics if isinstance(metrics, Mapping) else {}
        rest = {name: configs.get(name) for name in metrics if name in known.missing}
        if not rest or beside is None:
            return known
        pictures = of_source(self.task, beside)
        n = min(n, pictures.count or 0)
        more = _drawn(self.task, pictures).gather(rest, settings, first=0, n=n, of=n, title=title)
        both = {**known.stats, **more.stats}
        return dataclasses.replace(
            known, stats={name: both[name] for name in metrics if name in both}, missing=dict(more.missing)
        )


def _remembered(task: PictureOptions, side: Side, start: int, stop: int) -> Any:
    """The cache of what these pictures were reduced to; None where they are made anew each time."""
    if side.content is None or task.no_cache:
        return None
    from ganvas.metrics.accumulators.feature_cache import Remembered
    from ganvas.tasks.train import pick_device

    return Remembered(content=side.content(start, stop), device=pick_device(task.device).type)


def _content(packed: "Packed", among: Any, start: int, stop: int, *, seed: int) -> str:
    from ganvas.metrics.accumulators.feature_cache import content_of
    from ganvas.metrics.measuring.draws import order

    return content_of(packed.fingerprint, among[order(len(among), seed=seed)][start:stop].numpy())
