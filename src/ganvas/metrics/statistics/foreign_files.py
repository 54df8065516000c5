"""Statistics that other tools wrote: means and covariances, or rows of features, of a network that they do not name.

- pytorch-fid, clean-fid, EDM, TTUR: ``.npz`` with ``mu``, ``sigma``
- ADM's reference batches: ``.npz`` with ``mu``, ``sigma``, ``mu_s``, ``sigma_s``, and pictures in ``arr_0``
- clean-fid, for KID: ``*_kid.npz`` with ``feats``
- EDM2: ``.pkl`` of ``{"fid": {"mu", "sigma"}, "fd_dinov2": ..., "num_images"}``
- torch-fidelity: ``.pt`` of its cache, with ``{"mu", "sigma"}`` or a table of features

Such a file does not say which weights and which resize its numbers come from. It is used as what is asked for, where
the lengths agree; the protocol then ends in ``ref=foreign:`` and the hash of the file, and a note says so.

Pickles are read as numpy's arrays and nothing else (:mod:`ganvas.metrics.statistics.array_pickle`).
"""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.data.sources.damage import explain_damage
from ganvas.metrics.accumulators.feature_pass import Extractor
from ganvas.metrics.accumulators.metric_contract import Stats
from ganvas.metrics.accumulators.npz import Npz
from ganvas.metrics.measuring import metric_catalogue
from ganvas.metrics.statistics.array_pickle import read_arrays
from ganvas.metrics.statistics.base import MOMENTS, StatsFile, require_moments
from ganvas.nn.programs.program_files import record_names

UNKNOWN = "unknown-network"
LARGEST_PICKLE_BYTES = 1 << 30


class Foreign(StatsFile):
    """Moments by tap or by metric, and rows of ``features``, as far as there are any."""

    def __init__(
        self,
        path: Path,
        *,
        moments: Mapping[str, tuple[np.ndarray, np.ndarray]],
        rows: Any = None,
        width: int | None = None,
        n: int | None = None,
        pictures: str | None = None,
    ) -> None:
        """``rows`` gives the rows of features in slabs each time that it is called, ``width`` numbers each."""
        self.path, self._moments, self._rows, self._width = path, dict(moments), rows, width
        self.n, self.pictures = n, pictures
        for key, (mean, cov) in self._moments.items():
            require_moments(path, key, mean, cov)
        self.fingerprint = f"foreign:{content_hash(path)[:8]}"
        counted = "" if n is not None else " nor of how many pictures"
        self.note = (
            f"{path} does not say of which network and resize its numbers are{counted}. It is taken for what is asked "
            f"for; the protocol says ref={self.fingerprint}."
        )

    def holds(self) -> list[str]:
        return [*(f"moments of {key}" for key in self._moments), *(["rows of features"] if self._rows else [])]

    def rows_of(self, name: str) -> str | None:
        return None

    def fill(self, name: str, *, seed: int, config: Any, network: Extractor | None, rows_of: str) -> Stats:
        module = metric_catalogue.load(name)
        tap, whose = module.SEES, rows_of or UNKNOWN
        found = self._moments.get(name) or self._moments.get(tap)
        if self._rows and tap == "features":
            self._require_width(self._width or 0, network, tap)
            stats = module.Accumulator(seed=seed, config=config, rows_of=whose)
            for slab in self._rows():
                stats.update(torch.from_numpy(slab))
            return stats
        if found is None or not hasattr(module.Accumulator, "of_moments"):
            raise UserError(
                f"{self.path} holds {', '.join(self.holds())}, and {module.TITLE} needs more than that. "
                "Give the pictures themselves, or a file that `ganvas stats` made."
            )
        self._require_width(len(found[0]), network, tap)
        mean, cov = (torch.from_numpy(np.asarray(part, np.float64)) for part in found)
        return module.Accumulator.of_moments(mean, cov, n=self.n, rows_of=whose, seed=seed, config=config)

    def _require_width(self, width: int, network: Extractor | None, tap: str) -> None:
        if network is not None and network.taps[tap] != width:
            raise UserError(
                f"{self.path} is of another network: its {tap} are {width} numbers, and those of {network.identity} "
                f"are {network.taps[tap]}. Choose the network of the file with `--features`."
            )


