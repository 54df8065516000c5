"""Figures of each family, as they ship: ``measured.json``, measured and written by ``scripts/families_table.py``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.core import catalogue

FILE = Path(__file__).with_name("measured.json")
FAMILIES = ("autoregressive", "diffusion", "flow", "gan", "vae")  # Of models that draw pictures from nothing.
PRESET = "small"  # What is measured, and advised, of each: made for this kind of machine.


@dataclass(frozen=True, kw_only=True)
class MeasuredModel:
    """What one model's small preset made of one budget on one set of pictures."""

    model: str
    kimg: float
    cpu_sec: float
    swd: float
    swd_error: float
    precision: float
    recall: float
    draw_ms: float
    bits_per_dimension: float | None = None
    bits_kind: str = ""  # "exact", "at most", or empty where the model knows no likelihood.

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall: noise, which reaches every picture and is like none, has 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All of them, with what they were measured on."""

    data: str
    side: int
    pictures: int
    floor: float  # SWD of reals against reals.
    models: Sequence[MeasuredModel]


def figures() -> Figures:
    """Reads what ships."""
    plain: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    known = set(MeasuredModel.__dataclass_fields__)
    models = [MeasuredModel(**{key: value for key, value in row.items() if key in known}) for row in plain["models"]]
    return Figures(
        data=plain["data"], side=plain["side"], pictures=plain["pictures"], floor=plain["floor"], models=models
    )


def best_first(found: Figures, goal: str) -> list[MeasuredModel]:
    """Models that serve a goal, in the order of what was measured of it.

    Args:
        goal: ``pictures``: near to real ones (SWD); ``likelihood``: few bits per dimension; ``modes``: much of the
            variety and little else (:attr:`MeasuredModel.f1`), without GANs. Recall alone is gained by scattering:
            pictures far from all real ones have large neighbourhoods, and many reals lie in them.
    """
    if goal == "likelihood":
        known = [one for one in found.models if one.bits_per_dimension is not None]
        return sorted(known, key=lambda one: one.bits_per_dimension or 0.0)
    if goal == "modes":  # Whatever recall a GAN has here, nothing in its game asks for the rare pictures.
        return sorted((one for one in found.models if not one.model.startswith("gan/")), key=lambda one: -one.f1)
    return sorted(found.models, key=lambda one: one.swd)


def unmeasured(found: Figures, goal: str) -> list[str]:
    """Models that would serve a goal and have no figures, so that nothing is known of them here."""
    from ganvas.losses.capabilities import HasDensity

    measured = {one.model for one in found.models}
    families = [family for family in FAMILIES if goal == "pictures" or family != "gan"]
    names = [
        entry.name
        for entry in catalogue.entries("models")
        if entry.name.partition("/")[0] in families
        and entry.name not in measured
        and PRESET in catalogue.functions("recipes", entry.name)
    ]
    return catalogue.models_with(HasDensity, among=names) if goal == "likelihood" else names
