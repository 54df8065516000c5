"""Capabilities: what a family of models can do besides being trained. Verbs and the contract test ask for them.

A model has a capability when it has the methods: nothing is registered. A verb that needs one asks with ``isinstance``
and says clearly when a model lacks it.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.boxes.detections import Detections
from ganvas.core.hole_law import HoleLaw
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.sample_sizes.picture_size import DoubledSize, WholeSize
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Images, Labels, Latents, Masks, OtherImages, PerSample, Scalar
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.losses.likelihoods.bits import Kind


@runtime_checkable
class Draws(Protocol):
    """Draws samples without latents of its own: autoregressive models."""

    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> Tensor:
        """``n`` samples, a function of the stream: pictures (n, c, h, w), points (n, d), sounds (n, samples),
        tokens (n, l), tables of graphs (n, v, v)."""
        ...


@runtime_checkable
class DrawsFromMemory(Draws, Protocol):
    """Draws a sample part by part, each from what its layers remember of the parts before; no layer runs whole."""

    @property
    def evaluations(self) -> int:
        """How many parts a sample has, its pixels or its numbers: each asks the network once."""
        ...


@runtime_checkable
class HasLatents(Protocol):
    """Draws samples as a function of latents."""

    @property
    def prior(self) -> Literal["normal", "uniform", "other"]:
        """What latents are drawn from: N(0, I), U[-1, 1), or something else."""
        ...

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` latents (n, z) from the prior."""
        ...

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Tensor:
        """The samples of latents, as :meth:`Draws.sample` gives them. A growing model draws at a stage."""
        ...


@runtime_checkable
class Truncates(Protocol):
    """Trades variety for typical pictures: draws latents towards the middle of an intermediate latent space."""

    def decode_truncated(self, z: Latents, psi: float, labels: Labels | None = None) -> Tensor:
        """The samples of latents that keep the share ``psi`` of their distance from the mean; 1 is :meth:`decode`."""
        ...


@runtime_checkable
class HasTemperature(Protocol):
    """Draws more probable, less varied samples at a temperature below 1: of a flow, latents of a smaller deviation."""

    def decode_at(self, z: Latents, temperature: float, labels: Labels | None = None) -> Tensor:
        """The samples of latents whose deviation is ``temperature``; 1 is :meth:`HasLatents.decode`."""
        ...


@runtime_checkable
class DrawsAtTemperature(Protocol):
    """Draws more probable, less varied samples at a temperature below 1, choice by choice: text, graphs."""

    def sample_at(self, n: int, rng: torch.Generator, temperature: float) -> Tensor:
        """``n`` samples; 1 is :meth:`Draws.sample`, 0 takes the most probable choice everywhere."""
        ...


@runtime_checkable
class Solves(Protocol):
    """Draws samples of latents by solving an equation in steps, whose number and manner can be chosen."""

    def adds_noise(self, options: SolverOptions) -> bool:
        """Whether a sample is then a function of its latent and of noise on the way."""
        ...

    def decode_by(
        self, z: Latents, labels: Labels | None, options: SolverOptions, rng: torch.Generator | None = None
    ) -> Tensor:
        """The samples of latents; ``rng`` is for the noise on the way."""
        ...


@runtime_checkable
class Conditional(Protocol):
    """A ``Config`` of a model with classes; ``num_classes`` is 0 where it is trained without."""

    @property
    def num_classes(self) -> int: ...


@runtime_checkable
class NeedsClasses(Protocol):
    """A ``Config`` of a model whose game is about classes: it is not trained without them."""

    @property
    def needs_classes(self) -> bool: ...


@runtime_checkable
class TakesHiddenLabels(Protocol):
    """A ``Config`` of a model with classes that also learns from samples whose class is hidden."""

    @property
    def hidden_weight(self) -> float:
        """The weight of what such samples teach."""
        ...


@runtime_checkable
class SizesPictures(Protocol):
    """A ``Config`` of a model of pictures."""

    @property
    def picture(self) -> DoubledSize | WholeSize:
        """The size of the pictures."""
        ...


@runtime_checkable
class SizesTargets(Protocol):
    """A ``Config`` of a model that learns to turn pictures into pictures, from pairs or from two unpaired kinds."""

    @property
    def other_picture(self) -> WholeSize:
        """The size of what it makes."""
        ...


@runtime_checkable
class LabelsPixels(Protocol):
    """A ``Config`` of a model that names the class of every pixel."""

    @property
    def pixel_classes(self) -> int:
        """How many there are."""
        ...

    @property
    def void(self) -> int:
        """The number in a label map that says that nothing is known."""
        ...


