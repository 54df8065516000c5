"""The colours of a scene: a palette per time of day, tinted by a few factors, so that a whole picture agrees."""

import numpy as np
from jaxtyping import Float32, Int64

from ganvas.data.scenes.factors import LANDSCAPES, Factors

Colours = Float32[np.ndarray, "n 3"]
Colour = Float32[np.ndarray, "#n 3"]  # One for each scene, or one for all.
Rows = Int64[np.ndarray, " m"] | slice

# Sky at the top, in the middle and at the horizon, by day, dusk and night: (cooler, warmer).
_SKY = {
    "top": (((52, 122, 214), (88, 158, 224)), ((48, 44, 104), (96, 60, 124)), ((8, 12, 36), (20, 16, 50))),
    "middle": (((120, 182, 238), (150, 204, 238)), ((186, 92, 128), (222, 118, 110)), ((20, 32, 76), (38, 36, 88))),
    "low": (((206, 232, 250), (240, 240, 226)), ((252, 176, 112), (255, 198, 110)), ((48, 68, 120), (74, 72, 128))),
}
_AMBIENT = ((1.0, 1.0, 1.0), (0.86, 0.68, 0.66), (0.37, 0.44, 0.66))
_LIGHT = ((255, 240, 150), (255, 236, 170), (240, 240, 220))  # Sun, setting sun, moon.
_CLOUD = ((255, 255, 255), (255, 190, 170), (72, 84, 128))
_CLOUD_SHADE = ((214, 226, 240), (206, 122, 134), (44, 54, 96))
# The ground at the horizon, at the lower edge, and of its nearer swell, by landscape: (one tint, the other).
_GROUND = {
    "far": (((166, 204, 96), (202, 196, 92)), ((246, 218, 150), (240, 196, 132)), ((232, 241, 250), (240, 240, 246))),
    "low": (((96, 168, 72), (140, 156, 62)), ((226, 178, 106), (216, 148, 92)), ((200, 220, 242), (212, 220, 240))),
    "near": (((64, 138, 66), (104, 130, 52)), ((206, 152, 86), (190, 120, 74)), ((176, 204, 234), (190, 204, 232))),
}
_SEA = {"far": ((118, 196, 214), (104, 180, 220)), "low": ((30, 112, 170), (26, 136, 160))}


class Palette:
    """The colours of n scenes. All methods give n by 3 values of 0..255."""

    def __init__(self, factors: Factors) -> None:
        self._time = factors["time"].astype(np.int64)
        self._landscape = factors["landscape"].astype(np.int64)
        self._sky_tint = (factors["sky_tint"] + 1) / 2
        self._ground_tint = (factors["ground_tint"] + 1) / 2
        self._ambient = table(_AMBIENT)[self._time]
        self.light = table(_LIGHT)[self._time]
        self.cloud = table(_CLOUD)[self._time]
        self.cloud_shade = table(_CLOUD_SHADE)[self._time]
        self.sky_low = self.sky("low")

    def sky(self, part: str) -> Colours:
        """``top``, ``middle`` or ``low``."""
        pairs = table(_SKY[part])[self._time]
        return between(pairs[:, 0], pairs[:, 1], self._sky_tint)

    def ground(self, part: str) -> Colours:
        """``far``, ``low`` or ``near``; of the coast its sea."""
        sea = _SEA["far" if part == "far" else "low"]
        pairs = table((*_GROUND[part], sea))[self._landscape]
        return self.lit(between(pairs[:, 0], pairs[:, 1], self._ground_tint))

    def lit(self, colour: Colour, rows: Rows = slice(None)) -> Colours:
        """The colour as it looks at this time of day."""
        return colour * self._ambient[rows]

    def hazy(self, colour: Colour, haze: float, rows: Rows = slice(None)) -> Colours:
        """The lit colour seen through air: moved by ``haze`` to the sky at the horizon."""
        lit = self.lit(colour, rows)
        return lit + haze * (self.sky_low[rows] - lit)


assert len(LANDSCAPES) == 4  # The tables above are in the order of LANDSCAPES, the sea last.


def table(values: object) -> np.ndarray:
    """Numbers as float32."""
    return np.array(values, dtype=np.float32)


def between(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``first`` at weight 0, ``second`` at 1, per row."""
    return first + weight[:, None] * (second - first)
