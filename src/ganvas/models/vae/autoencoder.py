"""Autoencoder: pictures through a bottleneck of a few numbers and back; denoising where they are damaged first.

Hinton, Salakhutdinov: Reducing the Dimensionality of Data with Neural Networks (Science 2006),
https://doi.org/10.1126/science.1127647. ``latent_size`` is the bottleneck: what pictures lose on the way through it
says how many numbers they take. With ``linear`` both networks are one matrix, and the best that they can do is known:
what as many principal components lose (Baldi, Hornik: Neural Networks and Principal Component Analysis, Neural
Networks 1989, https://doi.org/10.1016/0893-6080(89)90014-2).

With ``noise`` or ``masked`` it is the denoising autoencoder of Vincent, Larochelle, Bengio, Manzagol: Extracting and
Composing Robust Features with Denoising Autoencoders (ICML 2008), https://doi.org/10.1145/1390156.1390294: it sees
damaged pictures and is judged on the whole ones.

It is no generative model: nothing asks that codes be of any distribution. Pictures are drawn from a normal distribution
with the running mean and covariance of the codes, and most codes of such a distribution are of no picture: for
pictures that are worth drawing take ``vae/vae`` or ``vae/aae``.

Departs from the papers:
- Networks are convolutional and trained whole; the first paper stacks restricted Boltzmann machines and tunes them.
- The loss is the squared error; the second paper takes a cross-entropy of pixels in [0, 1].
- A masked pixel is grey (0 of [-1, 1]) in all channels; the second paper's is 0 of [0, 1].
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.optimizers import Adam
from ganvas.networks.convolutional_autoencoder import PictureDecoder, PictureEncoder, at_least_float32
from ganvas.nn.layers.across_ranks import all_ranks_rows
from ganvas.nn.layers.plain_layers import Linear

MEMORY = 0.99  # Of the running moments of codes, per step.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the two networks, the damage and the training."""

    resolution: int = 32  # 4 * 2^k: how often the smallest feature maps are doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the smallest feature maps; (4, 6) becomes 32x48.
    channels: int = 3
    latent_size: int = 64  # The bottleneck.
    linear: bool = False  # Both networks are one matrix and an offset; features mean nothing then.
    features: int = 32  # Feature maps of the full resolution; doubled with every halving of the size ...
    features_max: int = 256  # ... up to this.
    noise: float = 0.0  # Deviation of normal noise on what the encoder sees, of colours in [-1, 1].
    masked: float = 0.0  # Share of the pixels that the encoder sees as grey.
    batch_size: int = 64
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "batch_size")
        at_least(self, 0, "noise")
        above(self, 0, "lr", "eps")
        fractions(self, "masked", "beta1", "beta2")
        assert self.picture  # Its making checks the size.
        numbers = self.picture.size[0] * self.picture.size[1] * self.channels
        if self.latent_size > numbers:
            raise UserError(
                f"latent_size={self.latent_size} is no bottleneck for pictures of {numbers} numbers. Give fewer."
            )

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


TINY = Config(resolution=16, latent_size=4, features=4, batch_size=8)


class LinearEncoder(nn.Module):
    """One matrix and an offset from a picture's numbers to the code."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        height, width = config.picture.size
        numbers = config.channels * height * width
        self.map = Linear(numbers, config.latent_size, std=numbers**-0.5)

    def forward(self, images: Images) -> Latents:
        return at_least_float32(self.map(images.flatten(1)))


class LinearDecoder(nn.Module):
    """One matrix and an offset from the code to a picture's numbers, which nothing bounds."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.shape = config.channels, *config.picture.size
        height, width = config.picture.size
        self.map = Linear(config.latent_size, config.channels * height * width, std=config.latent_size**-0.5)

    def forward(self, z: Latents) -> Images:
        return at_least_float32(self.map(z)).unflatten(1, self.shape)


class CodeMoments(nn.Module):
    """The running mean and covariance of codes: a plain mean over the first steps, then an exponential one."""

    mean: Tensor
    square: Tensor
    steps: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("square", torch.eye(size))  # E z z'.
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def see(self, codes: Latents) -> None:
        """Moves towards the moments of a step's codes, of all ranks."""
        codes = all_ranks_rows(codes).to(self.mean.dtype)
        self.steps += 1
        share = (1 / self.steps).clamp(min=1 - MEMORY).to(codes.dtype)
        self.mean.lerp_(codes.mean(0), share)
        self.square.lerp_(codes.T @ codes / len(codes), share)

    def draw(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` codes of the normal distribution with these moments; N(0, I) before any code was seen."""
        mean, root = self.mean.to(rng.device), _root(self.covariance()).to(rng.device)
        noise = torch.randn(n, len(mean), generator=rng, device=rng.device).to(mean.dtype)
        return mean + noise @ root.to(mean.dtype)

    def covariance(self) -> Float[Tensor, "z z"]:
        """``E z z' - E z E z'``, in float64."""
        mean = self.mean.double()
        return self.square.double() - mean.outer(mean)


class Model(Game[Config, Pictures]):
    """Encoder and decoder, which are one player, and the moments of the codes."""

    takes = (Pictures,)
    prior = "other"  # The normal distribution with the codes' moments.

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if config.linear:
            self.encoder, self.decoder = LinearEncoder(config), LinearDecoder(config)
        else:
            widths = {"features": config.features, "features_max": config.features_max}
            self.encoder = PictureEncoder(config.picture, config.latent_size, **widths)
            self.decoder = PictureDecoder(config.picture, config.latent_size, **widths)
        self.codes = CodeMoments(config.latent_size)

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Encoder and decoder descend the squared error together."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2, eps=self.config.eps)
        return [Phase(name="AE", player=self, loss=self._loss, optimizer=adam, after=self._see_codes)]

    def _loss(self, batch: Pictures) -> Terms:
        codes = batch.keep("codes", self.encoder(self.damaged(batch)))
        return {"squared_error": mean_squared_error(self.decoder(codes), batch.images)}

    def _see_codes(self, batch: Pictures, terms: Terms) -> None:
        self.codes.see(batch.kept["codes"])

    def damaged(self, batch: Pictures) -> Images:
        """What the encoder sees in training: the pictures with noise and masked pixels."""
        images, (height, width) = batch.images, self.config.picture.size
        if self.config.noise:
            noise = batch.randn(self.config.channels, height, width)
            images = images + self.config.noise * noise.to(images.dtype)
        if self.config.masked:
            images = images * (batch.rand(1, height, width) >= self.config.masked).to(images.dtype)
        return images

    def encode(self, images: Images) -> Latents:
        """The code of each picture, which is not damaged."""
        return self.encoder(images)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """The pictures of codes; a linear decoder may leave [-1, 1]."""
        return self.decoder(z)

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` codes of the normal distribution with the running mean and covariance of the codes."""
        return self.codes.draw(n, rng)

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """Pictures beside their reconstructions, and the damaged ones between where there is damage."""
        seen = self.damaged(batch)
        rows = [("originals", batch.images), ("damaged", seen), ("reconstructions", self.decoder(self.encoder(seen)))]
        return rows if self.config.noise or self.config.masked else [rows[0], rows[2]]


def mean_squared_error(x: Images, y: Images) -> PerSample:
    """``|x - y|^2`` over the number of values, of each picture."""
    return (x - y).square().flatten(1).mean(1)


def _root(covariance: Float[Tensor, "z z"]) -> Float[Tensor, "z z"]:
    """The symmetric square root, which does not depend on the signs of eigenvectors; rounding's negatives are 0."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
