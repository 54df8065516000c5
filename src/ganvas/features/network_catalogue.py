"""The catalogue of feature networks: the files of this folder that say ``NAME = ...``. The rest is machinery.

A network's file has

- a docstring: what it sees, the paper and its link, its resize, and what it departs in;
- ``NAME`` (the file's name), ``TAPS`` (name to length; empty where it compares pairs instead), both plain values;
- ``WEIGHTS = Release(...)`` with plain values, or ``WEIGHTS = None`` where it needs none;
- ``build(weights, *, device, precision) -> Network``, where ``weights`` are :class:`~ganvas.features.weights.Weights`
  (or None where it needs none).

Listing reads the files and imports none of them. Besides names, :func:`load` takes a path: a classifier of the user's
own (``ganvas features train``), or a TorchScript or ``torch.export`` file.
"""

import ast
import functools
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core import catalogue
from ganvas.core.errors import UserError, did_you_mean
from ganvas.features.release import Release

if TYPE_CHECKING:
    import torch

    from ganvas.features.network import Network, Precision

SHELF = "features"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network of the shelf."""

    name: str
    summary: str
    link: str
    taps: dict[str, int]
    release: Release | None  # None where it needs no weights.


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Every network, by name."""
    found = [_describe(entry) for entry in catalogue.entries(SHELF)]
    return tuple(entry for entry in found if entry is not None)


def names() -> list[str]:
    """The names that ``--features`` takes.

    >>> "inception" in names(), "network" in names()
    (True, False)
    """
    return [entry.name for entry in entries()]


def entry(name: str) -> Entry:
    """One network by its name; an unknown name is a :class:`UserError` with the nearest known."""
    found = next((entry for entry in entries() if entry.name == name), None)
    if found is None:
        raise UserError(
            f"There is no feature network '{name}'.{did_you_mean(name, names())} Networks: {', '.join(names())}; "
            "or the path of a classifier of your own, or of a TorchScript or torch.export file."
        )
    return found


def load(
    name_or_file: str,
    *,
    weights: Path | None = None,
    trust: bool = False,
    device: "str | torch.device" = "cpu",
    precision: "Precision" = "float32",
) -> "Network":
    """A network ready to look at pictures.

    Args:
        name_or_file: A name (:func:`names`), or the path of a file.
        weights: The file with its weights; None looks in the environment and in the cache.
        trust: Takes a file of weights that is not the published one; its identity then carries its own hash.
        device: Where to compute.
        precision: ``bfloat16`` changes the numbers, as the identity says, and is faster where the hardware has it.

    Raises:
        WeightsMissing: its weights are not on this machine.
        UserError: there is no such network, or its file is not what it should be.
    """
    import torch

    path = Path(name_or_file).expanduser()
    if name_or_file not in names() and path.is_file():
        if weights is not None:
            raise UserError(f"{path} holds its own weights: leave {weights} out.")
        return _load_file(path, torch.device(device), precision)
    if name_or_file not in names() and (path.suffix or len(path.parts) > 1):
        raise UserError(f"{path}: there is no such file. Networks by name: {', '.join(names())}.")
    found = entry(name_or_file)
    module = importlib.import_module(f"ganvas.{SHELF}.{found.name}")
    given = None
    if found.release is not None:
        from ganvas.features import weights as finding

        given = finding.load(found.name, found.release, weights, trust=trust)
    elif weights is not None:
        raise UserError(f"{found.name} has no weights: leave {weights} out.")
    return module.build(given, device=torch.device(device), precision=precision)


def _load_file(path: Path, device: "torch.device", precision: "Precision") -> "Network":
    from ganvas.features import classifier, exported_network

    if classifier.is_classifier(path):
        return classifier.load(path, device=device, precision=precision)
    return exported_network.load(path, device=device, precision=precision)


def _describe(listed: catalogue.Entry) -> Entry | None:
    said = _plain_values((catalogue.PACKAGE / SHELF / f"{listed.name}.py").read_text(encoding="utf-8"))
    if "NAME" not in said:
        return None
    return Entry(
        name=said["NAME"], summary=listed.summary, link=listed.link, taps=said["TAPS"], release=said["WEIGHTS"]
    )


def _plain_values(source: str) -> dict[str, Any]:
    """``NAME``, ``TAPS`` and ``WEIGHTS`` as they are written, without running the file."""
    said = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if name == "WEIGHTS" and isinstance(value, ast.Call):
                said[name] = Release(**{str(word.arg): ast.literal_eval(word.value) for word in value.keywords})
            elif name in ("NAME", "TAPS", "WEIGHTS"):
                said[name] = ast.literal_eval(value)
    return said
