"""Sounds through a classifier of labelled sounds: inception score, Fréchet distance and bins.

The classifier is one that ``ganvas features train`` made; it sees a sound as a grey picture of its mel levels. The
inception score knows nothing of real sounds: it is read beside theirs, and beside the number of classes, its highest.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.results import Result
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.features.classifier import OwnClassifier
from ganvas.features.mel_pictures import mel_pictures
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.maths.frechet import frechet_from_features
from ganvas.metrics.sound.sound_results import GROUPS, SampleRows, jackknifed, ndb_results

SPLITS = 10
NAMES = ("inception_score", "frechet_distance", "ndb_of_features")


@dataclass(frozen=True, kw_only=True)
class SeenSounds:
    """What a classifier finds in sounds."""

    features: Float[Tensor, "n d"]
    logits: Float[Tensor, "n classes"]

    @classmethod
    def of(cls, samples: SampleRows, size: SoundSize, network: OwnClassifier) -> "SeenSounds":
        """Of 16-bit samples."""
        found = network.extract(mel_pictures(torch.from_numpy(samples), size.rate), ("features", "logits"))
        return cls(features=found["features"].double(), logits=found["logits"].double())


def classified_results(samples: SeenSounds, real: SeenSounds, network: OwnClassifier, *, seed: int) -> list[Result]:
    """The three values of sounds beside real ones, which are never the same."""
    n, seen = len(samples.features), f"{network.identity}:mel-levels"
    splits = inception_score(samples.logits, splits=SPLITS)
    distance = lambda kept: frechet_from_features(samples.features[kept], real.features)  # noqa: E731
    frechet, error = jackknifed(distance, n)
    bins = ndb_results(samples.features, real.features, seen, seed=seed, name="ndb_of_features")
    return [
        Result(
            metric="inception_score",
            value=float(splits.mean()),
            standard_error=float(splits.std() / np.sqrt(SPLITS)),
            error_method=f"the spread of {SPLITS} splits",
            n=n,
            seed=seed,
            better="higher",
            protocol=f"inception_score:{seen}:{SPLITS}-splits:n{n}",
        ),
        Result(
            metric="frechet_distance",
            value=frechet,
            standard_error=error,
            error_method=f"jackknife over {GROUPS} groups",
            n=n,
            seed=seed,
            better="lower",
            protocol=f"frechet_distance:{seen}:of{len(real.features)}:n{n}",
        ),
        *bins,
    ]
