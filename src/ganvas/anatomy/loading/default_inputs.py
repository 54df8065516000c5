"""Shapes of the inputs of networks whose makers have told them."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from ganvas.losses.capabilities import SizesPictures, SizesPoints, SizesSounds, classes_of

DRAWING = ("generator", "decoder", "flow", "denoiser", "network")  # Which network stands for a model, first match.
FROM_LATENTS = ("generator", "decoder")
JUDGING = ("discriminator", "encoder", "critic")  # Networks of samples.


@runtime_checkable
class SizesLatents(Protocol):
    """A ``Config`` of a model with latents."""

    @property
    def latent_size(self) -> int: ...


def drawing(parts: Sequence[str]) -> str | None:
    """The network that stands for a model: the one that draws."""
    return parts[0] if len(parts) == 1 else next((name for name in DRAWING if name in parts), None)


def of_catalogue(config: Any, part: str) -> tuple[Any, ...] | None:
    """Of a model's network: latents (and classes) for what draws, samples for what looks."""
    if part in FROM_LATENTS and isinstance(config, SizesLatents):
        return (1, config.latent_size), *_labels(config)
    if part in JUDGING and isinstance(config, SizesPoints) and config.dims:
        return ((1, config.dims),)
    if part in JUDGING and isinstance(config, SizesSounds):
        return ((1, 1, *config.seen),)
    if part in JUDGING and isinstance(config, SizesPictures):
        return ((1, config.picture.channels, *config.picture.size),)
    return None


def _labels(config: Any) -> tuple[Any, ...]:
    if not classes_of(config):
        return ()
    import torch

    return (torch.zeros(1, dtype=torch.long),)


def of_module(module: ModuleType, factory: str) -> tuple[Any, ...] | None:
    """A module may say the shapes its factories take, without the batch: ``INPUT = {"net": (3, 64, 64)}``."""
    said = getattr(module, "INPUT", None)
    shape = said.get(factory) if isinstance(said, dict) else None
    return None if shape is None else ((1, *shape),)