@runtime_checkable
class SizesPoints(Protocol):
    """A ``Config`` of a model of points; of a model that also takes pictures, ``dims`` is 0 for those."""

    @property
    def dims(self) -> int: ...


@runtime_checkable
class SizesSounds(Protocol):
    """A ``Config`` of a model of sounds."""

    @property
    def sound(self) -> SoundSize:
        """The rate and length of the sounds."""
        ...

    @property
    def seen(self) -> tuple[int, int]:
        """Height and width of a sound as the networks see it: one row of samples, or frames and bins of a spectrum."""
        ...


@runtime_checkable
class SizesLines(Protocol):
    """A ``Config`` of a model of text."""

    @property
    def line(self) -> LineSize:
        """The size of a line."""
        ...


@runtime_checkable
class SizesGraphs(Protocol):
    """A ``Config`` of a model of graphs."""

    @property
    def graph(self) -> GraphSize:
        """The size of a graph."""
        ...


@runtime_checkable
class TakesValences(Protocol):
    """A ``Config`` of a model of graphs that is told how many edges nodes of each kind can have."""

    @property
    def valences(self) -> tuple[int, ...]:
        """Of each kind of node, counted by the number of an edge's kind; empty where nothing is known."""
        ...


@runtime_checkable
class LearnsOneGraph(Protocol):
    """A ``Config`` of a model that learns one graph, and draws others like it."""

    @property
    def edges(self) -> int:
        """Of the graph."""
        ...


@runtime_checkable
class FitsLength(Protocol):
    """A ``Config`` whose schedule can be laid out over a run of a given length."""

    def fitted(self, total_kimg: float) -> Any:
        """The same settings with a schedule that ends where the run ends."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """Finds latents of given samples."""

    def encode(self, images: Images) -> Latents | tuple[Latents, Latents]:
        """The latent of each picture, or the mean and the log variance of its distribution."""
        ...


@runtime_checkable
class HasDensity(Protocol):
    """Knows the likelihood of given samples."""

    @property
    def density(self) -> Kind:
        """What kind of number :meth:`log_prob` gives."""
        ...

    def log_prob(self, images: Images, rng: torch.Generator) -> PerSample:
        """``ln p(x)`` in nats per sample: of pictures, of colours as whole numbers 0..255 given in [-1, 1]."""
        ...


@runtime_checkable
class DetailsDensity(Protocol):
    """Has more to say of how its likelihood comes about than what kind of number it is."""

    @property
    def density_details(self) -> str:
        """Everything that changes the number, for its protocol string: "importance64:dequantised"."""
        ...


@runtime_checkable
class KnowsDensity(Protocol):
    """Knows the density of given samples exactly, as flows do."""

    def log_density(self, images: Tensor) -> PerSample:
        """``ln p(x)`` of samples as the data gives them, in nats: of pictures per unit of [-1, 1]."""
        ...


@runtime_checkable
class ReducesColours(Protocol):
    """Sees pictures of fewer colours, and says how likely those are."""

    @property
    def levels(self) -> int:
        """Colours of each number of a picture: 256 where nothing is reduced."""
        ...


@runtime_checkable
class Inverts(Protocol):
    """Is a map with an inverse, which holds up to rounding."""

    def inverse_error(self, images: Tensor) -> PerSample:
        """How far the worst number of each sample is from where it was, after the way to its latent and back."""
        ...


@runtime_checkable
class BoundsDensity(Protocol):
    """Bounds the density of given samples from below, the tighter the more latents it draws."""

    def log_prob_bound(self, images: Images, rng: torch.Generator, samples: int = 1) -> PerSample:
        """A lower bound, on average, of the log density of pictures with colours in [-1, 1], in nats per picture."""
        ...


@runtime_checkable
class HasNoise(Protocol):
    """Has learnt the variance of Gaussian noise around what it decodes."""

    def log_variance(self) -> Scalar:
        """``log sigma^2``, in units of the colour range [-1, 1]."""
        ...


@runtime_checkable
class Judges(Protocol):
    """Tells real from generated."""

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real pictures in [-1, 1] look; higher is more real."""
        ...


@runtime_checkable
class NamesWeights(Protocol):
    """Settings of a model that starts with the weights of another network."""

    @property
    def weights(self) -> str:
        """Their file, which is read before the first step; empty where none is named."""
        ...


@runtime_checkable
class TakesWeights(Protocol):
    """Starts with the weights of another network, whose file its settings name (:class:`NamesWeights`)."""

    def take_weights(self) -> None:
        """Takes them; where no file is named, says that they are random.

        Raises:
            UserError: the file cannot be read, or is of another network.
        """
        ...


