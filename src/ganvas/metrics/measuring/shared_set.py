"""A set of pictures in parts: of several processes that gather it together, or of files that are merged.

A part is a run of pictures that begins at an even place, so that no pair of neighbours is divided. Every picture keeps
its place in the whole set, so what the parts give together is what one pass over the whole gives, to the last bit
where rows are kept, and to the rounding of float64 sums elsewhere.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.metrics.accumulators.feature_pass import Gathered, Metrics
from ganvas.metrics.accumulators.metric_contract import Stats, broadcast_table
from ganvas.metrics.accumulators.row_table import RowTable
from ganvas.metrics.measuring.flow import DrawnSet, PassSettings

BLOCK = 64  # Parts begin at multiples of it, where there are enough pictures: batches are then those of one process.


def part_of(n: int, part: int, parts: int) -> tuple[int, int]:
    """From where to where the ``part``-th of ``parts`` goes, counted from 0, of ``n`` pictures.

    >>> [part_of(300, part, 2) for part in range(2)], [part_of(5, part, 3) for part in range(3)]
    ([(0, 128), (128, 300)], [(0, 0), (0, 2), (2, 5)])
    """
    step = BLOCK if n >= BLOCK * parts else 2
    borders = [n // step * place // parts * step for place in (part, part + 1)]
    return borders[0], n if part + 1 == parts else borders[1]


@dataclass(frozen=True, kw_only=True)
class SharedSet:
    """Pictures that are drawn when they are asked for, by each process a part; every process is given the whole.

    What was remembered of them is not asked for: it would be of other parts.
    """

    drawn: DrawnSet
    ranks: Ranks

    @property
    def treated(self) -> tuple[str, ...]:
        return self.drawn.treated

    def gather(self, metrics: Metrics, settings: PassSettings, *, first: int, n: int, of: int, title: str) -> Gathered:
        """See :class:`ganvas.metrics.measuring.flow.PictureSet`."""
        if n < 2 * self.ranks.count:
            raise UserError(f"{n} pictures cannot be shared by {self.ranks.count} processes. Start fewer of them.")
        start, stop = part_of(n, self.ranks.rank, self.ranks.count)
        pixels = RowTable()

        def kept(begin: int, end: int, whole: int) -> Iterator[Tensor]:
            for batch in self.drawn.batches(begin, end, whole):
                pixels.append(batch.cpu(), on_disk=True)
                yield batch

        mine = dataclasses.replace(self.drawn, batches=kept, remembered=None)
        placed = dataclasses.replace(settings, place=settings.place + start)
        gathered = mine.gather(metrics, placed, first=first + start, n=stop - start, of=of, title=title)
        self.ranks.barrier()  # Others may have taken longer.
        _reduce(gathered.stats, self.ranks)
        return dataclasses.replace(gathered, n=n, fingerprint=self._fingerprint(pixels))

    def _fingerprint(self, pixels: RowTable) -> str:
        """That of all pictures in their order, as one process finds it."""
        digest = hashlib.sha256()
        for rank in range(self.ranks.count):
            for slab in broadcast_table(pixels if rank == self.ranks.rank else None, rank):
                digest.update(slab.numpy().tobytes())
        return digest.hexdigest()[:16]


def merged(parts: Sequence[Gathered]) -> Gathered:
    """Parts of one set, in the order of their places, as one; the fingerprint is that of their fingerprints.

    Raises:
        UserError: they do not go together, or a picture is in two of them.
    """
    whole = parts[0]
    for other in parts[1:]:
        done: dict[int, Stats] = {}
        for name, stats in whole.stats.items():
            if (first := done.setdefault(id(stats.tables), stats)) is stats:
                stats.merge(other.stats[name])
            else:
                stats.adopt(first)
    fingerprint = hashlib.sha256("".join(part.fingerprint for part in parts).encode()).hexdigest()[:16]
    return dataclasses.replace(whole, n=sum(part.n for part in parts), fingerprint=fingerprint)


def _reduce(gathered: Mapping[str, Stats], ranks: Ranks) -> None:
    """Gives every process what all have gathered; accumulators that shared their rows still do."""
    followed: dict[int, Stats] = {}
    leaders = {name: followed.setdefault(id(stats.tables), stats) for name, stats in gathered.items()}
    for stats in followed.values():
        stats.reduce(ranks)
    for name, leader in leaders.items():
        if gathered[name] is not leader:
            gathered[name].adopt(leader)
