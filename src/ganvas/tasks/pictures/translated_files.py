"""Translation of files as they are: any size, one by one, each written in its own format under its own name."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ganvas.core.pixels import to_bytes
from ganvas.core.progress import progress, say
from ganvas.data.colour import Colour
from ganvas.data.conversion import Broken, broken_refusal
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.tasks.pictures.chosen_translation import ChosenTranslation
from ganvas.tasks.pictures.kept_files import KeptPicture, read_kept
from ganvas.tasks.pictures.named_files import DistinctNames, NamedFile, NamedFiles
from ganvas.tasks.pictures.output_folder import OutputFolder, fingerprint
from ganvas.tasks.pictures.translation_truth import TranslationTruth
from ganvas.tasks.pictures.whole_picture import WholePictures
from ganvas.tasks.pictures.work import stride_of


@dataclass(kw_only=True)
class TranslatedFiles:
    """Fills a folder with the translations of a source.

    Args:
        chosen: The model, the way it goes, and with what.
        channels: Of the pictures that it takes this way.
        source: Where the pictures are.
        out: The folder.
        memory_gb: What a tile may take.
        background: Behind transparent pixels.
        broken: Whether a file that cannot be read stops everything, or is left out and said.
        truth: What every translation is measured against: then none is taken from an earlier time.
    """

    chosen: ChosenTranslation
    channels: int
    source: str
    out: Path
    memory_gb: float
    background: Colour = (255, 255, 255)
    broken: Broken = "refuse"
    truth: TranslationTruth | None = None
    pictures: int = 0
    found: int = 0
    renewed: int = 0
    _names: DistinctNames = field(default_factory=DistinctNames)

    def write(self) -> None:
        """Every picture of the source that is not done yet.

        Raises:
            UserError: one is broken or does not fit into memory, or something else is in the folder.
        """
        chosen, trained = self.chosen, self.chosen.trained
        whole = WholePictures(
            network=trained.model,
            function=chosen,
            finish=to_bytes,
            channels=self.channels,
            stride=stride_of(trained),
            memory_gb=self.memory_gb,
            device=trained.device,
        )
        made_by = {
            "model": trained.name,
            "weights": trained.fingerprint,
            "direction": chosen.direction,
            "background": list(self.background),
            "seed": chosen.seed,
            "style": None if chosen.style is None else chosen.style.fingerprint,
        }
        files = NamedFiles(self.source)
        folder = OutputFolder(self.out, "translate", made_by)
        with progress("Translating", files.total, unit=files.unit) as report:
            for file in files:
                self._one(file, whole, folder)
                report(file.at)
        self.renewed = folder.renewed

    def _one(self, file: NamedFile, whole: WholePictures, folder: OutputFolder) -> None:
        data = file.read()
        made_of = {"picture": fingerprint(data)}
        if self.truth is None and any(folder.done(str(name), made_of) for name in _written_as(file.name)):
            self._names.note(file.name, file.named(""))
            self.pictures += 1
            self.found += 1
            return
        picture = self._read(file.name, data)
        if picture is None:
            return
        self.pictures += 1
        name = file.named(picture.ending) if picture.ending else file.name
        self._names.note(file.name, file.named(""))
        given = picture.channels(self.channels, background=self.background)
        made = whole(given)
        if self.truth is not None:
            self.truth.measure(file.named(""), given, made, model=self.chosen.trained.name)
        folder.write(name, picture.encoded(made), made_of)

    def _read(self, name: str, data: bytes) -> KeptPicture | None:
        """A picture with what its file holds besides; None where it is broken and is left out."""
        try:
            return read_kept(data)
        except BrokenPicture as reason:
            if self.broken == "refuse":
                raise broken_refusal(name, str(reason)) from None
            say(f"{name} {reason}. It is left out.")
            return None


def _written_as(name: str) -> tuple[PurePosixPath, ...]:
    """The names that a file can take: a format that cannot be written becomes PNG."""
    return PurePosixPath(name), PurePosixPath(name).with_suffix(".png")
