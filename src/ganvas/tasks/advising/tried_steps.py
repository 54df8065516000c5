"""A few steps of a candidate on this machine: what a run of it would cost, and how far it would come."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvas.tasks.train import Train


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a candidate costs here."""

    size: tuple[int, int]  # Height and width of its pictures.
    seconds_per_kimg: float
    flop_per_kimg: float
    kimg: float  # In the minutes that were given, less a tenth for sheets and measurements.
    augmentable: bool
    takes_classes: bool


STEPS_SHARE = 0.9  # Of a run's time.


def tried(task: "Train", *, minutes: float, device: Any) -> Tried:
    """Resolves the settings as `ganvas train` does, packs the pictures, and tries steps of each stage of training.

    Raises:
        UserError: the model cannot learn from these pictures.
    """
    from ganvas.core import catalogue
    from ganvas.core.ranks import Ranks
    from ganvas.losses.capabilities import Conditional
    from ganvas.tasks.train import request_of, resolve, started
    from ganvas.train.augmented import is_augmentable
    from ganvas.train.forecast import forecast
    from ganvas.train.kinds.kinds import kind_of

    module = catalogue.load("models", task.model)
    kind, request = kind_of(module.Model.takes, task.data), request_of(task, None, quiet=True)
    recipe = resolve(task, module, kind, request, None)
    kind.check(request, recipe.config, recipe.plan)
    data = kind.prepare(request, recipe.config, recipe.plan)
    model = started(module, recipe, device)
    feed = data.feed(model, recipe.plan, device=device, ranks=Ranks())
    total = recipe.plan.total_nimg
    coming = forecast(model, feed, total, ranks=Ranks())
    feed.close()
    seconds, flop = coming.step_seconds_between(0, total), coming.flop_between(0, total)
    return Tried(
        size=recipe.config.picture.size,
        seconds_per_kimg=1000 * seconds / total,
        flop_per_kimg=1000 * flop / total,
        kimg=STEPS_SHARE * 60 * minutes / (1000 * seconds / total),
        augmentable=is_augmentable(model),
        takes_classes=isinstance(recipe.config, Conditional),
    )
