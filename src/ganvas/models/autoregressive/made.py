"""MADE: masks make of a fully connected network one that gives every number a distribution, given those before it.

Germain, Gregor, Murray, Larochelle: MADE: Masked Autoencoder for Distribution Estimation (ICML 2015),
https://arxiv.org/abs/1502.03509. Numbers of a sample have an order, and every hidden unit a degree: it is connected to
units before it of at most its degree, and an output to hidden units of less than its number's place (eq. 12 and 13). So
no output knows its own number or a later one, and one pass gives the exact likelihood. With several sets of masks
(section 4.2), and with ``shuffle`` as many orders (section 4.1), each step trains one of them, and a likelihood is that
of their mixture.

Points are mixtures of normal laws, number by number, in the order of their axes. Pictures are flattened, channel after
channel: of ``binary`` ones each number is bright or dark, as in the paper; of others it is a mixture of logistics over
whole colours (Salimans et al. 2017).

Departs from the paper:
- Adam in the place of Adagrad, and what is measured and draws is a running average of the weights, which grows old
  with the run (``average_ramp``).
- Degrees are drawn from 1 to D - 1 whatever the layer before has; the paper begins at the least of that layer.
- Masks are functions of their number, drawn once, and there is no input of the masks themselves.
- The normal laws of a point's number start side by side, and not all in the middle, where gradients cannot tell them
  apart.
- Pictures are drawn bright or dark at half of the colour range ("binary"); the paper's MNIST was binarised at random.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.schedule import Steady, ramped_decay
from ganvas.core.shapes import Labels, PerSample, Samples
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import FramedGame
from ganvas.losses.likelihoods.bits import bits_per_dimension
from ganvas.losses.likelihoods.logistic_mixture import LogisticMixture, mixture_of
from ganvas.losses.optimizers import Adam
from ganvas.networks.masked_network import Flat, MaskedLinear, MaskedNetwork, Numbers

LEAST_LOG_STD = -7.0  # Of a normal law of a point's number, in the units that the network sees.
POINT_RANGE = 1.7  # Points lie about within this of 0 there, because their variance is 1/2.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; layers are as wide as the paper's smallest of binary MNIST."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    height: int = 28
    width: int = 28
    channels: int = 1
    binary: bool = False  # Of pictures: each number is bright or dark, and no colour between.
    hidden: int = 500  # Width of every hidden layer.
    depth: int = 2  # Hidden layers.
    masks: int = 1  # Sets of masks.
    shuffle: bool = False  # Each set has an order of its own; otherwise all have that of the numbers.
    direct: bool = True  # Outputs are also connected to the numbers before them.
    components: int = 5  # Of the mixture that a number of a point, or a colour, is.
    batch_size: int = 100
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    average_half_life_kimg: float = 70.0  # Of the weights that draw and are measured.
    average_ramp: float = 0.05  # The half-life is at most this share of the samples shown; 0 is no limit.

    def __post_init__(self) -> None:
        at_least(self, 1, "hidden", "depth", "masks", "components", "batch_size")
        at_least(self, 0, "dims", "average_half_life_kimg", "average_ramp")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels)

    @property
    def numbers(self) -> int:
        """D: of a sample."""
        return self.dims or self.height * self.width * self.channels


POINTS = Config(dims=2, hidden=128, components=16, batch_size=256)  # Ours, for points.
TINY = Config(height=4, width=4, channels=3, hidden=16, masks=2, shuffle=True, components=2, batch_size=8)
TINY_POINTS = replace(TINY, dims=2)


class Model(FramedGame[Config]):
    """The network and its likelihood."""

    density: Literal["exact"] = "exact"
    starts: Tensor  # Of the means of a point's normal laws, (components,).

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.binary = config.binary and not config.dims
        self.network = MaskedNetwork(
            config.numbers,
            1 if self.binary else 3 * config.components,
            width=config.hidden,
            depth=config.depth,
            masks=config.masks,
            shuffle=config.shuffle,
            direct=config.direct,
        )
        ends = torch.linspace(-POINT_RANGE, POINT_RANGE, config.components + 2)
        self.register_buffer("starts", ends[1:-1], persistent=False)
        self.start_log_std = math.log(2 * POINT_RANGE / (config.components + 1))  # As far as they lie apart.

    def schedule(self) -> Steady:
        """One batch size and one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures | Points]]:
        """The network descends the bits of the samples."""
        config = self.config
        adam = Adam(beta1=config.beta1, beta2=config.beta2, eps=config.eps)
        return [
            Phase(name="P", player=self.network, loss=self._loss, optimizer=adam, average=self.average_decay),
        ]

    def average_decay(self, nimg: int) -> float:
        """Of the averaged weights on the step at ``nimg``."""
        config = self.config
        return ramped_decay(
            nimg,
            half_life_kimg=config.average_half_life_kimg,
            ramp=config.average_ramp,
            batch_size=config.batch_size,
        )

    @property
    def density_details(self) -> str:
        """What the likelihood is of, and of how many orders it is the mixture."""
        parts = ["binarised128"] if self.binary else []
        return ":".join([*parts, f"mixture-of-{self.config.masks}-masks"] if self.config.masks > 1 else parts)

    def log_prob(self, images: Samples, rng: torch.Generator) -> PerSample:
        """``ln p(x)`` in nats per sample, exact: of pictures of whole colours, or bright and dark; of points the
        density.

        With several sets of masks it is that of their mixture, each equally likely.
        """
        x = self.flat(self.inside(images))
        sets = torch.arange(self.config.masks, device=x.device).unsqueeze(1)
        each = torch.stack([self.log_prob_by(x, number) for number in sets])
        found = torch.logsumexp(each, 0) - math.log(len(sets))
        return found - self.config.dims * self.unit.to(found).log() if self.config.dims else found

    def log_prob_by(self, x: Flat, number: Tensor) -> PerSample:
        """``ln p(x)`` of samples as the network sees them, by one set of masks."""
        return self.log_probs(self.network(x, number), x).sum(1)

    def log_probs(self, said: Numbers, x: Flat) -> Float[Tensor, "n d"]:
        """``ln p`` of each number, given those before it."""
        said = said.to(torch.promote_types(said.dtype, torch.float32))
        if self.binary:
            return F.logsigmoid(said[..., 0] * x)
        if not self.config.dims:
            return self._colours(said).log_prob(x[:, None, :, None])[..., 0]
        logits, means, log_stds = self._normal_laws(said)
        squares = ((x.unsqueeze(2) - means) / log_stds.exp()).square()
        each = -0.5 * (squares + math.log(2 * math.pi)) - log_stds
        return torch.logsumexp(each + F.log_softmax(logits, 2), 2)

    def flat(self, x: Samples) -> Flat:
        """Samples as rows; of binary pictures each number -1 or 1."""
        x = x.flatten(1)
        return torch.where(x > 0, 1.0, -1.0).to(x.dtype) if self.binary else x

    @property
    def evaluations(self) -> int:
        """Of the network for a sample: one a number."""
        return self.config.numbers

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> Samples:
        """``n`` samples of one set of masks, number by number; every unit is computed once, when it is complete."""
        network, device = self.network, rng.device
        number = torch.randint(self.config.masks, (1,), generator=rng, device=device)
        *hidden, last, direct = network.masks(number)
        places, degrees = network.places[number][0], network.degrees[number][0]
        dtype = network.last.weight.dtype
        x = torch.zeros(n, self.config.numbers, device=device, dtype=dtype)
        units = [torch.zeros(n, degrees.shape[1], device=device, dtype=dtype) for _ in hidden]
        for place, at in enumerate(places.argsort().tolist()):
            self._complete(x, units, hidden, degrees == place)
            outputs = torch.arange(at * network.outputs, (at + 1) * network.outputs, device=device)
            said = network.last.some(units[-1], last, outputs)
            if network.direct is not None:
                said = said + network.direct.some(x, direct, outputs)
            x[:, at] = self._drawn(said, rng)
        return self.outside(x.view(n, *self.sample_shape))

    def _complete(self, x: Flat, units: list[Tensor], masks: list[Tensor], ready: Tensor) -> None:
        """The hidden units whose degree is the number of places drawn so far."""
        below = x
        for layer, mask, own, now in zip(self.network.layers, masks, units, ready, strict=True):
            chosen = now.nonzero().flatten()
            if len(chosen):
                assert isinstance(layer, MaskedLinear)
                own[:, chosen] = F.relu(layer.some(below, mask, chosen))
            below = own

    def _drawn(self, said: Float[Tensor, "n k"], rng: torch.Generator) -> Float[Tensor, " n"]:
        """One number of each sample, of the distribution that the network gives it."""
        if self.binary:
            uniform = torch.rand(len(said), generator=rng, device=rng.device).to(said)
            return torch.where(uniform < said[:, 0].sigmoid(), 1.0, -1.0).to(said)
        if not self.config.dims:
            return self._colours(said.unsqueeze(1)).sample(rng)[:, 0, 0, 0]
        logits, means, log_stds = self._normal_laws(said)
        chosen = torch.multinomial(logits.double().softmax(1), 1, generator=rng)
        noise = torch.randn(len(said), generator=rng, device=rng.device).to(said)
        return means.gather(1, chosen)[:, 0] + log_stds.gather(1, chosen)[:, 0].exp() * noise

    def _normal_laws(self, said: Float[Tensor, "*shape k"]) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, means and logarithms of the deviations of the normal laws of a point's number, (..., components)."""
        logits, means, log_stds = said.chunk(3, -1)
        log_stds = (log_stds + self.start_log_std).clamp(min=LEAST_LOG_STD)
        return logits, means + self.starts.to(means), log_stds

    def _colours(self, said: Numbers) -> LogisticMixture:
        """Each number as a grey pixel of a picture of one column."""
        return mixture_of(said.transpose(1, 2).unsqueeze(3), components=self.config.components, channels=1)

    def _loss(self, batch: Pictures | Points) -> Terms:
        """Bits per dimension by one set of masks, the same for the whole batch on every rank."""
        x = self.flat(self.reals(batch))
        number = (batch.whole_rand()[:1] * self.config.masks).long()
        found = self.log_prob_by(x, number)
        return {"bits_per_dimension": bits_per_dimension(found, x.shape[1])}
