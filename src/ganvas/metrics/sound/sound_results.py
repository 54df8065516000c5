"""Everything that is measured of sounds against real ones without a classifier.

::

    spectrum_distance                  of the average spectra, in decibels
    lines, comb                        traces of strides and of hops, in the spectrum and in the power
    clicks, clipped, silence, offset   of each sound, on average
    self_distance, train_distance      from each sound to the nearest other one, and to the nearest real one, in
                                       decibels of mel levels: 0 for one sound again and again, and for copies
    ndb, ndb.divergence                bins of mel levels with another share of sounds
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int16
from torch import Tensor

from ganvas.core.results import Result
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.core.waves import to_waves
from ganvas.metrics.maths.neighbours.ndb import ndb
from ganvas.metrics.sound import artefacts
from ganvas.nn.sound.mel_levels import mel_levels

HOP = 128  # Samples, at whose distance a comb is looked for: SpecGAN's.
GROUPS = 10  # Of a jackknife.
MOST_BINS, LEAST_PER_BIN = 50, 10  # Of NDB.
MINIMUM = 2 * GROUPS  # Sounds on either side.
READ = 256

METRICS = ("spectrum_distance", "lines", "comb", "clicks", "clipped", "silence", "offset")
METRICS += ("self_distance", "train_distance", "ndb")
LOWER = ("spectrum_distance", "lines", "comb", "ndb", "ndb_of_features")

SampleRows = Int16[np.ndarray, "n samples"]
Kept = np.ndarray | slice


@dataclass(frozen=True, kw_only=True)
class SoundSet:
    """Sounds with everything that is looked at of them."""

    waves: Float64[np.ndarray, "n samples"]
    powers: Float64[np.ndarray, "n bins"]
    levels: Float[Tensor, "n levels"]  # Mel levels, as rows.

    @classmethod
    def of(cls, samples: SampleRows, size: SoundSize) -> "SoundSet":
        """Of 16-bit samples."""
        parts = [to_waves(torch.from_numpy(part)) for part in np.array_split(samples, -(-len(samples) // READ))]
        waves = torch.cat(parts).double().numpy()
        levels = torch.cat([mel_levels(part, size.rate).flatten(1) for part in parts])
        powers = np.concatenate([artefacts.average_powers(part.double().numpy()) for part in parts])
        return cls(waves=waves, powers=powers, levels=levels)


def sound_results(samples: SoundSet, real: SoundSet, size: SoundSize, *, seed: int) -> list[Result]:
    """All values of sounds beside real ones.

    Args:
        samples: What is measured, :data:`MINIMUM` sounds or more.
        real: What it is compared with; never the same sounds.
        size: Rate and length of both.
        seed: Of the bins.
    """
    waves, n = samples.waves, len(samples.waves)
    at = f"{size.rate}hz-{size.length}"
    spectra = lambda kept: artefacts.spectrum_distance(samples.powers[kept], real.powers)  # noqa: E731
    combed = lambda kept: artefacts.comb(waves[kept], HOP)  # noqa: E731
    per_sound = {
        "clicks": artefacts.clicks(waves),
        "clipped": artefacts.clipped(waves),
        "silence": artefacts.silence(waves, size.rate),
        "offset": artefacts.offset(waves),
        "self_distance": nearest_others(samples.levels),
        "train_distance": nearest(samples.levels, real.levels),
    }
    values = {
        "spectrum_distance": jackknifed(spectra, n),
        "lines": jackknifed(lambda kept: artefacts.lines(samples.powers[kept]), n),
        "comb": jackknifed(combed, n),
    }
    values |= {name: _averaged(own) for name, own in per_sound.items()}
    beside = {"comb": f"hop{HOP}"} | dict.fromkeys(("train_distance", "spectrum_distance"), f"of{len(real.waves)}")
    found = [
        _result(
            name,
            value,
            error,
            method="the spread of sounds" if name in per_sound else f"jackknife over {GROUPS} groups",
            n=n,
            seed=seed,
            protocol=":".join(filter(None, (name, at, beside.get(name), f"n{n}"))),
        )
        for name, (value, error) in values.items()
    ]
    return found + ndb_results(samples.levels, real.levels, f"{at}:mel-levels", seed=seed)


def ndb_results(
    samples: Float[Tensor, "n d"], real: Float[Tensor, "m d"], seen: str, *, seed: int, name: str = "ndb"
) -> list[Result]:
    """NDB over k and the divergence of rows of features.

    Args:
        seen: What the rows are, for the protocol.
        seed: Of the bins.
        name: Of the value.
    """
    bins = max(2, min(MOST_BINS, len(real) // LEAST_PER_BIN))
    found = ndb(real, samples, bins=bins, seed=seed)
    error = float(np.sqrt(found.different * (1 - found.different) / bins))
    protocol = f"{name}:{seen}:{bins}-bins:of{len(real)}:n{len(samples)}"
    how: dict[str, Any] = {"n": len(samples), "seed": seed, "protocol": protocol}
    return [
        _result(name, found.different, error, method="binomial over bins", **how),
        _result(f"{name}.divergence", found.divergence, None, method="", **how),
    ]


def nearest_others(rows: Float[Tensor, "n d"]) -> Float64[np.ndarray, " n"]:
    """From each row to the nearest other one, as a root mean square over its numbers."""
    distances = torch.cdist(rows.double(), rows.double()).fill_diagonal_(torch.inf).amin(1)
    return (distances / np.sqrt(rows.shape[1])).numpy()


def nearest(rows: Float[Tensor, "n d"], others: Float[Tensor, "m d"]) -> Float64[np.ndarray, " n"]:
    """From each row to the nearest of the others."""
    return (torch.cdist(rows.double(), others.double()).amin(1) / np.sqrt(rows.shape[1])).numpy()


def jackknifed(value: Callable[[Kept], float], n: int) -> tuple[float, float]:
    """A value of all sounds, and its standard error by leaving out a tenth at a time."""
    groups = np.arange(n) % GROUPS
    without = np.array([value(groups != group) for group in range(GROUPS)])
    return value(slice(None)), float(np.sqrt((GROUPS - 1) * without.var()))


def _averaged(own: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    """The mean of values of single sounds, and its standard error."""
    return float(own.mean()), float(own.std(ddof=1) / np.sqrt(len(own)))


def _result(metric: str, value: float, error: float | None, *, method: str, n: int, seed: int, protocol: str) -> Result:
    better = "lower" if metric.partition(".")[0] in LOWER else "neither"
    return Result(
        metric=metric,
        value=value,
        standard_error=error,
        error_method=method,
        n=n,
        seed=seed,
        better=better,
        protocol=protocol,
    )