def of_npz(npz: Npz) -> Foreign:
    """What numpy wrote for another tool."""
    moments = {}
    for tap, (mean, cov) in MOMENTS.items():
        if mean in npz and cov in npz:
            for name in (mean, cov):
                if npz.headers[name].dtype.kind != "f":
                    raise UserError(f"{npz.path}: {name} is {npz.headers[name]}, and should be floating point numbers.")
            moments[tap] = (npz.array(mean), npz.array(cov))
    feats = npz.headers.get("feats")
    if feats and (len(feats.shape) != 2 or feats.dtype.kind != "f" or 0 in feats.shape):
        raise UserError(f"{npz.path}: feats is {feats}, and should be a row of numbers per picture.")
    if not moments and not feats:
        raise UserError(
            f"{npz.path} is no file of statistics: it holds {npz.listed()}, and neither mu and sigma nor feats. "
            "`ganvas stats FOLDER -o FILE` makes one."
        )
    number = npz.array("n") if "n" in npz and npz.headers["n"].dtype.kind in "iu" else None
    count = _count(int(number)) if number is not None and number.shape == () else None
    return Foreign(
        npz.path,
        moments=moments,
        rows=(lambda: npz.slabs("feats")) if feats else None,
        width=feats.shape[1] if feats else None,
        n=feats.shape[0] if feats else count,
        pictures=f"{npz.path}::arr_0" if "arr_0" in npz else None,
    )


def of_pickle(path: Path) -> Foreign:
    """EDM2's: numpy's arrays in dictionaries, and nothing that could run."""
    if path.stat().st_size > LARGEST_PICKLE_BYTES:
        raise UserError(f"{path} is too large for a pickle of statistics. Save it as .npz with mu and sigma.")
    found = _arrays(path, path.read_bytes())
    if not isinstance(found, dict):
        raise UserError(f"{path} is no pickle of statistics: it holds {type(found).__name__}, not a dictionary.")
    pairs = {"features": _pair(found), **{key: _pair(part) for key, part in found.items()}}
    moments = {key: pair for key, pair in pairs.items() if pair is not None}
    if not moments:
        listed = ", ".join(f"{key[:40]!a}" for key in found) or "nothing"
        raise UserError(f"{path} is no pickle of statistics: it has {listed[:400]}.")
    return Foreign(path, moments=moments, n=_count(found.get("num_images")))


def of_torch(path: Path) -> Foreign:
    """A file of torch-fidelity's cache: a table of features, or their moments. Loads tensors and arrays only."""
    try:
        with warnings.catch_warnings(action="ignore"):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # Its words would advise to read the file in a way that runs what is in it.
        found = _arrays_of_torch(path)
    if isinstance(found, torch.Tensor) and found.ndim == 2 and found.is_floating_point() and len(found):
        table = found.numpy()
        return Foreign(path, moments={}, rows=lambda: iter([table]), width=table.shape[1], n=len(table))
    pair = _pair(found)
    if pair is None:
        raise UserError(f"{path} is no file of statistics: neither mu and sigma nor a table of features is in it.")
    return Foreign(path, moments={"features": pair})


def _arrays_of_torch(path: Path) -> Any:
    """Numpy's arrays that ``torch.save`` wrote: a pickle in a zip archive."""
    names = [name for name in record_names(path) if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(names) != 1:
        raise UserError(f"{path} cannot be read as tensors alone. Save mu and sigma as .npz.")
    with explain_damage(str(path)), zipfile.ZipFile(path) as archive:
        if archive.getinfo(names[0]).file_size > LARGEST_PICKLE_BYTES:
            raise UserError(f"{path} is too large for a file of statistics. Save mu and sigma as .npz.")
        data = archive.read(names[0])
    return _arrays(path, data)


def _arrays(path: Path, data: bytes) -> Any:
    try:
        return read_arrays(data)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:  # A damaged pickle may raise anything.
        raise UserError(f"{path} is cut short or damaged ({str(error)[:80]}). Copy or download it again.") from None


def _count(value: Any) -> int | None:
    """Of pictures, as far as it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 1 << 62 else None


def _pair(found: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """``mu`` and ``sigma`` of a dictionary that has both."""
    if not isinstance(found, dict) or not {"mu", "sigma"} <= set(found):
        return None
    mean, cov = _numbers(found["mu"]), _numbers(found["sigma"])
    return None if mean is None or cov is None else (mean, cov)


def _numbers(value: Any) -> np.ndarray | None:
    """Floating point numbers, of numpy or of torch."""
    if isinstance(value, torch.Tensor) and value.is_floating_point() and value.layout == torch.strided:
        return value.detach().double().numpy()
    return value if isinstance(value, np.ndarray) and value.dtype.kind == "f" else None
