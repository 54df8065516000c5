"""Ranges that a search draws a model's settings from: its own ``RANGES``, or others around the settings it starts from.

A model's file may have ``RANGES``, a mapping from fields of its ``Config`` to ranges, beside its ``TINY``. Of every
other model the fields that searches usually vary are recognised by their names, and their ranges reach a factor of ten
to either side of the preset's own value, which stays the first setting that is tried.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from ganvas.core.ranges import LogUniform, OneOf, Range, Uniform

FACTOR = 10.0


def around(value: float) -> Range:
    """A factor of ten to either side, even in the logarithm."""
    return LogUniform(value / FACTOR, value * FACTOR)


def _moment(value: float) -> Range:
    """Of Adam's first moment, or momentum."""
    return Uniform(0.0, 0.9)


def _batch(value: float) -> Range:
    return OneOf((max(int(value) // 2, 1), int(value), 2 * int(value)))


def _moves(value: float) -> Range:
    return OneOf((1, 2, 5))


USUAL: Mapping[str, Callable[[float], Range]] = {
    "lr": around,
    "beta1": _moment,
    "momentum": _moment,
    "batch_size": _batch,
    "critic_moves": _moves,
    "n_critic": _moves,
    "clip": around,
    "penalty_weight": around,
    "gamma": around,
    "beta": around,
    "game_rate": around,
    "discriminator_lr_factor": lambda value: OneOf((1.0, 2.0, 4.0)),
}
"""Fields that searches vary, by the name that they have in every model."""


def ranges_of(module: ModuleType, config: Mapping[str, Any]) -> dict[str, Range]:
    """The ranges of a model, from settings that a run of it would have.

    Args:
        config: The settings as plain values.
    """
    declared = vars(module).get("RANGES")
    if declared is not None:
        return dict(declared)
    return {
        name: usual(config[name])
        for name, usual in USUAL.items()
        if isinstance(config.get(name), int | float) and (config[name] > 0 or usual is _moment)
    }
