"""The contract of a kind of sample: how a run prepares its data, deals it, shows samples and measures them.

One file per kind stands beside this one; ``kinds.py`` finds the kind of a model by what its losses take.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import torch

from ganvas.core.ranks import Ranks
from ganvas.losses.game import Game
from ganvas.train.feeds.feed import Feed
from ganvas.train.health.specimens import Specimens
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sheets.sample_grids import Sheets


@dataclass(frozen=True, kw_only=True)
class SourceRequest:
    """The sources that a person names for a run, and how they are to be read."""

    data: str
    other: str | None = None  # The second domain.
    target: str | None = None  # What belongs to each sample: a picture, a label map.
    held_out: str | None = None  # Never trained on: likelihoods are printed of it.
    held_out_target: str | None = None  # What belongs to each held-out sample.
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    background: str = "white"
    broken: Literal["refuse", "skip"] = "refuse"
    conditional: bool = False
    labelled: int | None = None  # Of how many samples the class is told.
    quiet: bool = False


class RunData(ABC):
    """The data of a run, prepared, and everything of training that depends on its kind."""

    described: dict[str, Any]  # What run.json and model.json say of it.

    @abstractmethod
    def __len__(self) -> int:
        """Samples of the first source."""

    @abstractmethod
    def sentence(self) -> str:
        """What there is, in a sentence for the person: "512 pictures of 16x16 pixels (height x width)."."""

    @abstractmethod
    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals the batches of the run."""

    @abstractmethod
    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Shows what the model makes during training."""

    @abstractmethod
    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """What is measured during training."""

    @abstractmethod
    def specimens(self, plan: Plan, *, device: torch.device) -> Specimens | None:
        """What drawn samples and verdicts are held against at check-ups; None for a kind without check-ups of them."""


class Kind(ABC):
    """One kind of sample."""

    def defaults(self, module: ModuleType) -> Any:
        """The settings of a model's file where a person asks for none."""
        return module.Config()

    @abstractmethod
    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The fields of a model's ``Config`` that the sources decide, for what was not given.

        Args:
            config: The model's settings so far, its defaults or a preset's.
            given: What the person set.
            bound: The longest shorter side of pictures, in pixels, that a preset is made for; None without one.
        """

    @abstractmethod
    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """Refuses what :meth:`prepare` would refuse, as far as it shows without reading every sample.

        Raises:
            UserError: a source is missing, broken, or does not fit the model.
        """

    @abstractmethod
    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> RunData:
        """The sources packed and checked against the settings.

        Raises:
            UserError: a source is missing, broken, or does not fit the model.
        """
