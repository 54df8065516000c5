"""Files that stand for sets of pictures: what every kind of them can be asked, and what their moments must be."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import UserError
from ganvas.metrics.accumulators.feature_pass import Extractor, Gathered
from ganvas.metrics.accumulators.metric_contract import Stats
from ganvas.metrics.measuring import metric_catalogue

MANIFEST = "ganvas/manifest"
SYMMETRIC_TO = 1e-4  # Of the largest entry: files of float32 sums are not symmetric to the last digit.
MOMENTS = {"features": ("mu", "sigma"), "spatial": ("mu_s", "sigma_s")}  # By tap.


class StatsFile(ABC):
    """A file that stands for a set of pictures."""

    path: Path
    fingerprint: str  # Of the set, as it goes into protocols.
    n: int | None  # None where the file does not say.
    seed: int | None = None  # Of the draw; None where it has none.
    note: str = ""  # What a person must know who compares with it.
    pictures: str | None = None  # The source of pictures that is in the file too.
    shape: tuple[int, ...] | None = None  # Of the pictures: channels, height, width; None where the file does not say.
    treated: tuple[str, ...] = ()  # What was done to them first.

    @abstractmethod
    def holds(self) -> list[str]:
        """What there is, for a message."""

    @abstractmethod
    def rows_of(self, name: str) -> str | None:
        """Whose rows a metric's are, as far as the file says."""

    @abstractmethod
    def fill(self, name: str, *, seed: int, config: Any, network: Extractor | None, rows_of: str) -> Stats:
        """The accumulator of a metric.

        Raises:
            UserError: the file has nothing for it, or of another network.
        """

    def gathered(
        self,
        metrics: Sequence[str] | Mapping[str, Any],
        *,
        seed: int = 0,
        networks: Mapping[str, Extractor] | None = None,
        rows_of: Mapping[str, str] | None = None,
        lenient: bool = False,
    ) -> Gathered:
        """The set as :func:`~ganvas.metrics.accumulators.feature_pass.gather` would give it.

        Args:
            networks: What the other side is seen by; the file must be of the same.
            rows_of: By metric, whose rows those of the other side are, where there is no network (another file).
        """
        configs = metrics if isinstance(metrics, Mapping) else {}
        stats: dict[str, Stats] = {}
        missing: dict[str, str] = {}
        for name in metrics:
            network = (networks or {}).get(name) if metric_catalogue.load(name).SEES != "pixels" else None
            whose = network.identity if network else (rows_of or {}).get(name, "")
            try:
                stats[name] = self.fill(name, seed=seed, config=configs.get(name), network=network, rows_of=whose)
            except UserError as error:
                if not lenient:
                    raise
                missing[name] = str(error)
        said: dict[str, Any] = {"fingerprint": self.fingerprint, "shape": self.shape, "treated": self.treated}
        return Gathered(stats=stats, n=self.n or 0, missing=missing, **said)


def require_moments(path: Path, key: str, mean: np.ndarray, cov: np.ndarray) -> None:
    """A vector, and a square, symmetric, finite matrix of its length whose diagonal is not negative.

    Raises:
        UserError: they are not.
    """
    fault = None
    if mean.dtype.kind != "f" or cov.dtype.kind != "f":
        fault = f"mean and covariance are {mean.dtype} and {cov.dtype} and should be floating point numbers"
    elif mean.ndim != 1 or mean.size == 0:
        fault = f"the mean has the shape {list(mean.shape)} and should be one row of numbers"
    elif cov.shape != (mean.size, mean.size):
        fault = (
            f"the covariance has the shape {list(cov.shape)} and should be {mean.size} x {mean.size}, as the mean is"
        )
    elif not (np.isfinite(mean).all() and np.isfinite(cov).all()):
        fault = "nan or infinity is in it"
    elif np.abs(cov - cov.T).max() > SYMMETRIC_TO * max(np.abs(cov).max(), 1e-30):
        fault = "the covariance is not symmetric"
    elif cov.diagonal().min() < -SYMMETRIC_TO * max(np.abs(cov).max(), 1e-30):
        fault = "a variance is negative"
    if fault:
        raise UserError(f"{path} is no file of statistics ({key}): {fault}. Make or download it again.")


def is_stats(path: Path) -> bool:
    """Whether a file looks like statistics (it may still be damaged), not like an array of pictures."""
    if not path.is_file() or path.suffix not in (".npz", ".pkl", ".pt"):
        return False
    if path.suffix != ".npz":
        return True
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = set(archive.files)
    except Exception:  # Whatever it is, the reader of pictures says what is wrong with it.
        return False
    return MANIFEST in names or bool(names & {"mu", "sigma", "feats"})
