"""Settings that models share which compare pictures by the maps of a frozen network; a ``Config`` adds its own."""

from dataclasses import dataclass

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.networks.adversarial.style_stages import STAGES, Kind

MULTIPLE = 1 << (STAGES - 1)  # The frozen network halves three times.


@dataclass(frozen=True, kw_only=True)
class StyleStagesConfig:
    """Of contents (``--data``), styles (``--other``) and the frozen network."""

    height: int = 256  # A multiple of 8.
    width: int = 256
    channels: int = 3  # Of contents (--data); the frozen network sees grey as colours, and RGBA on white.
    other_channels: int = 3  # Of styles (--other): as many.
    encoder: Kind = "vgg19"  # The frozen network.
    weights: str = ""  # Its file; empty takes random ones.
    features: int = 64  # Maps of its first stage.
    style_weight: float
    content_weight: float = 1.0
    batch_size: int
    lr: float
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        at_least(self, 1, "features", "batch_size")
        at_least(self, 0, "style_weight", "content_weight")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2")
        if self.channels not in (1, 3, 4) or self.channels != self.other_channels:
            raise UserError(
                f"channels={self.channels} and other_channels={self.other_channels}: both kinds are grey (1), RGB "
                "(3) or RGBA (4) alike. Give both the same number, such as --set channels=3 --set other_channels=3."
            )
        if min(self.picture.size) < 2 * MULTIPLE:
            raise UserError(
                f"height={self.height} and width={self.width} leave single pixels after {STAGES - 1} halvings. Give "
                f"sides of at least {2 * MULTIPLE}."
            )

    @property
    def picture(self) -> WholeSize:
        """The size of contents."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=MULTIPLE)

    @property
    def other_picture(self) -> WholeSize:
        """That of styles: the same."""
        return self.picture
