"""The dials of a trained model: what may be turned when it draws, to trade variety for typical pictures or for time.

A dial is one number. Every model with a normal or uniform prior has ``temperature``, a factor of its latents (Kingma &
Dhariwal 2018, section 6, https://arxiv.org/abs/1807.03039); one that truncates has ``truncation`` in its place; and a
``Config`` names fields of its own, such as ``guidance`` or ``steps`` (:class:`AdjustsSampling`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ganvas.core.config import override
from ganvas.core.pixels import to_bytes
from ganvas.core.shapes import Bytes
from ganvas.losses.capabilities import AdjustsSampling, HasLatents, Truncates
from ganvas.losses.game import Game
from ganvas.train.state import placed
from ganvas.train.trained import Trained

TRUNCATIONS = (0.3, 0.5, 0.7, 0.85, 1.0)
TEMPERATURES = (0.4, 0.6, 0.8, 1.0, 1.2)  # 1 is as it was trained.


@dataclass(frozen=True, kw_only=True)
class Dial:
    """One number that changes how pictures are drawn."""

    name: str
    values: tuple[float, ...]  # Worth a curve.
    kind: Literal["latents", "truncation", "setting"]


def dials_of(trained: Trained) -> list[Dial]:
    """What this model lets one turn; empty for one that draws in one way alone."""
    model = trained.model
    found = []
    if isinstance(model.config, AdjustsSampling):
        settings = model.config.sampling_settings
        found += [Dial(name=name, values=tuple(values), kind="setting") for name, values in settings.items()]
    if isinstance(model, Truncates):
        found.append(Dial(name="truncation", values=TRUNCATIONS, kind="truncation"))
    elif isinstance(model, HasLatents) and model.prior != "other" and not _named(found, "temperature"):
        found.append(Dial(name="temperature", values=TEMPERATURES, kind="latents"))
    return found


def drawn_at(trained: Trained, dial: Dial, value: float, n: int, *, seed: int, batch: int = 64) -> Iterator[Bytes]:
    """Batches of ``n`` pictures with a dial turned; the latents and the noise are those of the same seed."""
    if dial.kind == "truncation":
        return trained.sample_bytes(n, seed=seed, truncation=value, batch=batch)
    if dial.kind == "latents":
        return _scaled_latents(trained, value, n, seed=seed, batch=batch)
    return _adjusted(trained, dial.name, value).sample_bytes(n, seed=seed, batch=batch)


def _named(dials: Sequence[Dial], name: str) -> bool:
    return any(dial.name == name for dial in dials)


def _scaled_latents(trained: Trained, factor: float, n: int, *, seed: int, batch: int) -> Iterator[Bytes]:
    z, labels = factor * trained.latents(n, seed=seed), trained.labels(n, seed=seed, label=None)
    for start in range(0, n, batch):
        chosen = None if labels is None else labels[start : start + batch]
        yield to_bytes(trained.decode(z[start : start + batch], chosen)).cpu()


def _adjusted(trained: Trained, name: str, value: float) -> Trained:
    """The same weights under a ``Config`` with another value of a field that only drawing knows of."""
    old = trained.model
    model: Game = type(old)(override(old.config, {name: value}))
    model.load_state_dict(old.state_dict())
    return replace(trained, model=placed(model, trained.device).eval().requires_grad_(False))
