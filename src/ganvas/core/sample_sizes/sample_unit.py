"""Names that samples of each kind are counted by."""

from typing import Literal

SampleUnit = Literal["pictures", "points", "sounds", "lines", "graphs"]
