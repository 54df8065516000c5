"""``ganvas disentanglement``: whether each number of a code stands for one factor of scenes, beside chance."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.data.sources.synthetic import MadeScenes
    from ganvas.dissect.latents.latent_generator import LatentGenerator


@dataclass(frozen=True, kw_only=True)
class DisentanglementTask:
    """Score a run's code against the factors that scenes are made of: DCI and MIG, beside shuffled factors.

    The code is that of the model's own encoder; of a model without one, that of an encoder which learns for a moment
    from the generator's pictures, as for `ganvas invert`.

    Examples:
      ganvas disentanglement runs/vae
      ganvas disentanglement runs/demo --data scenes:4096,seed=9
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of a run whose model draws from latents."""
    data: str = "scenes:2048,seed=1009"
    """The scenes, whose factors are known: drawn at the run's size unless they name one."""
    shuffles: int = 10
    """How often the factors are shuffled for the chance beside each score."""
    encoder_steps: int = 500
    """Of the encoder's training, for a model that has no encoder itself."""
    label: str | None = None
    """The class to draw, for a run with classes."""
    kimg: float | None = None
    """Which of the run's models; the newest when left out."""
    seed: int = 0
    """Of the shuffles and of the encoder."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class ScoreLine:
    """One score, and the same of shuffled factors."""

    name: str
    value: float
    floor: float
    floor_deviation: float


@dataclass(frozen=True, kw_only=True)
class FactorLine:
    """How well one factor is told from the code."""

    factor: str
    r2: float  # Of the linear regression on the whole code.
    latent: int  # The one that counts most.
    share: float  # Of the importance of all latents.


@dataclass(frozen=True, kw_only=True)
class DisentanglementResult:
    """The scores, each in [0, 1]."""

    model: str
    latents: int
    pictures: int
    scores: tuple[ScoreLine, ...]
    factors: tuple[FactorLine, ...]


def disentanglement(task: DisentanglementTask) -> DisentanglementResult:
    """Encodes scenes and holds their codes against their factors.

    Raises:
        UserError: the data are no scenes, or the run's model draws no pictures from latents.
    """
    import torch

    from ganvas.core.checks import at_least
    from ganvas.core.seeds import stream
    from ganvas.dissect.latents import latent_generator
    from ganvas.dissect.latents.dci_mig import with_floor
    from ganvas.dissect.latents.inversion import encoder_of
    from ganvas.dissect.latents.scene_factors import scene_factors

    at_least(task, 2, "shuffles")
    at_least(task, 1, "encoder_steps")
    made = latent_generator.of_run(task.run, kimg=task.kimg, label=task.label)
    scenes = _scenes(task, made)
    names, factors = scene_factors(scenes.factors())
    encode = encoder_of(made, steps=task.encoder_steps, seed=task.seed, quiet=task.quiet)
    with torch.no_grad():
        codes = torch.cat([encode(images) for images in _pictures(task, made)])
    found = with_floor(codes, factors, stream(task.seed, "disentanglement"), shuffles=task.shuffles)
    scores = [
        ScoreLine(
            name=name, value=value, floor=vars(found.floor)[name], floor_deviation=vars(found.floor_deviation)[name]
        )
        for name, value in vars(found.found).items()
    ]
    return DisentanglementResult(
        model=made.kept.name,
        latents=codes.shape[1],
        pictures=len(codes),
        scores=tuple(scores),
        factors=_factors(names, codes, factors),
    )


def _scenes(task: DisentanglementTask, made: "LatentGenerator") -> "MadeScenes":
    from ganvas.core.errors import UserError
    from ganvas.data.sources.opening_sources import open_source
    from ganvas.data.sources.synthetic import MadeScenes

    source = open_source(task.data, size=(made.kept.height, made.kept.width))
    if not isinstance(source, MadeScenes):
        raise UserError(
            f"--data {task.data}: the factors behind these pictures are not known. Scenes are made of known ones, such "
            "as scenes:2048."
        )
    return source


def _pictures(task: DisentanglementTask, made: "LatentGenerator") -> "list[Tensor]":
    """The scenes at the model's size, in [-1, 1], 64 at a time."""
    import torch

    from ganvas.core.pixels import to_float
    from ganvas.data.packing import prepare

    kept = made.kept
    size = (kept.height, kept.width)
    packed = prepare(task.data, size=size, channels=kept.channels, fit="crop", quiet=task.quiet)
    parts = range(0, len(packed), 64)
    return [to_float(torch.from_numpy(packed.read(slice(at, at + 64))).permute(0, 3, 1, 2)) for at in parts]


def _factors(names: tuple[str, ...], codes: "Tensor", factors: "Tensor") -> tuple[FactorLine, ...]:
    from ganvas.dissect.latents.dci_mig import importance_of

    importance, told = importance_of(codes, factors)
    most, latent = (importance / importance.sum(0).clamp_min(1e-300)).max(0)
    return tuple(
        FactorLine(factor=name, r2=float(told[at]), latent=int(latent[at]), share=float(most[at]))
        for at, name in enumerate(names)
    )
