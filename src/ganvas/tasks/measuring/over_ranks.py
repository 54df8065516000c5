"""Work of measuring that several processes share: ``torchrun -m ganvas measure ...``, ``... stats ...``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from ganvas.tasks.measuring.picture_options import PictureOptions

if TYPE_CHECKING:
    from ganvas.core.ranks import Ranks

T = TypeVar("T")


@contextmanager
def sharing(task: PictureOptions) -> Iterator["Ranks"]:
    """The processes that torchrun started, or this one alone."""
    from ganvas.core.ranks import joined
    from ganvas.tasks.train import pick_device

    with joined(pick_device(task.device)) as ranks:
        yield ranks


def prepared(ranks: "Ranks", prepare: Callable[[], T]) -> T:
    """What the first process prepares (packs, above all) before the others do, which find it there."""
    first = prepare() if ranks.first else None
    ranks.barrier()
    return first if first is not None else prepare()
