"""A run's generator as a function of latents alone, with gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from ganvas.anatomy.loading import default_inputs
from ganvas.core.errors import UserError
from ganvas.core.shapes import Images, Latents
from ganvas.losses.capabilities import HasLatents
from ganvas.train import trained
from ganvas.train.trained import Trained

Prior = Literal["normal", "uniform", "other"]
Decode = Callable[[Latents], Images]


@dataclass(frozen=True, kw_only=True, eq=False)
class LatentGenerator:
    """What the tools of latents ask of a generator: how it draws, and what its latents are like."""

    kept: Trained
    decode: Decode
    latents: Callable[[int, torch.Generator], Latents]
    prior: Prior
    network: nn.Module


def of_run(folder: Path, *, kimg: float | None = None, label: str | None = None) -> LatentGenerator:
    """The generator of a run, of one class where it has classes.

    Raises:
        UserError: it draws points, has no latents, or draws classes and none is named.
    """
    kept = trained.load(folder, kimg=kimg)
    if kept.unit != "pictures":
        raise UserError(f"{folder} draws {kept.unit}, and these tools are of pictures. Give a run of pictures.")
    model = kept.require(HasLatents)
    if kept.conditional and label is None:
        raise UserError(f"{kept.name} draws given classes, whose latents mean other things. Name one with --label.")
    labels = kept.labels(1, seed=0, label=label)

    def decode(z: Latents) -> Images:
        given = None if labels is None else labels.expand(len(z))
        return kept.full_size(model.decode(z, given, stage=kept.stage))

    part = default_inputs.drawing([name for name, _ in kept.model.named_children()])
    return LatentGenerator(
        kept=kept,
        decode=decode,
        latents=model.latents,
        prior=model.prior,
        network=kept.model if part is None else kept.model.get_submodule(part),
    )
