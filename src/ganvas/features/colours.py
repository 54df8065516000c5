"""The 11 basic colour names: how much of a picture is red, brown, grey, ... A labeller that needs no weights.

The names are the basic colour terms that languages share (Berlin and Kay 1969, Basic Color Terms). Each pixel takes the
name of the nearest of 80 colours of the CSS standard (https://www.w3.org/TR/css-color-4/#named-colors), which are
listed below by name, in CIELAB with the plain Euclidean distance. ``segments`` is the area of each name in per cent, in
the order of :data:`COLOURS`. Pictures are not resized.

The Fréchet segmentation distance over it sees whether a generator leaves out, or overdoes, what has a colour of its
own; it does not see shapes.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.features.network import Network, Precision, dtype_of
from ganvas.features.segments import area_shares
from ganvas.features.weights import Weights

NAME = "colours"
TAPS = {"segments": 11}
WEIGHTS = None

COLOURS: Mapping[str, tuple[int, ...]] = {
    "black": (0x000000,),
    "grey": (0x696969, 0x808080, 0xA9A9A9, 0xC0C0C0, 0x778899, 0x708090),
    "white": (0xFFFFFF, 0xFFFAFA, 0xF5F5F5, 0xF0F8FF, 0xF8F8FF, 0xFFFFF0, 0xF0FFF0, 0xDCDCDC),
    "red": (0xFF0000, 0xDC143C, 0xB22222, 0x8B0000, 0xCD5C5C),
    "orange": (0xFFA500, 0xFF8C00, 0xFF4500, 0xFF7F50, 0xFF6347),
    "yellow": (0xFFFF00, 0xFFD700, 0xF0E68C, 0xEEE8AA, 0xFFFFE0, 0xFFFACD),
    "green": (
        *(0x008000, 0x006400, 0x228B22, 0x2E8B57, 0x3CB371, 0x00FF00, 0x32CD32, 0x90EE90, 0x98FB98, 0x7FFF00),
        *(0x9ACD32, 0x6B8E23, 0x556B2F, 0x8FBC8F, 0x00FF7F, 0xADFF2F),
    ),
    "blue": (
        *(0x0000FF, 0x0000CD, 0x00008B, 0x000080, 0x191970, 0x4169E1, 0x6495ED, 0x1E90FF, 0x4682B4, 0x00BFFF),
        *(0x87CEEB, 0xADD8E6, 0xB0C4DE, 0x00CED1, 0x5F9EA0),
    ),
    "purple": (0x800080, 0x8B008B, 0x4B0082, 0x9400D3, 0x8A2BE2, 0x9370DB, 0xBA55D3, 0xDDA0DD, 0xD8BFD8),
    "pink": (0xFFC0CB, 0xFFB6C1, 0xFF69B4, 0xFF1493, 0xDB7093),
    "brown": (0xA52A2A, 0x8B4513, 0xA0522D, 0xD2691E),
}
_WHITE_D65 = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_PIXELS = 1 << 16  # Named at a time: each is compared with every colour.


class Colours(Network):
    """The share of each basic colour."""

    taps = TAPS
    identity = "colours-css80:own-size:uint8"

    def __init__(self, *, device: torch.device | str = "cpu", precision: Precision = "float32") -> None:
        dtype_of(precision)  # There is nothing to compute in half precision.
        self.device = torch.device(device)
        codes = [(code, name) for name, listed in enumerate(COLOURS.values()) for code in listed]
        bytes_ = torch.tensor([[code >> 16, code >> 8 & 255, code & 255] for code, _ in codes], dtype=torch.uint8)
        self._examples = to_lab(bytes_).to(self.device)
        self._names = torch.tensor([name for _, name in codes], device=self.device)

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        return {"segments": area_shares(self.label(pictures), len(COLOURS))}

    def label(self, pictures: UInt8[Tensor, "n 3 h w"]) -> Tensor:
        """The number of each pixel's colour name, (n, h, w)."""
        n, _, h, w = pictures.shape
        pixels = pictures.permute(0, 2, 3, 1).reshape(-1, 3)
        nearest = [torch.cdist(to_lab(part), self._examples).argmin(1) for part in pixels.split(_PIXELS)]
        return self._names[torch.cat(nearest)].view(n, h, w)


def to_lab(colours: UInt8[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """sRGB bytes in CIELAB (white D65), IEC 61966-2-1 and CIE 15."""
    rgb = colours.float() / 255
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ torch.tensor(_TO_XYZ, device=colours.device).T / torch.tensor(_WHITE_D65, device=colours.device)
    small = (6 / 29) ** 3
    f = torch.where(xyz > small, xyz.clamp_min(small) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return torch.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Colours:
    """The labeller."""
    return Colours(device=device, precision=precision)
