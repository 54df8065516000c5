"""Log spectrograms as SpecGAN makes pictures of sounds, and sounds of the pictures again.

Donahue, McAuley, Puckette: Adversarial Audio Synthesis (ICLR 2019), section 3.1, https://arxiv.org/abs/1802.04208: the
logarithm of every magnitude, with mean 0 and deviation 1 in every bin over the set, a third of it clipped to [-1, 1].
The bin of the Nyquist frequency is left out. Phases come from Griffin and Lim's iterations.

The published code inverts the transform with the window of analysis in the place of that of synthesis
(``released=True``): with a Hann window at half overlap the gain then goes up and down between 1/2 and 1 once per hop,
a buzz at ``rate / hop`` that no phase can mend. It also gives the Nyquist bin its mean magnitude in the place of none.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images, Waves
from ganvas.nn.sound.griffin_lim import griffin_lim
from ganvas.nn.sound.stft import hann, stft, synthesis_window

CLIP = 3.0  # Deviations that become 1.
LEAST = 1e-6  # Added to every magnitude.

LogSpectra = Float[Tensor, "n frames bins"]


class LogSpectrogram(nn.Module):
    """Between waves and pictures (n, 1, frames, bins) in [-1, 1].

    Args:
        bins: Of a picture, without the Nyquist bin; the window has twice as many samples, and they are its hop.
    """

    mean: Tensor  # Of the logarithm of every bin and of the Nyquist bin, (bins + 1,).
    deviation: Tensor

    def __init__(self, bins: int, *, iterations: int = 16, released: bool = False) -> None:
        super().__init__()
        self.bins, self.iterations, self.released = bins, iterations, released
        self.register_buffer("mean", torch.zeros(bins + 1))
        self.register_buffer("deviation", torch.ones(bins + 1))

    def logarithms(self, waves: Waves) -> LogSpectra:
        """``log(|X| + 1e-6)`` of every frame."""
        return torch.log(stft(waves, self._window(waves), self.bins).abs() + LEAST)

    def forward(self, waves: Waves) -> Images:
        """Pictures of waves."""
        standard = (self.logarithms(waves) - self.mean) / self.deviation
        return (standard / CLIP).clamp(-1, 1)[:, None, :, : self.bins]

    def inverse(self, pictures: Images, *, length: int) -> Waves:
        """Waves of ``length`` samples whose pictures are near the given ones."""
        picture = pictures[:, 0]
        magnitudes = torch.exp(CLIP * picture * self.deviation[: self.bins] + self.mean[: self.bins])
        nyquist = self.mean[self.bins].exp() if self.released else torch.zeros_like(self.mean[0])
        whole = torch.cat([magnitudes, nyquist.expand(*picture.shape[:2], 1)], dim=2)
        window = self._window(picture)
        synthesis = window if self.released else synthesis_window(window, self.bins)
        return griffin_lim(whole, window, synthesis, self.bins, length=length, iterations=self.iterations)

    def _window(self, like: Tensor) -> Float[Tensor, " size"]:
        return hann(2 * self.bins, device=like.device, dtype=like.dtype)
