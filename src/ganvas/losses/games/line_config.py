"""Settings that models of text share; a model's ``Config`` adds its own."""

from dataclasses import dataclass

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.line_size import LineSize, TokenUnit


@dataclass(frozen=True, kw_only=True)
class LineConfig:
    """Of every model of text. What has no default here has one in each model's file."""

    length: int  # Tokens of a line; longer ones are cut. At most that of the longest line of the data.
    alphabet: int = 100  # Numbers of tokens, two of them special. Taken from the data.
    unit: TokenUnit = "characters"  # What a token is.
    closed: bool = False  # Lines never end before, and know all of their tokens. Taken from the data.
    batch_size: int = 64
    lr: float
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        at_least(self, 1, "batch_size")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2")
        assert self.line  # Its making checks length and alphabet.

    @property
    def line(self) -> LineSize:
        """The size of a line."""
        return LineSize(length=self.length, alphabet=self.alphabet, unit=self.unit, closed=self.closed)


@dataclass(frozen=True, kw_only=True)
class AdversarialLineConfig(LineConfig):
    """Of a recurrent generator and a discriminator of lines, and of their game."""

    length: int = 20
    embedding: int = 32
    hidden: int = 32
    widths: tuple[int, ...] = (1, 2, 3, 4, 5)  # Tokens that filters of the discriminator see.
    filters: int = 32  # Of each width.
    likelihood_kimg: float = 90.0  # Maximum likelihood before the game.
    discriminator_kimg: float = 10.0  # Of the discriminator alone, after that.
    discriminator_moves: int = 5  # For each move of the generator.
    discriminator_lr: float

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "embedding", "hidden", "filters", "discriminator_moves")
        at_least(self, 0, "likelihood_kimg", "discriminator_kimg")
        above(self, 0, "discriminator_lr")
