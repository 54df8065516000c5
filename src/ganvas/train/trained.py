"""A trained model, ready to draw: ``load("runs/x").sample(64, seed=1).show()``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int16
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ganvas.core import catalogue
from ganvas.core.config import from_plain
from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.run_folder import DESCRIPTION, RunFolder
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Bytes, Images, Labels, Latents, PerSample
from ganvas.core.waves import to_samples
from ganvas.data.fitting import Fit
from ganvas.data.graphs.graph_tables import GraphRows
from ganvas.data.graphs.packed_graphs import Names, PackedGraphs, prepare_graphs
from ganvas.data.packed import Packed
from ganvas.data.packing import prepare
from ganvas.data.sound.packed_sounds import PackedSounds, prepare_sounds
from ganvas.data.text.alphabet import Alphabet, TokenRows
from ganvas.data.text.packed_text import PackedText, prepare_text
from ganvas.losses.capabilities import HasLatents, Judges, SizesGraphs, SizesLines, SizesSounds, classes_of
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.losses.game import Game
from ganvas.report.pictures.grid import grid
from ganvas.train import checkpoint
from ganvas.train.sampling.drawn import decoded, drawn_labels, drawn_samples
from ganvas.train.state import placed

C = TypeVar("C")


@dataclass(frozen=True)
class DrawnPictures:
    """Pictures as bytes (n, h, w, c), with what a notebook or a script wants to do with them."""

    bytes: NDArray[np.uint8]

    def grid(self, *, columns: int | None = None, scale: int = 1) -> Image.Image:
        """All of them on one sheet."""
        return grid(self.bytes, columns=columns, scale=scale)

    def show(self) -> None:
        """Opens the sheet in the system's picture viewer."""
        self.grid(scale=max(1, 128 // self.bytes.shape[1])).show()

    def __len__(self) -> int:
        return len(self.bytes)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model at one moment of its training, with averaged weights."""

    model: Game
    name: str  # "gan/progan"
    nimg: int
    resolution: int | None  # Nominal resolution reached; None for a model whose pictures are not doubled from a base.
    fade: float
    data: dict[str, Any]  # What it was trained on: spec, size, channels, class names, how pictures were fitted.
    fingerprint: str  # SHA-256 of the weights.
    device: torch.device

    @property
    def kimg(self) -> float:
        return self.nimg / 1000

    @property
    def height(self) -> int:
        return self._of_pictures("height")

    @property
    def width(self) -> int:
        return self._of_pictures("width")

    @property
    def channels(self) -> int:
        return self._of_pictures("channels")

    @property
    def unit(self) -> SampleUnit:
        """What its samples are."""
        return self.model.batch_type.unit

    @property
    def draws_points(self) -> bool:
        """Whether its samples are points and not pictures."""
        return self.unit == "points"

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.data.get("class_names") or ())

    @property
    def conditional(self) -> bool:
        return classes_of(self.model.config) > 0

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float | None = None,
        temperature: float | None = None,
        solver: SolverOptions | None = None,
        batch: int = 64,
    ) -> DrawnPictures:
        """``n`` pictures. The same seed gives the same pictures whatever the batch.

        Raises:
            UserError: there is no such class, or the model cannot truncate, has no temperature, or solves no equation.
        """
        how = {"label": label, "truncation": truncation, "temperature": temperature, "solver": solver}
        drawn = list(self.sample_bytes(n, seed=seed, batch=batch, **how))
        return DrawnPictures(torch.cat(drawn).permute(0, 2, 3, 1).contiguous().numpy())

    def sample_bytes(
        self,
        n: int,
        *,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float | None = None,
        temperature: float | None = None,
        solver: SolverOptions | None = None,
        batch: int = 64,
        start: int = 0,
    ) -> Iterator[Bytes]:
        """Batches (b, c, h, w) of the same pictures; those of a model that still grows are enlarged to full size.

        Args:
            start: So many of the first are left out, and not drawn.
        """
        if n < 1:
            raise UserError(f"-n {n}: the number of pictures must be at least 1.")
        labels = self.labels(n, seed=seed, label=label)
        drawn = drawn_samples(
            self.model,
            n,
            seed=seed,
            purpose="latents",
            labels=labels,
            stage=self.stage,
            truncation=truncation,
            temperature=temperature,
            solver=solver,
            batch=batch,
            start=start,
        )
        for images in drawn:
            yield to_bytes(self.full_size(images)).cpu()

    def sample_points(
        self,
        n: int,
        *,
        seed: int = 0,
        temperature: float | None = None,
        solver: SolverOptions | None = None,
        batch: int = 4096,
    ) -> Float[np.ndarray, "n d"]:
        """``n`` points in the units of the data. The same seed gives the same points whatever the batch.

        Raises:
            UserError: the model draws pictures.
        """
        if not self.draws_points:
            raise UserError(f"{self.name} draws {self.unit}, and points are wanted.")
        how = {"stage": self.stage, "temperature": temperature, "solver": solver, "batch": batch}
        drawn = drawn_samples(self.model, n, seed=seed, purpose="latents", **how)
        return torch.cat([points.float().cpu() for points in drawn]).numpy()

    @property
    def sound(self) -> SoundSize:
        """The rate and length of the sounds that it draws.

        Raises:
            UserError: the model draws no sounds.
        """
        return self._config_that(SizesSounds, "sound").sound

    def sample_sounds(
        self, n: int, *, seed: int = 0, label: str | int | None = None, batch: int = 64
    ) -> Iterator[Int16[Tensor, "b samples"]]:
        """Batches of ``n`` sounds as 16-bit samples. The same seed gives the same sounds whatever the batch.

        Raises:
            UserError: the model draws no sounds.
        """
        assert self.sound
        labels = self.labels(n, seed=seed, label=label)
        how = {"labels": labels, "stage": self.stage, "batch": batch}
        for waves in drawn_samples(self.model, n, seed=seed, purpose="latents", **how):
            yield to_samples(waves).cpu()

    def real_sounds(self, *, quiet: bool = False) -> PackedSounds:
        """The sounds it was trained on, prepared as they were then."""
        packed = prepare_sounds(self.data["spec"], self.sound, broken=self.data["broken"], quiet=quiet)
        _require_the_same(packed.fingerprint, self.data)
        return packed

    @property
    def alphabet(self) -> Alphabet:
        """Of the text that it was trained on.

        Raises:
            UserError: the model draws no lines.
        """
        assert self.line
        return Alphabet(tuple(self.data["alphabet"]), self.data["unit"])

    @property
    def line(self) -> LineSize:
        """The size of the lines that it draws.

        Raises:
            UserError: the model draws no lines.
        """
        return self._config_that(SizesLines, "text").line

    def real_lines(self, *, quiet: bool = False) -> PackedText:
        """The lines it was trained on, prepared as they were then."""
        packed = prepare_text(self.data["spec"], self.line, quiet=quiet)
        _require_the_same(packed.fingerprint, self.data)
        return packed

    def sample_tokens(self, n: int, *, seed: int = 0, temperature: float | None = None, batch: int = 256) -> TokenRows:
        """``n`` lines (n, l) as numbers in :attr:`alphabet`. The same seed gives the same lines whatever the batch.

        Raises:
            UserError: the model draws no lines, or has no temperature.
        """
        assert self.alphabet
        how = {"stage": self.stage, "temperature": temperature, "batch": batch}
        drawn = drawn_samples(self.model, n, seed=seed, purpose="latents", **how)
        return torch.cat([tokens.cpu() for tokens in drawn]).numpy()

    def sample_lines(self, n: int, *, seed: int = 0, temperature: float | None = None) -> list[str]:
        """The same lines as they are read."""
        return self.alphabet.decode(self.sample_tokens(n, seed=seed, temperature=temperature))

    @property
    def graph(self) -> GraphSize:
        """The size of the graphs that it draws.

        Raises:
            UserError: the model draws no graphs.
        """
        return self._config_that(SizesGraphs, "graphs").graph

    @property
    def graph_names(self) -> Names:
        """Names of the kinds of nodes, and of edges, of the graphs that it draws."""
        assert self.graph
        return tuple(self.data["node_names"]), tuple(self.data["edge_names"])

    def real_graphs(self, *, quiet: bool = False) -> PackedGraphs:
        """The graphs it was trained on, prepared as they were then."""
        how = {"nodes": self.graph.nodes, "broken": self.data["broken"], "quiet": quiet}
        packed = prepare_graphs(self.data["spec"], **how)
        _require_the_same(packed.fingerprint, self.data)
        return packed

    def sample_graphs(self, n: int, *, seed: int = 0, temperature: float | None = None, batch: int = 256) -> GraphRows:
        """``n`` graphs as tables (n, v, v). The same seed gives the same graphs whatever the batch.

        Raises:
            UserError: the model draws no graphs, or has no temperature.
        """
        assert self.graph
        how = {"stage": self.stage, "temperature": temperature, "batch": batch}
        drawn = drawn_samples(self.model, n, seed=seed, purpose="latents", **how)
        return torch.cat([tables.to(torch.uint8).cpu() for tables in drawn]).numpy()

    def latents(self, n: int, *, seed: int = 0) -> Latents:
        """``n`` latents on the CPU, a function of the seed."""
        return self.require(HasLatents).latents(n, stream(seed, "latents"))

    @torch.no_grad()
    def decode(self, z: Latents, labels: Labels | None = None, *, truncation: float | None = None) -> Images:
        """Pictures in [-1, 1] of latents, at full size."""
        chosen, model = None if labels is None else labels.to(self.device), self.require(HasLatents)
        return self.full_size(decoded(model, z.to(self.device), chosen, stage=self.stage, truncation=truncation))

    def full_size(self, images: Images) -> Float[Tensor, "n c h2 w2"]:
        """Pictures of a model that still grows, enlarged to the size that it grows to."""
        factor = self.height // images.shape[-2]
        return F.interpolate(images, scale_factor=factor, mode="nearest") if factor > 1 else images

    @torch.no_grad()
    def judge(self, pictures: Bytes, *, batch: int = 64) -> PerSample:
        """How real its discriminator finds full-size pictures, whole batches at a time: some look at the batch."""
        judge = self.require(Judges)
        found = [judge.judge(to_float(part.to(self.device)), stage=self.stage) for part in pictures.split(batch)]
        return torch.cat(found).float().cpu()

    def _config_that(self, sizes: type[C], of: str) -> C:
        config = self.model.config
        if not isinstance(config, sizes):
            raise UserError(f"{self.name} draws {self.unit}, and a model of {of} is wanted.")
        return config

    def _of_pictures(self, side: str) -> int:
        if self.unit != "pictures":
            raise UserError(f"{self.name} draws {self.unit}, which have no {side}, and pictures are wanted here.")
        return self.data[side]

    @property
    def stage(self) -> Stage:
        """How far it has grown."""
        return Stage(batch_size=self.model.config.batch_size, lr=0.0, resolution=self.resolution, fade=self.fade)

    def reals(self, *, quiet: bool = False) -> Packed:
        """The pictures it was trained on, prepared as they were then."""
        packed = self.prepared(self.data["spec"], quiet=quiet)
        _require_the_same(packed.fingerprint, self.data)
        return packed

    def was_trained_on(self, packed: Packed | PackedText) -> bool:
        """Whether these are the samples of its training, however they are called."""
        return packed.fingerprint == self.data["fingerprint"]

    def prepared(self, spec: str, *, fit: Fit | None = None, quiet: bool = False) -> Packed:
        """The pictures of a source, prepared as those of the training were, or fitted in another way."""
        keys = ("fit", "background", "broken")
        settings: dict[str, Any] = {key: self.data[key] for key in keys if key in self.data}
        settings |= {"fit": fit} if fit else {}
        return prepare(spec, size=(self.height, self.width), channels=self.channels, quiet=quiet, **settings)

    def require(self, capability: type[C]) -> C:
        """The model as one that has a capability; a family that lacks it is told clearly.

        Raises:
            UserError: it has no such methods.
        """
        if not isinstance(self.model, capability):
            lacks = (capability.__doc__ or capability.__name__).partition("\n")[0].rstrip(".").lower()
            able = catalogue.few(catalogue.models_with(capability))
            raise UserError(f"{self.name} cannot do this. What it would need: a model that {lacks}, such as {able}.")
        return self.model

    def labels(self, n: int, *, seed: int, label: str | int | None) -> Labels | None:
        """Classes to draw: one, or each with its share of the data; None for a model that has none."""
        if not self.conditional:
            if label is not None:
                raise UserError(f"--label {label}: this model was trained without labels, so it draws any class.")
            return None
        classes = classes_of(self.model.config)
        if label is None:
            return drawn_labels(n, seed=seed, counts=self.data.get("class_counts") or [1] * classes)
        return torch.full((n,), self._class_index(label))

    def _class_index(self, label: str | int) -> int:
        known = self.class_names
        if label in known:
            return known.index(str(label))
        classes = classes_of(self.model.config)
        if str(label).isdecimal() and int(label) < classes:
            return int(label)
        named = f" Classes: {', '.join(known)}." if known else ""
        raise UserError(
            f"--label {label} is not a class of 0 to {classes - 1}.{did_you_mean(str(label), known)}{named}"
        )


def _require_the_same(fingerprint: str, data: dict[str, Any]) -> None:
    if fingerprint != data["fingerprint"]:
        raise UserError(
            f"The samples in {data['spec']} are not those of the training any more. Restore them, or measure against "
            "others by name."
        )


def load(path: str | Path, *, kimg: float | None = None, device: str | torch.device = "cpu") -> Trained:
    """The newest model of a run (or the one at ``kimg``, or a model folder), on a device.

    Raises:
        UserError: there is no such run or model, or its files are not whole.
    """
    folder = model_folder(Path(path), kimg)
    tensors, numbers = checkpoint.load(folder, "model")
    model = _made(numbers)
    try:
        remembered = {name: tensor for name, tensor in model.state_dict().items() if name in model.memory()}
        model.load_state_dict(remembered | tensors)
    except RuntimeError as error:
        reason = shorten(str(error).splitlines()[-1], 200, placeholder=" ...")
        raise UserError(
            f"{folder} does not fit {numbers['model']} of this version: {reason} Use the version that made it, which "
            "run.json names, or train it again."
        ) from None
    return Trained(
        model=placed(model, torch.device(device)).eval().requires_grad_(False),
        name=numbers["model"],
        nimg=numbers["nimg"],
        resolution=numbers["resolution"],
        fade=numbers["fade"],
        data=numbers["data"],
        fingerprint=f"sha256:{numbers['sha256']}",
        device=torch.device(device),
    )


def unit_of_run(path: Path, *, kimg: float | None = None) -> SampleUnit:
    """What the samples of a run are: what :attr:`Trained.unit` says of it, without its weights.

    Raises:
        UserError: there is no such run or model, or what it says of itself is not whole.
    """
    numbers = checkpoint.read_numbers(model_folder(path, kimg), "model")
    with torch.device("meta"):
        return _made(numbers).batch_type.unit


def _made(numbers: Mapping[str, Any]) -> Game:
    """A new model as ``model.json`` describes it."""
    module = catalogue.load("models", numbers["model"])
    return module.Model(from_plain(module.Config, numbers["config"]))


def model_folder(path: Path, kimg: float | None) -> Path:
    if (path / "model.json").exists():
        return path
    if path.is_file():
        raise UserError(f"{path} is a file. Name the run's folder, or one of its model/<kimg> folders.")
    if not path.exists():
        runs = [found.parent.name for found in path.parent.glob(f"*/{DESCRIPTION}")]
        raise UserError(f"There is no run {path}.{did_you_mean(path.name, runs)} A run is a folder by `ganvas train`.")
    run = RunFolder(path)
    run.describe()
    models = run.models()
    if not models:
        raise UserError(f"{path} has no model yet: training has not reached its first checkpoint.")
    if kimg is None:
        return models[-1]
    found = [folder for folder in models if float(folder.name) == kimg]
    if not found:
        kept = ", ".join(f"{float(folder.name):g}" for folder in models)
        raise UserError(f"{path} keeps no model at {kimg:g} kimg. It keeps: {kept}.")
    return found[0]
