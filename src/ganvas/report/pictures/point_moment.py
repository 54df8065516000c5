"""A moment of a game of points in a plane, as a file: samples, what the critic thinks, and what latents become."""

import io
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from ganvas.core.files.atomic_files import atomic_file


@dataclass(frozen=True, kw_only=True, eq=False)
class PointMoment:
    """What is seen of a generator and its critic at one moment.

    Attributes:
        samples: Of fixed latents.
        span: Left, right, bottom and top of the square on which the critic was asked.
        levels: The critic's values on a grid over it, rows from bottom to top; empty of a model that does not judge.
        pushed: Samples, and the gradient of the critic at each: where the generator is to move them.
        latent_lines: What lines of a grid of latents become: along the first latent, then along the second.
    """

    nimg: int
    samples: Float32[np.ndarray, "n 2"]
    span: Float32[np.ndarray, " 4"]
    levels: Float32[np.ndarray, "g h"]
    pushed: Float32[np.ndarray, "m 2 2"]
    latent_lines: Float32[np.ndarray, "a l p 2"]

    def write(self, path: Path) -> None:
        """As ``.npz``, whole or not at all."""
        arrays = {item.name: np.asarray(getattr(self, item.name)) for item in fields(self)}
        with atomic_file(path) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def read(cls, path: Path) -> "PointMoment | None":
        """What a file holds; None where it is damaged."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
                arrays = {item.name: found[item.name] for item in fields(cls)}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return cls(nimg=int(arrays.pop("nimg")), **arrays)
