"""What is compared: a run's model, a source of pictures, or a file of statistics, and what the metrics get of it."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError

if TYPE_CHECKING:
    from ganvas.data.packed import Packed
    from ganvas.metrics.accumulators.feature_networks import Chosen
    from ganvas.metrics.accumulators.feature_pass import Gathered
    from ganvas.metrics.statistics.opening import StatsFile
    from ganvas.tasks.measure import Measure
    from ganvas.tasks.stats import Stats
    from ganvas.train.trained import Trained

    Settings = Measure | Stats  # What both say of pictures and networks.

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
    trained: "Trained | None" = None
    file: "StatsFile | None" = None
    treated: tuple[str, ...] = ()  # What was done to the pictures first.
    left_out: tuple[str, ...] = ()  # Names of files that could not be read.

    @property
    def has_pictures(self) -> bool:
        """Whether there is something for a network to look at."""
        return self.file is None or self.file.pictures is not None


class SequentialDraw:
    """A model's pictures in order; whoever goes on where the last one stopped has them drawn once."""

    def __init__(self, sample: Callable[[int], Iterator[Any]]) -> None:
        self._sample, self._at, self._total = sample, 0, -1
        self._open: Iterator[Any] = iter(())

    def __call__(self, start: int, stop: int, of: int) -> Iterator[Any]:
        if (start, of) != (self._at, self._total):
            self._open, self._total = after(self._sample(of), start), of
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


def after(batches: Iterator[Any], start: int) -> Iterator[Any]:
    """What comes behind the first ``start`` pictures."""
    for batch in batches:
        if start < len(batch):
            yield batch[start:]
        start = max(0, start - len(batch))


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


def chosen_networks(task: "Settings") -> "Chosen":
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


def of_run(task: "Measure", path: Path) -> Side:
    """A run's model, or one of its model folders."""
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    trained = load(path, kimg=task.kimg, device=pick_device(task.device))
    return Side(
        spec=str(path),
        shape=(trained.height, trained.width, trained.channels),
        count=None,
        batches=SequentialDraw(lambda n: trained.sample_bytes(n, seed=task.seed, batch=task.batch)),
        trained=trained,
    )


def of_source(task: "Settings", spec: str, *, model: "Trained | None" = None) -> Side:
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


def of_pack(task: "Settings", spec: str, packed: "Packed") -> Side:
    """Pictures that lie packed."""
    return Side(
        spec=spec,
        shape=(packed.height, packed.width, packed.channels),
        count=len(packed),
        batches=lambda start, stop, of: draw(packed, stop, seed=task.seed, start=start),
        names=lambda: packed.names,
        content=lambda start, stop: _content(packed, start, stop, seed=task.seed),
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


def draw(packed: "Packed", n: int, *, seed: int, batch: int = BATCH, start: int = 0) -> Iterator[Any]:
    """``n`` different pictures in random order, from the ``start``-th on, as uint8 batches (b, c, h, w).

    The order is one for all sources of as many pictures, so that pairs stay pairs.
    """
    import torch

    order = _order(packed, seed)[start:n]
    for first in range(0, len(order), batch):
        yield torch.from_numpy(packed.read(order[first : first + batch])).permute(0, 3, 1, 2)


def gather(
    task: "Settings",
    side: Side,
    metrics: Sequence[str],
    *,
    first: int,
    n: int,
    of: int,
    networks: dict[str, Any],
    rows_of: dict[str, str],
    lenient: bool,
    title: str,
) -> "Gathered":
    """One side as the metrics keep it: from its file, from the pictures, or what the file lacks from its pictures.

    Args:
        first: The place of the first picture in the order that the seed gives; ``n`` are taken, ``of`` so many in all.
        rows_of: By metric, whose rows the other side is made of, where no network runs.
    """
    from ganvas.metrics.accumulators import feature_pass

    if side.file is None:
        how: dict[str, Any] = {
            "seed": task.seed,
            "networks": networks,
            "lenient": lenient,
            "title": title,
            "quiet": task.quiet,
        }
        assert side.batches is not None
        drawn = side.batches(first, first + n, of)
        how |= {"kept": _remembered(task, side, first, n), "treated": side.treated}
        return feature_pass.gather(drawn, metrics=metrics, n=n, **how)
    beside = side.file.pictures
    known = side.file.gathered(
        metrics, seed=task.seed, networks=networks, rows_of=rows_of, lenient=lenient or beside is not None
    )
    rest = [name for name in metrics if name in known.missing]
    if not rest or beside is None:
        return known
    pictures = of_source(task, beside)
    n = min(n, pictures.count or 0)
    more = gather(
        task,
        pictures,
        rest,
        first=0,
        n=n,
        of=n,
        networks=networks,
        rows_of=rows_of,
        lenient=lenient,
        title=title,
    )
    both = {**known.stats, **more.stats}
    return dataclasses.replace(
        known, stats={name: both[name] for name in metrics if name in both}, missing=dict(more.missing)
    )


def _remembered(task: "Settings", side: Side, first: int, n: int) -> Any:
    """The cache of what these pictures were reduced to; None where they are made anew each time."""
    if side.content is None or task.no_cache:
        return None
    from ganvas.metrics.accumulators.feature_cache import Remembered
    from ganvas.tasks.train import pick_device

    return Remembered(content=side.content(first, first + n), device=pick_device(task.device).type)


def _order(packed: "Packed", seed: int) -> Any:
    import torch

    from ganvas.core.seeds import stream

    return torch.randperm(len(packed), generator=stream(seed, "measure", "order")).numpy()


def _content(packed: "Packed", start: int, stop: int, *, seed: int) -> str:
    from ganvas.metrics.accumulators.feature_cache import content_of

    return content_of(packed.fingerprint, _order(packed, seed)[start:stop])
