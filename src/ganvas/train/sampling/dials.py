"""The dials of a trained model: what may be turned when it draws, to trade variety for typical pictures or for time.

A dial is one number. A flow has a ``temperature`` (Kingma & Dhariwal 2018, section 6, https://arxiv.org/abs/1807.03039);
every other model with a normal or uniform prior has one too, a factor of its latents; one that truncates has
``truncation`` in its place; and a ``Config`` may have fields that only drawing looks at, known by their names
(:data:`SETTINGS`).
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ganvas.core.config import override
from ganvas.core.pixels import to_bytes
from ganvas.core.shapes import Bytes
from ganvas.losses.capabilities import HasLatents, HasTemperature, Truncates
from ganvas.losses.game import Game
from ganvas.train.state import placed
from ganvas.train.trained import Trained

TRUNCATIONS = (0.3, 0.5, 0.7, 0.85, 1.0)
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.2)  # 1 is as it was trained.
SETTINGS = {"steps": (2.0, 4.0, 8.0, 16.0, 32.0), "guidance": (1.0, 1.5, 2.0, 4.0)}
"""Fields of a ``Config`` that change how samples are drawn and nothing that is learnt, with values worth a curve."""


@dataclass(frozen=True, kw_only=True)
class Dial:
    """One number that changes how pictures are drawn."""

    name: str
    values: tuple[float, ...]  # Worth a curve.
    kind: Literal["temperature", "latents", "truncation", "setting"]


def dials_of(trained: Trained) -> list[Dial]:
    """What this model lets one turn; empty for one that draws in one way alone."""
    model = trained.model
    fields = {field.name for field in dataclasses.fields(model.config)}
    found = [Dial(name=name, values=SETTINGS[name], kind="setting") for name in SETTINGS if name in fields]
    if isinstance(model, HasTemperature):
        found.append(Dial(name="temperature", values=TEMPERATURES, kind="temperature"))
    elif isinstance(model, Truncates):
        found.append(Dial(name="truncation", values=TRUNCATIONS, kind="truncation"))
    elif isinstance(model, HasLatents) and model.prior != "other" and not found:
        found.append(Dial(name="temperature", values=TEMPERATURES, kind="latents"))
    return [dial for dial in found if dial.name != "guidance" or trained.conditional]


def drawn_at(trained: Trained, dial: Dial, value: float, n: int, *, seed: int, batch: int = 64) -> Iterator[Bytes]:
    """Batches of ``n`` pictures with a dial turned; the latents and the noise are those of the same seed."""
    if dial.kind == "truncation":
        return trained.sample_bytes(n, seed=seed, truncation=value, batch=batch)
    if dial.kind == "temperature":
        return trained.sample_bytes(n, seed=seed, temperature=value, batch=batch)
    if dial.kind == "latents":
        return _scaled_latents(trained, value, n, seed=seed, batch=batch)
    return _adjusted(trained, dial.name, value).sample_bytes(n, seed=seed, batch=batch)


def _scaled_latents(trained: Trained, factor: float, n: int, *, seed: int, batch: int) -> Iterator[Bytes]:
    z, labels = factor * trained.latents(n, seed=seed), trained.labels(n, seed=seed, label=None)
    for start in range(0, n, batch):
        chosen = None if labels is None else labels[start : start + batch]
        yield to_bytes(trained.decode(z[start : start + batch], chosen)).cpu()


def _adjusted(trained: Trained, name: str, value: float) -> Trained:
    """The same weights under a ``Config`` with another value of a field that only drawing looks at."""
    old = trained.model
    model: Game = type(old)(override(old.config, {name: value}))
    model.load_state_dict(old.state_dict())
    return replace(trained, model=placed(model, trained.device).eval().requires_grad_(False))
