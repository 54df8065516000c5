"""The searches of "Are GANs created equal": which settings were tried, from which ranges, in which phase.

Lucic et al. 2018, Are GANs Created Equal? A Large-Scale Study (https://arxiv.org/abs/1711.10337). The ranges are those
of the authors' code (https://github.com/google/compare_gan, tag v1), which says more than the paper:

- ``created-equal-wide``: 100 settings of one seed each, the first of them the default;
- ``created-equal-narrow``: 50 settings, for a budget that does not suffice for the wide ranges.

Both are for 28x28 pictures, batches of 64, Adam's second moment at 0.999, and 15,625 moves of the discriminator, which
is a million pictures; the study took the least FID over checkpoints, and called a run that diverged 31337.

The games here are as published, and the code's are not in every place; what it makes otherwise has no setting here, so
a search by these ranges repeats the study's protocol and not its numbers:

- WGAN runs on Adam in the code, and here on RMSProp as in its paper: there is no ``beta1`` to draw;
- the code squares LSGAN's verdicts behind a sigmoid, and here they are plain;
- batch norm in the discriminator is drawn in the code and fixed here;
- DRAGAN and BEGAN are not among the models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganvas.core.errors import UserError
from ganvas.core.ranges import LogUniform, OneOf, Range, Uniform

NAMES = ("created-equal-wide", "created-equal-narrow")
KIMG = 1000.0  # 15,625 moves of the discriminator on batches of 64.
_SHARED = {"batch_size": "64", "beta2": "0.999"}


@dataclass(frozen=True, kw_only=True)
class SearchRecipe:
    """One phase of the study for one game."""

    settings: int  # How many are tried.
    ranges: Mapping[str, Range]
    fixed: Mapping[str, str] = field(default_factory=lambda: dict(_SHARED))  # Settings that do not vary.


def _wide() -> dict[str, dict[str, Range]]:
    lr, beta1 = LogUniform(1e-5, 1e-2), Uniform(0.0, 1.0)
    moves = OneOf((1, 5))
    return {
        "gan/dcgan": {"lr": lr, "beta1": beta1},
        "gan/lsgan": {"lr": lr, "beta1": beta1},
        "gan/wgan": {"lr": lr, "critic_moves": moves, "clip": LogUniform(1e-3, 1.0)},
        "gan/wgan_gp": {"lr": lr, "beta1": beta1, "critic_moves": moves, "penalty_weight": LogUniform(0.1, 100.0)},
        "vae/vae": {"lr": lr, "beta1": beta1},
    }


def _narrow() -> dict[str, dict[str, Range]]:
    lr = LogUniform(1e-4, 1e-3)
    return {
        "gan/dcgan": {"lr": lr},
        "gan/lsgan": {"lr": lr},
        "gan/wgan": {"lr": lr, "clip": LogUniform(1e-2, 1.0)},
        "gan/wgan_gp": {"lr": lr, "penalty_weight": LogUniform(0.1, 10.0)},
        "vae/vae": {"lr": lr},
    }


_FIXED_NARROW = {
    "gan/dcgan": {"beta1": "0.5"},
    "gan/lsgan": {"beta1": "0.5"},
    "gan/wgan": {"critic_moves": "1"},
    "gan/wgan_gp": {"beta1": "0.5", "critic_moves": "1", "critic_norm": "none"},
    "vae/vae": {"beta1": "0.5"},
}


def recipe(name: str, model: str) -> SearchRecipe:
    """One phase of the study for one game.

    Raises:
        UserError: there is no such phase, or the study's code has not that game.
    """
    if name not in NAMES:
        raise UserError(f"--recipe {name}: there is no such search. Searches: {', '.join(NAMES)}.")
    wide = name == NAMES[0]
    ranges = _wide() if wide else _narrow()
    if model not in ranges:
        raise UserError(f"--recipe {name}: {model} is not among the games of that study: {', '.join(ranges)}.")
    shared = {"batch_size": "64"} if model == "gan/wgan" else _SHARED  # RMSProp has no second moment to set.
    return SearchRecipe(
        settings=100 if wide else 50,
        ranges=ranges[model],
        fixed=shared | ({} if wide else _FIXED_NARROW[model]),
    )
