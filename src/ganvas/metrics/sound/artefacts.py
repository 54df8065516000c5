"""Artefacts of sounds that a network has made, as numbers: pure functions of waves in float64.

Every one has its place among real sounds, beside which it is read: a bell has lines, and a drum has clicks.
"""

import numpy as np
from jaxtyping import Float64

LINE_STRIDES = 16  # Lines are looked for at the multiples of a 16th of the rate, which those of a 4th are too.
NEIGHBOURS = 6  # Bins to either side that a line is compared with, the nearest left out: Hann's own width.
WINDOW = 1024  # Of an average spectrum; shorter sounds have a shorter one.
FAINTEST = 1e-10  # Power of -100 dB.
AT_THE_END = 32766 / 32768  # From where on a sample is clipped.
FRAME_SECONDS, SILENT_LEVEL = 0.01, 1e-3  # A frame whose root mean square is below -60 dB is silent.

WaveRows = Float64[np.ndarray, "n samples"]
Spectrum = Float64[np.ndarray, " bins"]


def average_powers(waves: WaveRows) -> Float64[np.ndarray, "n bins"]:
    """The power of every bin, averaged over the frames of each sound (Welch's method, half overlap)."""
    size = min(WINDOW, 1 << (waves.shape[1].bit_length() - 1))
    window = np.sin(np.pi * np.arange(size) / size) ** 2
    frames = np.lib.stride_tricks.sliding_window_view(waves, size, axis=1)[:, :: size // 2]
    return np.stack([(np.abs(np.fft.rfft(own * window)) ** 2).mean(0) for own in frames]) * (2 / window.sum()) ** 2


def decibels(powers: Spectrum) -> Spectrum:
    """``10 log10``, not below -100 dB."""
    return 10 * np.log10(np.maximum(powers, FAINTEST))


def spectrum_distance(a: Float64[np.ndarray, "n bins"], b: Float64[np.ndarray, "m bins"]) -> float:
    """The root mean square over bins of the difference of two average spectra, in decibels."""
    return float(np.sqrt(np.mean((decibels(a.mean(0)) - decibels(b.mean(0))) ** 2)))


def lines(powers: Float64[np.ndarray, "n bins"]) -> float:
    """By how many decibels the bins at multiples of a 16th of the rate stand over their neighbours, on average.

    Inserting zeros between samples, as transposed convolutions of stride 4 do, leaves sound at multiples of a 4th of
    the rate, two of them in a row at those of a 16th.
    """
    spectrum, bins = decibels(powers.mean(0)), powers.shape[1] - 1
    places = np.arange(1, LINE_STRIDES // 2) * (2 * bins // LINE_STRIDES)  # Without 0 Hz and the Nyquist frequency.
    away = np.array([step for step in range(-NEIGHBOURS, NEIGHBOURS + 1) if abs(step) > 1])
    return float(np.mean(spectrum[places] - np.median(spectrum[places[:, None] + away], axis=1)))


def comb(waves: WaveRows, hop: int) -> float:
    """How far the power goes up and down once per ``hop`` samples, at one phase in all sounds: 0 not at all, 1 wholly.

    ``|sum x^2 e^(-2 pi i t / hop)| / sum x^2`` over all sounds. Frames that are laid over each other under the wrong
    window have it: Hann twice at half overlap 6/19.
    """
    power = (waves**2).sum(0)
    turns = np.exp(-2j * np.pi * np.arange(len(power)) / hop)
    return float(abs(power @ turns) / max(power.sum(), FAINTEST))


def clicks(waves: WaveRows) -> Float64[np.ndarray, " n"]:
    """The greatest second difference of each sound."""
    return np.abs(np.diff(waves, 2, axis=1)).max(1)


def clipped(waves: WaveRows) -> Float64[np.ndarray, " n"]:
    """The share of samples at either end of the range."""
    return (np.abs(waves) >= AT_THE_END).mean(1)


def silence(waves: WaveRows, rate: int) -> Float64[np.ndarray, " n"]:
    """The share of frames of 10 ms whose root mean square is below -60 dB."""
    size = max(1, min(round(FRAME_SECONDS * rate), waves.shape[1]))
    frames = waves[:, : waves.shape[1] // size * size].reshape(len(waves), -1, size)
    return (np.sqrt((frames**2).mean(2)) < SILENT_LEVEL).mean(1)


def offset(waves: WaveRows) -> Float64[np.ndarray, " n"]:
    """The distance of the mean of each sound from 0."""
    return np.abs(waves.mean(1))
