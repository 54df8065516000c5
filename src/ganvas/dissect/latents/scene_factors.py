"""Factors of scenes as numbers that a latent may stand for: those that every scene has.

Landscape and time of day have no order, so each of their values is a factor of its own: 1 where it is that, else 0.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.data.scenes.factors import LANDSCAPES, TIMES, Column

NUMBERS = ("horizon", "sky_tint", "ground_tint", "light", "cloud_count", "object_count")
KINDS = {"landscape": LANDSCAPES, "time": TIMES}


def scene_factors(columns: Mapping[str, Column]) -> tuple[tuple[str, ...], Float[Tensor, "n k"]]:
    """The names of the factors and their values, of those that differ from scene to scene."""
    found = {name: columns[name] for name in NUMBERS}
    for name, kinds in KINDS.items():
        found |= {kind: (columns[name] == number).astype(np.float32) for number, kind in enumerate(kinds)}
    varying = {name: values for name, values in found.items() if values.min() < values.max()}
    return tuple(varying), torch.from_numpy(np.stack(list(varying.values()), 1))
