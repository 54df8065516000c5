"""Settings that every diffusion model of pictures or points has; a model's ``Config`` adds its own."""

from dataclasses import dataclass

from ganvas.core.checks import above, at_least, fractions, probabilities
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.losses.diffusion.solvers import require_solver


@dataclass(frozen=True, kw_only=True)
class DiffusionConfig:
    """Of the network, its training and its drawing. What has no default here has one in each model's file."""

    dims: int = 0  # Numbers of a point; 0 for pictures. Taken from the data.
    height: int = 32  # A multiple of 2^(sizes - 1).
    width: int = 32
    channels: int = 3
    num_classes: int = 0
    features: int = 128  # Of pictures: maps at full size, before multipliers.
    multipliers: tuple[int, ...]  # Of the maps at full size, at half, at a quarter, ...
    blocks: int  # Residual blocks per size on the way down, and one more on the way up.
    attention: tuple[int, ...] = (1,)  # Halvings after which blocks have attention.
    dropout: float
    hidden: int = 128  # Of points: width of every hidden layer.
    depth: int = 4  # Of points: hidden layers.
    sigma_min: float = 0.002  # Least and largest noise level of the likelihood's bound, in units of a sample.
    sigma_max: float = 80.0
    steps: int
    solver: str = "heun"
    guidance: float = 1.0  # 1 draws what was learnt of a class; more exaggerates what is special about it.
    label_dropout: float = 0.1  # Samples that are shown without their class.
    batch_size: int
    lr: float
    warm_up_kimg: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    average_half_life_kimg: float  # Of the weights that draw.
    average_ramp: float = 0.05  # The half-life is at most this share of the samples shown; 0 is no limit.

    def __post_init__(self) -> None:
        at_least(self, 0, "dims", "num_classes", "warm_up_kimg", "average_half_life_kimg", "average_ramp")
        at_least(self, 1, "features", "blocks", "hidden", "depth", "steps", "batch_size")
        above(self, 0, "sigma_min", "lr", "eps")
        fractions(self, "dropout", "beta1", "beta2")
        probabilities(self, "label_dropout")
        require_solver(self.solver, "solver=")
        if self.sigma_max <= self.sigma_min:
            raise UserError(f"sigma_max={self.sigma_max} must be above sigma_min={self.sigma_min}.")
        self._require_sizes_of_maps()
        assert self.picture

    def _require_sizes_of_maps(self) -> None:
        if min(self.multipliers, default=0) < 1:
            raise UserError(f"multipliers={self.multipliers} must be one number of at least 1 for each size.")
        last = len(self.multipliers) - 1
        if not all(0 <= level <= last for level in self.attention):
            raise UserError(f"attention={self.attention} must be numbers of halvings, from 0 to {last}.")

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        multiple = 2 ** (len(self.multipliers) - 1)
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=multiple)

    @property
    def latent_size(self) -> int:
        """Numbers of a sample: drawing starts from noise of the same shape."""
        return self.dims or self.height * self.width * self.channels