@runtime_checkable
class Translates(Protocol):
    """Turns pictures of one kind into pictures of another."""

    @property
    def directions(self) -> Sequence[str]:
        """The names of the ways it can go, such as "a-to-b"."""
        ...

    def translate(self, images: Images, direction: str) -> OtherImages:
        """The translated pictures, in [-1, 1]."""
        ...


@runtime_checkable
class TakesStyle(Translates, Protocol):
    """Translates into the style of a picture that is given, too."""

    def style_of(self, images: OtherImages, direction: str) -> Float[Tensor, "n s"]:
        """The styles of pictures of the kind that a direction leads to."""
        ...

    def styled(self, images: Images, style: Float[Tensor, "n s"], direction: str) -> OtherImages:
        """The translated pictures in styles that are given, in [-1, 1]."""
        ...


@runtime_checkable
class WeighsPixels(Protocol):
    """Weighs the pixels of the label maps that it learns."""

    def pixel_weights(self, classes: Int[Tensor, "n h w"]) -> Float[Tensor, "n h w"] | None:
        """How much each pixel counts, from the label maps alone; None where all count alike.

        It is asked before a step and not in it, so it may wait for the device.
        """
        ...


@runtime_checkable
class Fills(Protocol):
    """Fills holes in pictures."""

    @property
    def holes(self) -> HoleLaw:
        """The law of the holes that it is trained with: see :mod:`ganvas.data.holes.hole_laws`."""
        ...

    @property
    def stride(self) -> int:
        """Sides of pictures are multiples of it."""
        ...

    @property
    def guides(self) -> Sequence[Literal["sketch", "colour"]]:
        """What it heeds of a person's drawing.

        A guide has a channel for the sketch (1 on a line, 0 elsewhere), then the picture's channels for colour (in
        [-1, 1], 0 where none is drawn) and one that is 1 where a colour is drawn, as far as the model heeds them. So
        black and nothing differ.
        """
        ...

    def fill(
        self, images: Images, mask: Masks, *, guide: OtherImages | None = None, noise: Masks | None = None
    ) -> Images:
        """The pictures with their holes filled in; what is known is as it was, to the bit.

        What pictures hold inside of their holes changes nothing. ``noise`` is of N(0, 1), for models that take some.
        """
        ...


@runtime_checkable
class Shifts(Protocol):
    """Makes of a shifted picture the shifted result, far from borders: pictures may be gone through in tiles."""

    @property
    def tile_stride(self) -> int:
        """By whose multiples a picture may be shifted, in pixels."""
        ...


@runtime_checkable
class Classifies(Protocol):
    """Labels pictures."""

    def classify(self, images: Images) -> Tensor:
        """The logits of classes, (n, classes)."""
        ...


@runtime_checkable
class Segments(Protocol):
    """Labels every pixel."""

    def segment(self, images: Images) -> Float[Tensor, "n classes h w"]:
        """The logits of the classes of every pixel of pictures in [-1, 1], of any height and width."""
        ...


@runtime_checkable
class Detects(Protocol):
    """Finds things of one kind and draws boxes around them."""

    def detect(self, images: Images, *, least_score: float | None = None) -> list[Detections]:
        """What is found in pictures in [-1, 1], of any height and width: boxes inside them, the surest first.

        Args:
            least_score: Of a box; None takes that of the settings.
        """
        ...


@runtime_checkable
class LearnsBoxes(Protocol):
    """A ``Config`` of a model that learns boxes."""

    @property
    def category(self) -> str:
        """What its boxes are around; empty where the source decides."""
        ...

    @property
    def least_height(self) -> float:
        """Pixels: lower objects are neither right nor wrong."""
        ...

    @property
    def least_score(self) -> float:
        """Of a box that counts as found."""
        ...


@runtime_checkable
class Calibrates(Protocol):
    """Measures something on real samples before its first step."""

    def calibrate(self, batch: Any) -> None:
        """Sets what depends on the data, once; the whole batch is the same on every rank."""
        ...


@runtime_checkable
class Shows(Protocol):
    """Has rows of its own for a sheet: what went in beside what came out."""

    def show(self, batch: Any) -> list[tuple[str, Images]]:
        """Rows of equally many pictures in [-1, 1], each with its caption."""
        ...


def classes_of(config: object) -> int:
    """How many classes a model was set up for; 0 for a model without."""
    return config.num_classes if isinstance(config, Conditional) else 0
