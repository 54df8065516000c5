"""Choice of the feature network of each metric: that of its paper, or the one that a person named; each loaded once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.metrics.accumulators.feature_pass import Extractor
from ganvas.metrics.measuring import metric_catalogue


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What was said about networks."""

    features: str | None = None  # A name or a file, in the place of the metrics' own; not of those that are FIXED.
    weights: tuple[str, ...] = ()  # Files; ``NAME=FILE`` says whose.
    trust: bool = False  # Weights that are not the published ones.
    device: Any = "cpu"
    precision: str = "float32"
    load: Callable[..., Any] | None = None  # In the place of ganvas.features.network_catalogue.load, for tests.

    def name_for(self, metric: str) -> str | None:
        """The network of a metric; None where it needs none."""
        module = metric_catalogue.load(metric)
        own = getattr(module, "NETWORK", None)
        return self.features if self.features and own and not getattr(module, "FIXED", False) else own


@dataclass
class Networks:
    """Loads the networks of metrics when they are first asked for, and remembers what failed."""

    chosen: Chosen
    metrics: Sequence[str]  # All that will be asked for, so that a file of weights finds its network.
    _loaded: dict[str, Extractor] = field(default_factory=dict)
    _failed: dict[str, UserError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._weights = weights_by_network(self.chosen, self.metrics)

    def of(self, metrics: Iterable[str], *, lenient: bool = False) -> tuple[dict[str, Extractor], dict[str, str]]:
        """The network of each metric that needs one, and why others have none.

        Raises:
            UserError: weights are not there, or a file is not what it should be (unless ``lenient``).
        """
        found, missing = {}, {}
        for metric in metrics:
            name = self.chosen.name_for(metric)
            if name is None:
                continue
            try:
                found[metric] = self._load(name)
            except UserError as error:
                if not lenient or name in self._weights:  # A file that was given and cannot be is no reason to go on.
                    raise
                missing[metric] = str(error)
        return found, missing

    def _load(self, name: str) -> Extractor:
        if name in self._failed:
            raise self._failed[name]
        if name not in self._loaded:
            load = self.chosen.load or _shelf_load
            try:
                self._loaded[name] = load(
                    name,
                    weights=self._weights.get(name),
                    trust=self.chosen.trust,
                    device=self.chosen.device,
                    precision=self.chosen.precision,
                )
            except UserError as error:
                self._failed[name] = error
                raise
        return self._loaded[name]


def weights_by_network(chosen: Chosen, metrics: Iterable[str]) -> Mapping[str, Path]:
    """Whose weights a file is: the network that is named before it, else the chosen one, else the only one."""
    needed = sorted({name for metric in metrics if (name := chosen.name_for(metric))})
    found: dict[str, Path] = {}
    for given in chosen.weights:
        name, equals, path = given.partition("=")
        if not equals or Path(given).expanduser().exists():
            path, name = given, chosen.features or (needed[0] if len(needed) == 1 else "")
        if not needed:
            raise UserError(f"--weights {given}: none of the metrics looks through a network. Leave it out.")
        if name not in needed:
            needed = [one for one in needed if takes_weights(one)] or needed
            said = f"{name} is not among the networks" if name else "it is not said whose it is, of the networks"
            raise UserError(
                f"--weights {given}: {said} that are needed ({', '.join(needed)}). Say it as {needed[0]}=FILE."
            )
        found[name] = Path(path).expanduser()
    return found


def takes_weights(network: str) -> bool:
    """Whether a network of the shelf, or of a file, can be given weights."""
    from ganvas.features import network_catalogue as features

    return network not in features.names() or features.entry(network).release is not None


def _shelf_load(name: str, **how: Any) -> Extractor:
    from ganvas.features import network_catalogue as features

    return features.load(name, **how)
