"""VAE-GAN: an autoencoder that is judged by what a discriminator notices, not pixel by pixel; sharper than a VAE.

Larsen, Sønderby, Larochelle, Winther: Autoencoding Beyond Pixels Using a Learned Similarity Metric (ICML 2016),
https://arxiv.org/abs/1512.09300. A squared error of pixels rewards blur: an edge moved by a pixel costs more than no
edge. Here the likelihood is a Gaussian of unit variance around what a layer of the discriminator finds in the
reconstruction, and the decoder is a generator as well.

Three players (algorithm 1): the encoder descends divergence and likelihood, the decoder likelihood times ``gamma`` and
the game, the discriminator the game alone, which is played on pictures, their reconstructions and decoded draws of the
prior. All three move at once: the encoder's codes are what the decoder decodes, its pictures what the discriminator
sees.

Departs from the paper:
- Encoder and decoder are those of ``vae/vae``, the discriminator is DCGAN's; the likelihood is of its last hidden
  layer, after its norm.
- The decoder's loss in the game is the non-saturating one; the paper's is minus the discriminator's.
- No player rests when it is ahead, as one does in the authors' code, from which ``gamma`` and the decay of RMSprop are
  taken (https://github.com/andersbll/autoencoding_beyond_pixels, celeba_aegan.py).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Images, Labels, Latents, PerSample
from ganvas.losses.adversarial import non_saturating_discriminator, non_saturating_generator
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.latent_game import LatentGame
from ganvas.losses.likelihoods.gaussian import divergence_from_standard_normal, gaussian_log_density
from ganvas.losses.optimizers import RMSprop
from ganvas.networks.adversarial.dcgan_networks import DcganDiscriminator, dcgan_maps
from ganvas.networks.convolutional_autoencoder import PictureDecoder, PictureEncoder, at_least_float32


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the three networks and their game."""

    resolution: int = 64  # 4 * 2^k: how often the smallest feature maps are doubled.
    base: tuple[int, int] = (4, 4)  # Height and width of the smallest feature maps; (4, 6) becomes 64x96.
    channels: int = 3
    latent_size: int = 128
    features: int = 32  # Feature maps of encoder and decoder at full size; doubled with every halving of the size ...
    features_max: int = 256  # ... up to this.
    discriminator_features: int = 64  # Feature maps of the discriminator's first layer, likewise doubled.
    gamma: float = 1e-5  # Of the likelihood in the decoder's loss; a sum over thousands of features.
    batch_size: int = 64
    lr: float = 3e-4
    alpha: float = 0.9  # Decay of RMSprop's mean square.
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "features", "features_max", "discriminator_features", "batch_size")
        at_least(self, 0, "gamma")
        above(self, 0, "lr", "eps")
        fractions(self, "alpha")
        assert self.picture  # Its making checks the size.

    @property
    def picture(self) -> DoubledSize:
        """The size of the pictures."""
        return DoubledSize(resolution=self.resolution, base=self.base, channels=self.channels)


TINY = Config(resolution=16, latent_size=4, features=4, discriminator_features=4, batch_size=8)


