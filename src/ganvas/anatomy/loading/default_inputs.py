"""Shapes of the inputs of networks whose makers have said them."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

DRAWING = ("generator", "decoder", "flow", "denoiser", "network")  # Which network stands for a model, first match.
FROM_LATENTS = ("generator", "decoder")


def drawing(parts: Sequence[str]) -> str | None:
    """The network that stands for a model: the one that draws."""
    return parts[0] if len(parts) == 1 else next((name for name in DRAWING if name in parts), None)


def of_catalogue(config: Any, part: str) -> tuple[Any, ...] | None:
    """Of a model's network: latents (and classes) for what draws, pictures for what looks."""
    if part in FROM_LATENTS and hasattr(config, "latent_size"):
        return (1, config.latent_size), *_labels(config)
    if part in ("discriminator", "encoder", "critic") and hasattr(config, "picture_size"):
        return ((1, getattr(config, "channels", 3), *config.picture_size),)
    return None


def _labels(config: Any) -> tuple[Any, ...]:
    if not getattr(config, "num_classes", 0):
        return ()
    import torch

    return (torch.zeros(1, dtype=torch.long),)


def of_module(module: ModuleType, factory: str) -> tuple[Any, ...] | None:
    """A module may say the shapes its factories take, without the batch: ``INPUT = {"net": (3, 64, 64)}``."""
    said = getattr(module, "INPUT", None)
    shape = said.get(factory) if isinstance(said, dict) else None
    return None if shape is None else ((1, *shape),)
