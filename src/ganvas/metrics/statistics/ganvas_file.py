"""A set of pictures as one file of statistics: made once, read by every tool of the field, used instead of a folder.

::

    mu, sigma       float64: mean and unbiased covariance of the features (of FID where it is in the file)
    mu_s, sigma_s   the same of the spatial features, where sFID was asked for (the layout of ADM)
    n               pictures
    protocol        network, weights, resize, n: what the numbers are of
    ganvas/manifest JSON as bytes: which metric has which state, of which network and seed
    ganvas/<k>/...  the states; rows that several metrics keep are there once

pytorch-fid, clean-fid, EDM and TTUR read ``mu`` and ``sigma`` and pass over the rest. What they write, ADM's reference
batches, ``*_kid.npz`` of clean-fid, edm2's ``.pkl`` and torch-fidelity's ``.pt`` are read by
:mod:`ganvas.metrics.statistics.foreign_files`. Rows go in and out a slab at a time: a million rows of 2048 floats need
a gigabyte of memory and 8.2 GB of disk.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor

from ganvas.core.config import to_plain
from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file
from ganvas.core.files.typed_json import InRange, parse, require
from ganvas.core.process.provenance import versions
from ganvas.metrics.accumulators.feature_pass import Extractor, Gathered
from ganvas.metrics.accumulators.metric_contract import Stats
from ganvas.metrics.accumulators.npz import Npz, tables, write
from ganvas.metrics.measuring import metric_catalogue
from ganvas.metrics.statistics.base import MANIFEST, MOMENTS, StatsFile, is_stats, require_moments

FORMAT, VERSION = "ganvas-stats", 1


class Entry(TypedDict):
    """What a file holds of one metric."""

    metric: str
    tap: str
    shares: str
    rows_of: str
    config: dict[str, Any]
    settings: str
    group: str | None
    moments: list[str] | None


class Part(TypedDict):
    """Which pictures of the whole set a file is of."""

    first: Annotated[int, InRange(0)]
    of: Annotated[int, InRange(1)]


class Manifest(TypedDict):
    """What a file says of itself."""

    version: int
    n: Annotated[int, InRange(1)]
    seed: int
    fingerprint: str
    shape: NotRequired[list[Annotated[int, InRange(1)]] | None]
    treated: NotRequired[list[str]]
    part: NotRequired[Part]
    metrics: dict[str, Entry]


class Own(StatsFile):
    """What :func:`write_stats` wrote."""

    def __init__(self, npz: Npz) -> None:
        self.path, self._npz = npz.path, npz
        where, advice = f"{self.path} (its manifest)", "It is damaged: make it again."
        given = parse(npz.array(MANIFEST).tobytes(), where, advice=advice)
        version = given.get("version") if isinstance(given, dict) else None
        if version is not None and version != VERSION:
            raise UserError(
                f"{self.path} has version {str(version)[:20]} of the form, and this Ganvas reads {VERSION}. Make it "
                "again: ganvas stats FOLDER -o FILE."
            )
        manifest = require(Manifest, given, where, advice=advice)
        self._metrics = manifest["metrics"]
        self.n, self.seed, self.fingerprint = manifest["n"], manifest["seed"], manifest["fingerprint"]
        shape = manifest.get("shape")
        self.shape = tuple(shape) if shape else None
        self.treated = tuple(manifest.get("treated", ()))
        self.part = manifest.get("part")  # None where its pictures are all.
        self.moments_only = all(entry["group"] is None for entry in self._metrics.values())
        self._read: dict[str, Stats] = {}

    def holds(self) -> list[str]:
        return sorted(self._metrics)

    def rows_of(self, name: str) -> str | None:
        entry = self._metrics.get(name) or self._kept(metric_catalogue.load(name).SEES, "")
        return entry["rows_of"] if entry else None

    def fill(self, name: str, *, seed: int, config: Any, network: Extractor | None, rows_of: str) -> Stats:
        module = metric_catalogue.load(name)
        config = module.Config() if config is None else config
        said = self._metrics.get(name)
        entry = said if said and (said["shares"] or said["config"] == to_plain(config)) else None
        kept = entry or self._kept(module.SEES, network.identity if network else rows_of)
        if kept is None:
            raise self._refusal(name)
        if network is not None and kept["rows_of"] != network.identity:
            raise UserError(
                f"{self.path} is of another network: it holds rows of {kept['rows_of']}, and {network.identity} is "
                "asked for. Give the same `--features` and `--weights`, or make the file again."
            )
        if kept["group"] is None:
            return self._of_moments(module, kept, seed=seed, config=config)
        if entry and not entry["shares"]:
            return self._load(module.Accumulator, entry)
        return self._of_rows(module, kept, seed=seed, config=config)

    def _of_rows(self, module: Any, kept: Entry, *, seed: int, config: Any) -> Stats:
        """From rows that are there: shared where the metric keeps just them, else taken in."""
        group = kept["group"] or ""
        if group not in self._read:
            self._read[group] = self._load(metric_catalogue.load(kept["metric"]).Accumulator, kept)
        rows = self._read[group]
        stats = module.Accumulator(seed=seed, config=config, rows_of=rows.rows_of)
        if stats.shares == rows.shares:
            stats.adopt(rows)
            return stats
        done = 0
        for block in rows.blocks():  # type: ignore[attr-defined]
            stats.update(block, torch.arange(done, done + len(block)))
            done += len(block)
        return stats

    def _of_moments(self, module: Any, kept: Entry, *, seed: int, config: Any) -> Stats:
        """A file made with ``--moments``."""
        if not hasattr(module.Accumulator, "of_moments"):
            raise UserError(
                f"{self.path} holds means and covariances only, and {module.TITLE} needs the rows. Make it again "
                "without `--moments`."
            )
        mean, cov = (self._npz.array(name) for name in kept["moments"] or ())
        require_moments(self.path, kept["tap"], mean, cov)
        how = {"n": self.n, "rows_of": kept["rows_of"], "seed": seed, "config": config}
        return module.Accumulator.of_moments(torch.from_numpy(mean), torch.from_numpy(cov), **how)

    def _load(self, kind: type[Stats], entry: Entry) -> Stats:
        prefix = f"ganvas/{entry['group']}/"
        state: dict[str, Any] = {"settings": torch.tensor(list(entry["settings"].encode()), dtype=torch.uint8)}
        for name in self._npz.headers:
            key = name.removeprefix(prefix)
            if name.startswith(f"{prefix}sum."):
                state[key] = torch.from_numpy(self._npz.array(name))
            elif name.startswith(f"{prefix}table."):
                state[key] = (torch.from_numpy(slab) for slab in self._npz.slabs(name))
        try:
            stats = kind.from_state(state)
        except UserError:
            raise
        except (KeyError, TypeError, ValueError, RuntimeError, AssertionError, ArithmeticError) as error:
            raise UserError(
                f"{self.path} is damaged: its state of {entry['metric']} cannot be read ({type(error).__name__}). Make "
                "it again."
            ) from None
        tables = [stats.tables.get(name) for name in ("index", *(["rows"] if stats.shares == "kept" else []))]
        if any(table is None or table.count != self.n for table in tables):
            raise UserError(
                f"{self.path} is damaged: it should hold something of each of {self.n} pictures, and does not. Make or "
                "download it again."
            )
        return stats

    def _kept(self, tap: str, rows_of: str) -> Entry | None:
        """Rows of this tap, of whichever metric; of the network asked for where there are several."""
        kept = [one for one in self._metrics.values() if one["tap"] == tap and one["shares"] == "kept"]
        return next((one for one in kept if one["rows_of"] == rows_of), kept[0] if kept else None)

    def _refusal(self, name: str) -> UserError:
        return UserError(
            f"{self.path} holds nothing for {name}. It holds: {', '.join(self.holds())}. Make it again: "
            f"ganvas stats FOLDER -o {self.path.name} --metrics {','.join([*self.holds(), name])}."
        )


def write_stats(path: Path, gathered: Gathered, *, moments: bool = False, part: Part | None = None) -> list[str]:
    """Writes what was gathered, wholly or not at all; returns the metrics that are in the file.

    Args:
        moments: Only means and covariances (34 MB, however many pictures), without rows.
        part: Which pictures of the whole set these are; None where they are all.

    Raises:
        UserError: something else is at that path, or there is nothing to write.
    """
    if path.suffix != ".npz":
        raise UserError(f"{path}: a file of statistics is a .npz. Name it {path.name}.npz.")
    if path.exists() and not is_stats(path):
        raise UserError(f"{path} is there already and is not a file of statistics. Choose another name, or remove it.")
    entries, members = _entries(gathered, moments=moments)
    if not entries:
        what = "has a mean and covariance (`--moments`)" if moments else "has statistics of these pictures"
        raise UserError(f"Nothing that was asked for can be written: none of {', '.join(gathered.stats)} {what}.")
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "n": gathered.n,
        "seed": next(iter(gathered.stats.values())).seed,
        "fingerprint": gathered.fingerprint,
        "shape": gathered.shape,
        "treated": gathered.treated,
        "made_with": versions(),
        "metrics": entries,
    } | ({} if part is None else {"part": part})
    whose = next((one["rows_of"] for one in entries.values() if one["rows_of"]), "pixels")
    head: dict[str, Any] = {
        "n": np.array(gathered.n),
        "protocol": np.array(f"{whose}:n{gathered.n}:set={gathered.fingerprint}"),
        MANIFEST: np.frombuffer(json.dumps(manifest).encode(), np.uint8),
    }
    with atomic_file(path) as partial:
        write(partial, head | members)
    return sorted(entries)


def _entries(gathered: Gathered, *, moments: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the manifest says of every metric, and the arrays."""
    entries: dict[str, Any] = {}
    members: dict[str, Any] = {}
    groups: dict[int, str] = {}
    found: dict[tuple[str, str], tuple[str, str]] = {}  # Network and tap: the names of its moments.
    for name, stats in sorted(gathered.stats.items(), key=lambda item: item[0] != "fid"):  # The first has `mu`.
        tap, of = metric_catalogue.load(name).SEES, None
        if hasattr(stats, "moments"):
            of = found.get((stats.rows_of, tap)) or _moments(name, stats, members)
            found[stats.rows_of, tap] = of
        if moments and not of:
            continue
        small = stats.state_without_tables()
        group = None
        if not moments:
            group = groups.setdefault(id(stats.tables), name)
            if group == name:
                members |= {f"ganvas/{name}/{key}": value for key, value in _arrays(stats, small).items()}
        settings = bytes(small["settings"].tolist()).decode()
        entries[name] = {
            "metric": name,
            "tap": tap,
            "shares": stats.shares,
            "rows_of": stats.rows_of,
            "config": to_plain(stats.config),
            "settings": settings,
            "group": group,
            "moments": of,
        }
    return entries, members


def _moments(name: str, stats: Any, members: dict[str, Any]) -> tuple[str, str]:
    """Mean and covariance under the names of the field, unless those are taken by another network."""
    usual = MOMENTS.get(metric_catalogue.load(name).SEES, (f"mu_{name}", f"sigma_{name}"))
    names = (f"ganvas/{name}/mu", f"ganvas/{name}/sigma") if usual[0] in members else usual
    mean, cov = stats.moments()
    members |= {names[0]: mean.double().numpy(), names[1]: cov.double().numpy()}
    return names


def _arrays(stats: Stats, small: Mapping[str, Tensor]) -> dict[str, Any]:
    """A state as arrays, its tables as slabs."""
    found: dict[str, Any] = {key: value.numpy() for key, value in small.items() if key.startswith("sum.")}
    return found | tables(stats.tables)