class Model(LatentGame[Config, Pictures]):
    """The three networks, each a player."""

    takes = (Pictures,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        picture, widths = config.picture, {"features": config.features, "features_max": config.features_max}
        self.encoder = PictureEncoder(picture, 2 * config.latent_size, **widths)
        self.decoder = PictureDecoder(picture, config.latent_size, **widths)
        judged = dcgan_maps(picture, features=config.discriminator_features, features_max=config.features_max)
        self.discriminator = DcganDiscriminator(picture, judged)

    def schedule(self) -> Steady:
        """One resolution, one batch size, one learning rate."""
        return Steady(resolution=self.config.resolution, batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Pictures]]:
        """Encoder, decoder and discriminator move together, as each was when the step began."""
        rms = RMSprop(alpha=self.config.alpha, eps=self.config.eps)
        return [
            Phase(name="E", player=self.encoder, loss=self._encoder_loss, optimizer=rms, simultaneous=True),
            Phase(name="G", player=self.decoder, loss=self._decoder_loss, optimizer=rms, simultaneous=True),
            Phase(name="D", player=self.discriminator, loss=self._discriminator_loss, optimizer=rms),
        ]

    def _encoder_loss(self, batch: Pictures) -> Terms:
        """Divergence and negative log-likelihood of the layer's features, in nats."""
        mean, log_variance = self.encode(batch.images)
        noise, _ = self._noise(batch)
        codes = batch.keep("codes", codes_of(mean, log_variance, noise))
        features, _ = self._judged(torch.cat([batch.images, self.decoder(codes)]))
        found, again = features.chunk(2)
        return {
            "kl": divergence_from_standard_normal(mean, log_variance),
            "reconstruction": feature_reconstruction(found, again),
        }

    def _decoder_loss(self, batch: Pictures) -> Terms:
        """``gamma`` times the likelihood, and the game on reconstructions and on decoded draws of the prior."""
        fakes = batch.keep("fakes", self._fakes(batch))
        features, scores = self._judged(torch.cat([batch.images, fakes]))
        found, again, _ = features.chunk(3)
        _, reconstructed, drawn = scores.chunk(3)
        return {
            "reconstruction": self.config.gamma * feature_reconstruction(found, again),
            "adversarial": non_saturating_generator(reconstructed) + non_saturating_generator(drawn),
        }

    def _discriminator_loss(self, batch: Pictures) -> Terms:
        """``-log D(x) - log(1 - D(x~)) - log(1 - D(x_p))`` (algorithm 1).

        All pictures pass in one batch: what batch norm takes for the mean of one kind would be lost on the likelihood.
        """
        fakes = batch.kept.get("fakes")
        if fakes is None:
            with torch.no_grad():
                fakes = self._fakes(batch)
        _, scores = self._judged(torch.cat([batch.images, fakes]))
        real, reconstructed, drawn = scores.chunk(3)
        return {"adversarial": non_saturating_discriminator(real, reconstructed) + F.softplus(drawn)}

    def _fakes(self, batch: Pictures) -> Images:
        """Reconstructions, then as many decoded draws of the prior."""
        noise, drawn = self._noise(batch)
        codes = batch.kept.get("codes")
        if codes is None:
            with torch.no_grad():
                codes = codes_of(*self.encode(batch.images), noise)
        return self.decoder(torch.cat([codes, drawn.to(codes.dtype)]))

    def _noise(self, batch: Pictures) -> tuple[Latents, Latents]:
        """Of the codes, and of the draws of the prior: the same in every phase of a step."""
        noise, drawn = batch.randn(2, self.config.latent_size).unbind(1)
        return noise, drawn

    def _judged(self, images: Images) -> tuple[Tensor, PerSample]:
        """What the discriminator's last hidden layer finds, in float32 at least, and the logits of being real."""
        features = self.discriminator.features(images)
        return at_least_float32(features), at_least_float32(self.discriminator.score(features).flatten())

    def encode(self, images: Images) -> tuple[Latents, Latents]:
        """Mean and log variance of each picture's latent."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Images:
        """The pictures of latents, in [-1, 1]."""
        return self.decoder(z)

    def judge(self, images: Images, *, stage: Stage | None = None) -> PerSample:
        """How real the discriminator finds pictures in [-1, 1]; higher is more real."""
        return self.discriminator(images)

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """Pictures beside what their codes' means are decoded to."""
        return [("originals", batch.images), ("reconstructions", self.decoder(self.encode(batch.images)[0]))]


def codes_of(mean: Latents, log_variance: Latents, noise: Latents) -> Latents:
    """Codes of pictures, drawn from their distributions."""
    return mean + (0.5 * log_variance).exp() * noise.to(mean.dtype)


def feature_reconstruction(found: Tensor, again: Tensor) -> PerSample:
    """``-log N(D_l(x); D_l(x~), I)`` over all features of a layer, in nats per picture."""
    return -gaussian_log_density(found, again, torch.zeros((), dtype=found.dtype, device=found.device))
