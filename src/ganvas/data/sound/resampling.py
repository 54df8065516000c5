"""Resampling of sound to another rate by a windowed sinc, phase by phase.

The sinc is cut off at .95 of the lower of both Nyquist frequencies and windowed after Kaiser with 64 zero crossings to
a side: the passband ends where the stopband of -100 dB begins, at the lower Nyquist frequency, so that nothing folds.
"""

from functools import lru_cache
from math import gcd

import numpy as np
from jaxtyping import Float

ROLLOFF = 0.95
CROSSINGS = 64  # To a side. With beta, the transition is as wide as what the rolloff leaves (Kaiser's formula).
BETA = 10.06  # .1102 (100 - 8.7): a stopband of -100 dB.


def resample(waves: Float[np.ndarray, " frames"], rate: int, wanted: int) -> Float[np.ndarray, " resampled"]:
    """The same sound at another rate: ``ceil(frames wanted / rate)`` samples, the first at the same moment.

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(800) / 8000)
    >>> len(resample(tone, 8000, 16000)), len(resample(tone, 8000, 5000))
    (1600, 500)
    """
    shared = gcd(rate, wanted)
    up, down = wanted // shared, rate // shared
    if up == down:
        return np.asarray(waves, np.float64)
    reach = _reach(up, down)
    count = -(-len(waves) * up // down)
    padded = np.pad(np.asarray(waves, np.float64), (reach, reach + down))
    out = np.empty(count)
    for phase in range(min(up, count)):
        first, fraction = divmod(phase * down, up)
        found = len(range(phase, count, up))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)[first : first + found * down : down]
        out[phase::up] = windows[:found] @ _filter(up, down, fraction)
    return out


def _cutoff(up: int, down: int) -> float:
    """In units of the Nyquist frequency of what comes in."""
    return ROLLOFF * min(1.0, up / down)


def _reach(up: int, down: int) -> int:
    """Samples of what comes in, to a side, that one sample of what comes out is made of."""
    return int(np.ceil(CROSSINGS / _cutoff(up, down)))


@lru_cache(maxsize=1024)
def _filter(up: int, down: int, fraction: int) -> Float[np.ndarray, " taps"]:
    """Weights of the samples around a moment that lies ``fraction / up`` of a sample after the middle one."""
    cutoff, reach = _cutoff(up, down), _reach(up, down)
    away = np.arange(-reach, reach + 1) - fraction / up
    inside = np.clip(1 - (away / (reach + 1)) ** 2, 0, None)
    taps = np.sinc(cutoff * away) * np.i0(BETA * np.sqrt(inside))
    return taps / taps.sum()  # A constant stays what it is.
