"""The Lipschitz constant of a trained generator, as far as it is found: from standard normal latents to samples."""

import torch

from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.capabilities import HasLatents
from ganvas.losses.game import Game
from ganvas.metrics.maths.lipschitz import steepest

PLACES = 4096  # Latents that are looked at first.


def generator_slope(model: Game, *, seed: int, stage: Stage | None = None) -> float | None:
    """The largest slope found; None for a model without latents that are standard normal."""
    if not isinstance(model, HasLatents) or model.prior != "normal":
        return None
    device = next(model.parameters()).device
    latents = model.latents(PLACES, stream(seed, "places of a generator", device=device))
    rng = stream(seed, "search of a generator", device=device)
    with torch.enable_grad():
        return steepest(lambda z: model.decode(z, stage=stage), latents, rng)
