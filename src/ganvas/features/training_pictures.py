"""Pictures that a classifier learns from: labelled ones, or labelled sounds as pictures of their mel levels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.data.packing import prepare
from ganvas.data.sound.opening_sounds import is_sounds
from ganvas.data.sound.packed_sounds import prepare_sounds, sound_source
from ganvas.data.sound.sound_source import usual_size
from ganvas.data.survey import survey
from ganvas.features.mel_pictures import mel_pictures
from ganvas.nn.sound.mel_levels import SIDE

LARGEST = 64  # Side of the pictures where none is asked for and the source's own are larger, or of several sizes.


@dataclass(frozen=True, kw_only=True)
class TrainingPictures:
    """Labelled pictures of one size, and how they may be moved without becoming others."""

    pictures: UInt8[Tensor, "n 3 side side2"]
    labels: Int64[Tensor, " n"]
    class_names: tuple[str, ...]
    fingerprint: str  # Of the source's pack.
    of_sounds: bool = False  # The right is later and the top is higher: never mirrored, and moved sideways alone.
    notes: dict[str, Any] = field(default_factory=dict)  # What the classifier's file says besides.

    @property
    def size(self) -> int:
        """Side of a picture."""
        return self.pictures.shape[-1]


def training_pictures(
    source: str, *, size: int | None, sound: SoundSize | None, quiet: bool = False
) -> TrainingPictures:
    """The labelled pictures or sounds of a source.

    Args:
        source: As a person names it.
        size: Side of pictures; None is their own, up to :data:`LARGEST`.
        sound: Rate and length of sounds; None are the usual ones of the source.
        quiet: No progress.

    Raises:
        UserError: there are no labels, or one class; or what is asked for is of pictures and these are sounds.
    """
    if is_sounds(source):
        return _of_sounds(source, size=size, sound=sound, quiet=quiet)
    if sound is not None:
        raise UserError(f"--sound {sound.length}@{sound.rate}: {source} holds no sounds. Leave it out.")
    return _of_pictures(source, size or _own_size(source, quiet=quiet), quiet=quiet)


def _of_pictures(source: str, size: int, *, quiet: bool) -> TrainingPictures:
    packed = prepare(source, size=(size, size), channels=3, fit="stretch", quiet=quiet)
    labels = _labels(packed.labels, source, "pictures")
    pictures = torch.from_numpy(packed.read(np.arange(len(packed)))).permute(0, 3, 1, 2).contiguous()
    return TrainingPictures(
        pictures=pictures, labels=labels, class_names=packed.class_names, fingerprint=packed.fingerprint
    )


def _of_sounds(source: str, *, size: int | None, sound: SoundSize | None, quiet: bool) -> TrainingPictures:
    if size not in (None, SIDE):
        raise UserError(f"--size {size}: sounds are looked at as {SIDE} x {SIDE} levels. Leave it out.")
    chosen = sound or usual_size(sound_source(source).survey(quiet=quiet))
    packed = prepare_sounds(source, chosen, quiet=quiet)
    labels = _labels(packed.labels, source, "sounds")
    grey = mel_pictures(torch.from_numpy(packed.read(slice(None))), chosen.rate)
    return TrainingPictures(
        pictures=grey.expand(-1, 3, -1, -1).contiguous(),
        labels=labels,
        class_names=packed.class_names,
        fingerprint=packed.fingerprint,
        of_sounds=True,
        notes={"sound": {"rate": chosen.rate, "length": chosen.length}},
    )


def _labels(found: np.ndarray | None, source: str, noun: str) -> Int64[Tensor, " n"]:
    if found is None:
        raise UserError(
            f"{source} has no labels. A classifier learns from them: put the {noun} into one folder per class, "
            "or give a dataset.json."
        )
    labels = torch.from_numpy(np.array(found))
    if len(labels.unique()) < 2:
        raise UserError(f"All {noun} of {source} are of one class. A classifier needs at least two.")
    return labels


def _own_size(source: str, *, quiet: bool) -> int:
    sizes = [size for size in survey(source, full=False, quiet=quiet).sizes if isinstance(size, tuple)]
    longest = max(sizes[0]) if len(sizes) == 1 else LARGEST
    return max(min(longest, LARGEST), 8)
