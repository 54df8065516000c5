"""``ganvas segment``: the class of every pixel of pictures of any size, named by a trained model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    import numpy as np

    from ganvas.metrics.maths.pairs.colour_table import ColourClasses
    from ganvas.tasks.pictures.named_files import NamedFile
    from ganvas.tasks.pictures.output_folder import OutputFolder
    from ganvas.tasks.pictures.whole_picture import WholePictures
    from ganvas.train.trained import Trained

OVERLAYS = "overlays"  # The folder beside the label maps.
MOST_IN_TABLE = 2048  # Training pairs from which the table of colours is learnt.


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Name the class of every pixel with a run of a model such as segment/unet. The same command goes on after a stop.

    Examples:
      ganvas segment runs/seg photos/ -o labels
      ganvas segment runs/seg photos/ -o labels --overlay
      ganvas segment runs/seg photos/ -o labels --truth masks/
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SRC")]
    """The pictures, of any sizes: whatever `ganvas train --data` takes, or one picture."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder to write: a PNG with a palette for each picture, under its name; a pixel is the number of its class."""
    overlay: bool = False
    """Also write each picture with the colours of its classes laid over, into overlays/."""
    truth: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """Label maps with the names of the pictures: what is named is scored, beside what colours alone tell."""
    memory: float = 2.0
    """Gigabytes that a tile of a picture may take; larger pictures go through in tiles, with the same result."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Segmented:
    """What was written."""

    path: Path
    pictures: int
    found: int  # Of them, those that were there from an earlier time.
    renewed: int  # Of them, those made again since their pictures have changed.
    classes: int
    model: str
    kimg: float
    scores: dict[str, float] | None = None  # Where the truth was given.
    floor: dict[str, float] | None = None  # Of a table from colours to classes; None where its pairs cannot be had.


def segment(task: Segment) -> Segmented:
    """Names classes and writes, file by file.

    Raises:
        UserError: the model labels no pixels, a picture is broken or has no truth, or other files are at ``out``.
    """
    from ganvas.data.sources.locations import refuse_out_inside
    from ganvas.losses.capabilities import Segments
    from ganvas.tasks.pictures.output_folder import OutputFolder
    from ganvas.tasks.pictures.work import require_memory
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    require_memory(task.memory)
    trained = load(task.run, kimg=task.kimg, device=pick_device(task.device))
    trained.require(Segments)
    refuse_out_inside(task.source, task.out)
    truth = None if task.truth is None else _Truth(task.truth, trained)
    made_by = {"model": trained.name, "weights": trained.fingerprint, "overlay": task.overlay}
    written = _Writing(task, trained, OutputFolder(task.out, "segment", made_by), truth)
    written.all()
    return Segmented(
        path=task.out,
        pictures=written.pictures,
        found=written.found,
        renewed=written.folder.renewed,
        classes=trained.model.config.pixel_classes,
        model=trained.name,
        kimg=trained.kimg,
        scores=None if truth is None else truth.counts.values(),
        floor=None if truth is None or truth.table is None else truth.of_table.values(),
    )


class _Writing:
    """One pass over the pictures."""

    def __init__(self, task: Segment, trained: "Trained", folder: "OutputFolder", truth: "_Truth | None") -> None:
        from ganvas.tasks.pictures.named_files import DistinctNames

        self.task, self.trained, self.folder, self.truth = task, trained, folder, truth
        self.whole, self.names = _whole_pictures(task, trained), DistinctNames()
        self.pictures = self.found = 0

    def all(self) -> None:
        """Every picture of the source."""
        from ganvas.core.progress import progress
        from ganvas.tasks.pictures.named_files import NamedFiles

        files = NamedFiles(self.task.source)
        with progress("Segmenting", files.total, unit=files.unit) as report:
            for file in files:
                self.one(file)
                report(file.at)

    def one(self, file: "NamedFile") -> None:
        """One picture, unless it is done."""
        import numpy as np

        from ganvas.tasks.pictures.output_folder import fingerprint
        from ganvas.tasks.pictures.work import decoded

        name = file.named(".png")
        self.names.note(file.name, name)
        self.pictures += 1
        data = file.read()
        made_of = {"picture": fingerprint(data)}
        if self.truth is None and self.folder.done(name, made_of):
            self.found += 1
            return
        channels = self.trained.model.config.picture.channels
        pixels = decoded(file.name, data, channels)
        named = self.whole(pixels)[..., 0]
        if self.truth is not None:
            self.truth.score(file.named(""), pixels, named)
        if self.task.overlay:  # Before the label map, whose being there says that the picture is done.
            rgb = np.repeat(pixels, 3, 2) if channels == 1 else pixels[..., :3]
            self.folder.write(f"{OVERLAYS}/{name}", overlaid(rgb, named))
        self.folder.write(name, paletted(named), made_of)


def _whole_pictures(task: Segment, trained: "Trained") -> "WholePictures":
    from torch import Tensor

    from ganvas.losses.capabilities import Segments
    from ganvas.tasks.pictures.whole_picture import WholePictures
    from ganvas.tasks.pictures.work import stride_of

    def classes(logits: Tensor) -> Tensor:
        return logits.argmax(1, keepdim=True).byte()

    return WholePictures(
        network=trained.model,
        function=trained.require(Segments).segment,
        finish=classes,
        channels=trained.model.config.picture.channels,
        stride=stride_of(trained),
        memory_gb=task.memory,
        device=trained.device,
    )


class _Truth:
    """Label maps by the names of their pictures, and what has been scored."""

    def __init__(self, spec: str, trained: "Trained") -> None:
        from ganvas.metrics.accumulators.label_map_counts import LabelMapCounts
        from ganvas.tasks.pictures.named_files import NamedFiles

        config = trained.model.config
        self.spec, self.void = spec, config.void
        self.counts, self.of_table = (LabelMapCounts(config.pixel_classes) for _ in range(2))
        self.table = _colour_table(trained)
        self.maps = {file.named(""): file for file in NamedFiles(spec)}

    def score(self, stem: str, pixels: "np.ndarray", named: "np.ndarray") -> None:
        """Adds one picture (h, w, c) to the matrices of the model and of the table.

        Raises:
            UserError: it has no label map, or one of another size.
        """
        import numpy as np
        import torch

        from ganvas.core.errors import UserError
        from ganvas.data.conversion import broken_refusal
        from ganvas.data.encoded.broken_picture import BrokenPicture
        from ganvas.data.pictures import decode_numbers
        from ganvas.train.feeds.pixel_classes import told_classes

        if stem not in self.maps:
            raise UserError(f"{self.spec} has no label map named {stem}. Add it, or leave --truth out.")
        file = self.maps[stem]
        try:
            numbers = decode_numbers(file.read())
        except BrokenPicture as reason:
            raise broken_refusal(file.name, str(reason)) from None
        if numbers.shape != named.shape:
            raise UserError(
                f"{file.name} of {self.spec} is {numbers.shape[0]}x{numbers.shape[1]}, and its picture "
                f"{named.shape[0]}x{named.shape[1]} (height x width). The truth must show the same pixels."
            )
        truth = torch.from_numpy(told_classes(numbers, self.counts.classes, void=self.void, name=file.name))[None]
        self.counts.add(truth, torch.from_numpy(named.astype(np.int64))[None])
        if self.table is not None:
            self.of_table.add(truth, self.table.named(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]))


def _colour_table(trained: "Trained") -> "ColourClasses | None":
    """What colours alone tell, learnt from the pairs of the run; None, said, where they cannot be had."""
    from ganvas.core.errors import UserError
    from ganvas.core.progress import say
    from ganvas.train.examinations.segment_examination import colour_classes
    from ganvas.train.kinds.paired_sources import pairs_of_run
    from ganvas.train.monitors import some_rows

    try:
        pairs = pairs_of_run(trained, quiet=True)
    except UserError as error:
        say(f"No scores of a table from colours to classes stand beside the model's: {error}")
        return None
    rows = some_rows(len(pairs), MOST_IN_TABLE, seed=0, purpose="colour table")
    return colour_classes(pairs, rows, trained.model.config.pixel_classes)


def paletted(named: "np.ndarray") -> bytes:
    """A label map (h, w) as a PNG whose pixels are numbers and whose palette shows them in colours."""
    import io

    from PIL import Image

    from ganvas.report.pictures.class_colours import class_colours

    image = Image.frombytes("P", (named.shape[1], named.shape[0]), named.tobytes())
    image.putpalette(class_colours().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def overlaid(rgb: "np.ndarray", named: "np.ndarray") -> bytes:
    """A picture (h, w, 3) half covered by the colours of its classes, as a PNG."""
    import io

    import numpy as np
    from PIL import Image

    from ganvas.report.pictures.class_colours import coloured

    mixed: Any = (rgb.astype(np.uint16) + coloured(named.astype(np.int64)) + 1) // 2
    buffer = io.BytesIO()
    Image.fromarray(mixed.astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()
