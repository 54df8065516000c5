"""Sounds as pictures for networks that look at pictures: 64 x 64 grey levels of mel bands over time."""

import torch
from jaxtyping import Int16, UInt8
from torch import Tensor

from ganvas.core.waves import to_waves
from ganvas.nn.sound.mel_levels import QUIETEST, mel_levels

AT_ONCE = 256


def mel_pictures(samples: Int16[Tensor, "n samples"], rate: int) -> UInt8[Tensor, "n 1 bands frames"]:
    """A grey level per band and moment, from -80 dB (0) to full scale (255); low frequencies at the foot."""
    parts = [mel_levels(to_waves(part), rate) for part in samples.split(AT_ONCE)]
    grey = 255 * (1 - torch.cat(parts) / QUIETEST)
    return grey.round().clamp(0, 255).to(torch.uint8).flip(1)[:, None]
