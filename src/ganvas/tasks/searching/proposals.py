"""The settings that a search tries next: at random, or where an optimiser expects the best."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.ranges import LogUniform, OneOf, Ranges
from ganvas.tasks.searching.search_folder import Trial


def random_setting(ranges: Ranges, *, seed: int, index: int) -> dict[str, Any]:
    """A function of (seed, index) alone, so that a search resumes, and goes on, as if nothing had happened."""
    import torch

    from ganvas.core.seeds import stream

    uniform = {name: torch.rand(1, generator=stream(seed, "search", index, name)).item() for name in ranges}
    return {name: ranges[name].at(uniform[name]) for name in ranges}


def require_optuna() -> Any:
    """optuna, or a refusal of a search by an optimiser that is not installed, before anything is done."""
    try:
        return importlib.import_module("optuna")
    except ImportError:
        raise UserError(
            "--method tpe needs the package optuna. Install it with: pip install 'ganvas[search]'. Or leave --method "
            "out: random search needs nothing, and the curve of the best of k is meant for it."
        ) from None


def proposed_setting(
    ranges: Ranges, trials: Sequence[Trial], *, seed: int, index: int, lower_is_better: bool
) -> dict[str, Any]:
    """By the tree-structured Parzen estimator of optuna (Bergstra et al. 2011), told of all trials before.

    A function of them, of the seed and of the index: an optimiser is made anew for each setting.
    """
    from ganvas.core.hashes.derived_seeds import derive_seed

    optuna = require_optuna()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spaces = {name: _space(one) for name, one in ranges.items()}
    sampler = optuna.samplers.TPESampler(seed=derive_seed(seed, "search", index) % 2**32)
    study = optuna.create_study(direction="minimize" if lower_is_better else "maximize", sampler=sampler)
    for trial in trials:
        if set(trial.changes) == set(spaces) and trial.value is not None:
            study.add_trial(
                optuna.trial.create_trial(
                    params=_params(trial.changes, ranges), distributions=spaces, value=trial.value
                )
            )
    return {name: _value(ranges, name, given) for name, given in study.ask(spaces).params.items()}


def _space(one: Any) -> Any:
    optuna = require_optuna()
    if isinstance(one, OneOf):
        return optuna.distributions.CategoricalDistribution([str(value) for value in one.values])
    return optuna.distributions.FloatDistribution(one.low, one.high, log=isinstance(one, LogUniform))


def _params(changes: Mapping[str, Any], ranges: Ranges) -> dict[str, Any]:
    return {name: str(value) if isinstance(ranges[name], OneOf) else value for name, value in changes.items()}


def _value(ranges: Ranges, name: str, given: Any) -> Any:
    one = ranges[name]
    return next(value for value in one.values if str(value) == given) if isinstance(one, OneOf) else given
