"""Translations measured against true pictures of the same names, beside floors that need no training."""

from collections.abc import Callable, Iterator, Mapping

import torch

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.progress import say
from ganvas.core.shapes import Bytes
from ganvas.data.packed import Packed
from ganvas.metrics.maths.pairs import ssim_map
from ganvas.metrics.maths.pairs.colour_table import ColourMeans
from ganvas.metrics.maths.pairs.colour_transport import ColourTransport, colour_moments
from ganvas.metrics.psnr import psnr, squared_error
from ganvas.tasks.pictures.kept_files import Pixels
from ganvas.tasks.pictures.named_files import NamedFiles
from ganvas.tasks.pictures.work import decoded
from ganvas.train.examinations.paired_examination import target_batches
from ganvas.train.kinds.paired_sources import pairs_of_run
from ganvas.train.monitors import MEASURE_BATCH, some_rows
from ganvas.train.trained import Trained

MOST = 2048  # Training pictures that a floor is taken from.
Floor = Callable[[Bytes], Bytes]


class TranslationTruth:
    """True pictures by the names of those that are translated, and what has been measured.

    Args:
        spec: Where the true pictures are.
        channels: Of a translation.
        floors: What is measured beside the model.
    """

    def __init__(self, spec: str, channels: int, floors: Mapping[str, Floor]) -> None:
        self.spec, self.channels, self.floors = spec, channels, floors
        self.files = {file.named(""): file for file in NamedFiles(spec)}
        self._found: dict[str, list[dict[str, float]]] = {}

    def measure(self, stem: str, given: Pixels, made: Pixels, *, model: str) -> None:
        """One picture (h, w, c) and its translation (h, w, d) by a model.

        Raises:
            UserError: it has no true picture, or one of another size.
        """
        if stem not in self.files:
            raise UserError(f"{self.spec} has no picture named {stem}. Add it, or leave --truth out.")
        file = self.files[stem]
        truth = _batch(decoded(file.name, file.read(), self.channels))
        if truth.shape[2:] != made.shape[:2]:
            raise UserError(
                f"{file.name} of {self.spec} is {truth.shape[2]}x{truth.shape[3]}, and its translation "
                f"{made.shape[0]}x{made.shape[1]} (height x width). The truth must show the same pixels."
            )
        translations = {model: _batch(made)} | {name: floor(_batch(given)) for name, floor in self.floors.items()}
        for name, one in translations.items():
            self._found.setdefault(name, []).append(_likeness(one, truth))

    def scores(self) -> dict[str, dict[str, float]]:
        """Means over pictures, of the model and of every floor."""
        return {
            name: {metric: sum(one[metric] for one in rows) / len(rows) for metric in rows[0]}
            for name, rows in self._found.items()
        }


def floors_of(trained: Trained, *, first: bool) -> dict[str, Floor]:
    """What is measured beside a model: pictures as they are, and what the colours of its training pictures tell.

    Of pairs that is the mean target of every colour, of two kinds the linear map between their colours; neither, which
    is said, where the pictures cannot be had.

    Args:
        first: Whether pictures of the run's first kind are translated.
    """
    config = trained.model.config
    floors: dict[str, Floor] = {}
    if config.picture.channels == config.other_picture.channels:
        floors["identity"] = lambda given: given
    try:
        if "target" in trained.data:
            floors["colour table"] = _colour_table(trained).painted
        elif "identity" in floors:
            floors["linear colours"] = _linear_colours(trained, first=first)
    except UserError as error:
        say(f"What colours alone tell does not stand beside the model: {error}")
    return floors


def _colour_table(trained: Trained) -> ColourMeans:
    pairs = pairs_of_run(trained, quiet=True)
    table = ColourMeans(pairs.pictures.channels, pairs.targets.channels)
    for given, truth in target_batches(pairs, some_rows(len(pairs), MOST, seed=0, purpose="colour table")):
        table.add(given, truth)
    return table


def _linear_colours(trained: Trained, *, first: bool) -> Floor:
    sides = [trained.reals(quiet=True), trained.prepared(trained.data["other"]["spec"], quiet=True)]
    source, target = (colour_moments(_some(side), side.channels) for side in (sides if first else sides[::-1]))
    transport = ColourTransport(source, target)
    return lambda given: to_bytes(transport(to_float(given)))


def _some(packed: Packed) -> Iterator[torch.Tensor]:
    rows = some_rows(len(packed), MOST, seed=0, purpose="linear colours")
    for start in range(0, len(rows), MEASURE_BATCH):
        yield to_float(torch.from_numpy(packed.read(rows[start : start + MEASURE_BATCH])).permute(0, 3, 1, 2))


def _likeness(made: Bytes, truth: Bytes) -> dict[str, float]:
    ratio = psnr(squared_error(made, truth), finest=1 / made[0].numel())
    return {"psnr": float(ratio), "ssim": float(ssim_map.ssim(made.double(), truth.double()))}


def _batch(pixels: Pixels) -> Bytes:
    """A picture (h, w, c) as a batch of one."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
