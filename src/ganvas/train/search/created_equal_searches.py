"""The searches of "Are GANs created equal": which settings were tried, from which ranges, in which phase.

Lucic et al. 2018, Are GANs Created Equal? A Large-Scale Study (https://arxiv.org/abs/1711.10337). The ranges are those
of the authors' code (https://github.com/google/compare_gan, tag v1), which says more than the paper:

- ``created-equal-wide``: 100 settings of one seed each, the first of them the default;
- ``created-equal-narrow``: 50 settings, for a budget that does not suffice for the wide ranges;
- ``created-equal-seeds``: the wide search, gone on with where it is there, and then its best setting with 50 seeds.

All are for 28x28 pictures, batches of 64, Adam's second moment at 0.999, and 15,625 moves of the discriminator, which
is a million pictures; the study took the least FID over checkpoints, and called a run that diverged 31337.

Its minimax GAN is ``gan/dcgan`` with ``--set game=minimax``, on the network of the others (``gan/gan`` has that game on
networks of its own); without, ``gan/dcgan`` is its non-saturating GAN. DRAGAN and BEGAN are not among the models.

The games are those of their papers. With ``-as-coded`` behind the name they are those of the study's code where it
makes them otherwise: WGAN on Adam and without bursts of its critic's moves, LSGAN's squares of verdicts behind a
sigmoid, batch norm in the discriminator drawn with the other settings (never for WGAN-GP in the narrow phase). What
is still otherwise has no setting here:

- the code's networks have dense layers of 1024 beside two convolutions, and G sees the latents that D saw;
- the slope of a penalty is ``sqrt(1e-4 + |g|^2)`` there;
- its VAE has Bernoulli pixels, summed over rows and columns and averaged over colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ganvas.core.errors import UserError
from ganvas.core.ranges import LogUniform, OneOf, Range, Uniform

WIDE, NARROW, SEEDS = PHASES = ("created-equal-wide", "created-equal-narrow", "created-equal-seeds")
AS_CODED = "-as-coded"
NAMES = (*PHASES, *(phase + AS_CODED for phase in PHASES))
KIMG = 1000.0  # 15,625 moves of the discriminator on batches of 64.

Fixed = Mapping[str, str]
Searched = Mapping[str, Range]


@dataclass(frozen=True, kw_only=True)
class SearchRecipe:
    """One phase of the study for one game."""

    settings: int  # How many are tried.
    ranges: Searched
    fixed: Fixed  # Settings that do not vary.
    seeds: int = 0  # With which the best setting is trained again.


def _wide() -> dict[str, Searched]:
    lr, beta1 = LogUniform(1e-5, 1e-2), Uniform(0.0, 1.0)
    moves = OneOf((1, 5))
    return {
        "gan/dcgan": {"lr": lr, "beta1": beta1, "critic_moves": moves},
        "gan/lsgan": {"lr": lr, "beta1": beta1, "critic_moves": moves},
        "gan/wgan": {"lr": lr, "critic_moves": moves, "clip": LogUniform(1e-3, 1.0)},
        "gan/wgan_gp": {"lr": lr, "beta1": beta1, "critic_moves": moves, "penalty_weight": LogUniform(0.1, 100.0)},
        "vae/vae": {"lr": lr, "beta1": beta1},
    }


def _narrow() -> dict[str, Searched]:
    lr = LogUniform(1e-4, 1e-3)
    return {
        "gan/dcgan": {"lr": lr},
        "gan/lsgan": {"lr": lr},
        "gan/wgan": {"lr": lr, "clip": LogUniform(1e-2, 1.0)},
        "gan/wgan_gp": {"lr": lr, "penalty_weight": LogUniform(0.1, 10.0)},
        "vae/vae": {"lr": lr},
    }


_FIXED_NARROW: Mapping[str, Fixed] = {
    "gan/dcgan": {"beta1": "0.5", "critic_moves": "1"},
    "gan/lsgan": {"beta1": "0.5", "critic_moves": "1"},
    "gan/wgan": {"critic_moves": "1"},
    "gan/wgan_gp": {"beta1": "0.5", "critic_moves": "1", "critic_norm": "none"},
    "vae/vae": {"beta1": "0.5"},
}
_NORM = OneOf(("batch", "none"))  # In the discriminator.
_DRAWN_AS_CODED: Mapping[str, Searched] = {
    "gan/dcgan": {"discriminator_norm": _NORM},
    "gan/lsgan": {"discriminator_norm": _NORM},
    "gan/wgan": {"critic_norm": _NORM, "beta1": Uniform(0.0, 1.0)},
    "gan/wgan_gp": {"critic_norm": _NORM},
}
_FIXED_AS_CODED: Mapping[str, Fixed] = {
    "gan/lsgan": {"squashed": "true"},
    "gan/wgan": {"optimizer": "adam", "burst_first": "0", "burst_every": "0"},
}


def recipe(name: str, model: str) -> SearchRecipe:
    """One phase of the study for one game.

    Raises:
        UserError: there is no such phase, or the study's code has not that game.
    """
    if name not in NAMES:
        raise UserError(f"--recipe {name}: there is no such search. Searches: {', '.join(NAMES)}.")
    phase, coded = name.removesuffix(AS_CODED), name.endswith(AS_CODED)
    wide = phase != NARROW
    ranges = _wide() if wide else _narrow()
    if model not in ranges:
        raise UserError(f"--recipe {name}: {model} is not among the games of that study: {', '.join(ranges)}.")
    fixed = {**_shared(model, coded=coded), **({} if wide else _FIXED_NARROW[model])}
    drawn = {**ranges[model], **(_DRAWN_AS_CODED.get(model, {}) if coded else {})}
    if coded and not wide and model == "gan/wgan":
        fixed |= {"beta1": "0.5"}
    return SearchRecipe(
        settings=100 if wide else 50,
        ranges={field: one for field, one in drawn.items() if field not in fixed},
        fixed=fixed,
        seeds=50 if phase == SEEDS else 0,
    )


def _shared(model: str, *, coded: bool) -> dict[str, str]:
    """What no phase varies."""
    batch, adam = {"batch_size": "64"}, {"beta2": "0.999"}
    if not coded:
        return batch if model == "gan/wgan" else batch | adam  # RMSProp has no second moment to set.
    return batch | adam | dict(_FIXED_AS_CODED.get(model, {}))
