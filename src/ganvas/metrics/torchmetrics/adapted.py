"""The torchmetrics.Metric that :mod:`ganvas.metrics.torchmetrics.adapter` makes: its verbs over two accumulators."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.results import Result
from ganvas.metrics.accumulators.feature_pass import Extractor
from ganvas.metrics.accumulators.metric_contract import Stats, shape_in_words, shows_pairs
from ganvas.metrics.measuring import metric_catalogue

SIDES = ("real", "fake")


class _Frozen:
    """Holds a network that is neither copied with a metric nor saved in its state."""

    def __init__(self, network: Extractor | None) -> None:
        self.network = network

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Frozen":
        return self


class Adapted(Metric):
    """A metric of Ganvas; ``results`` are those of the last :meth:`compute`, with errors and protocols."""

    is_differentiable = False
    full_state_update = False

    def __init__(self, name: str, *, config: Any, network: Extractor | None, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name, self.config, self.seed, self._frozen = name, config, seed, _Frozen(network)
        module = metric_catalogue.load(name)
        if network is not None and module.SEES not in ("pixels", *network.taps):
            raise UserError(f"{name} sees {module.SEES}, and {network.identity} gives only {', '.join(network.taps)}.")
        self.results: list[Result] = []
        self._forget()

    @property
    def network(self) -> Extractor | None:
        """What it looks through; copies share it."""
        return self._frozen.network

    @property
    def higher_is_better(self) -> bool | None:  # type: ignore[override]
        """None where it should be what real pictures score."""
        return {"higher": True, "lower": False}.get(metric_catalogue.load(self.name).BETTER)

    def update(self, pictures: Tensor, *, real: bool) -> None:
        """Takes in a batch of one side, uint8 (n, c, h, w)."""
        if not isinstance(pictures, Tensor):
            raise UserError(f"Pictures come as tensors of uint8, (n, c, h, w); this is {type(pictures).__name__}.")
        if pictures.dtype != torch.uint8:
            raise UserError(
                f"Pictures to be measured are bytes (uint8); these are {pictures.dtype}. For pictures in [0, 1]: "
                "(255 * x).round().clamp(0, 255).byte()."
            )
        if self._size not in (None, pictures.shape[1:]):
            first, now = shape_in_words(self._size), shape_in_words(pictures.shape[1:])
            raise UserError(f"Pictures of {first} and of {now} do not compare. Bring all to one size first.")
        self._size = pictures.shape[1:]
        tap = metric_catalogue.load(self.name).SEES
        through = None if tap == "pixels" else self.network
        rows = pictures if through is None else through.extract(pictures, [tap])[tap]
        side = "real" if real else "fake"
        ranks = _ranks()
        places = torch.arange(self._seen[side], self._seen[side] + len(pictures))
        self._stats[side].update(rows, places * ranks.count + ranks.rank)
        self._seen[side] += len(pictures)

    def compute(self) -> Tensor:
        """The value over everything that all ranks have seen, as a float64 tensor."""
        module = metric_catalogue.load(self.name)
        real, fake = (self._whole(side) for side in SIDES)
        alone = getattr(module, "ALONE", False) and not real.n
        how = {"network": self.network} if shows_pairs(module) else {}
        found = module.compare(None if alone else real, fake, **how)
        self.results = [dataclasses.replace(one, protocol=f"{one.protocol}:ref=as-fed") for one in found]
        return torch.tensor(self.results[0].value, dtype=torch.float64)

    def forward(self, *args: Any, **kwargs: Any) -> None:
        """Only takes in: the value of a single batch would mean nothing, and change with its size."""
        self.update(*args, **kwargs)

    def reset(self) -> None:
        """Forgets all pictures."""
        super().reset()
        self._forget()

    def merge_state(self, incoming_state: "Mapping[str, Any] | Metric") -> None:
        """Takes in what another one has seen, of further pictures of the same two sets."""
        whole: Any = incoming_state
        given = whole.get_extra_state() if isinstance(whole, Adapted) else whole["_extra_state"]
        for side, other in self._accumulators(given).items():
            there = self._stats[side].tables["index"].all()
            if len(there) and other.n:
                other.shift(-(-(int(there.max()) + 1) // 2) * 2)
            self._stats[side].merge(other)
            self._seen[side] += given["seen"][side]
        self._computed, self._update_count = None, self._update_count + 1

    def get_extra_state(self) -> dict[str, Any]:
        """What was seen, as tensors: a part of ``state_dict``, which ``torch.load(weights_only=True)`` reads."""
        return {"seen": dict(self._seen), "stats": {side: self._stats[side].state() for side in SIDES}}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Goes on from a ``state_dict``."""
        self._stats, self._seen = self._accumulators(state), dict(state["seen"])
        self._computed, self._update_count = None, int(any(self._seen.values()))

    def _accumulators(self, state: Mapping[str, Any]) -> dict[str, Stats]:
        kind = metric_catalogue.load(self.name).Accumulator
        found = {side: kind.from_state(state["stats"][side]) for side in SIDES}
        for side, stats in found.items():
            self._stats[side]._require_alike(stats)
        return found

    def _forget(self) -> None:
        module = metric_catalogue.load(self.name)
        kind = module.Accumulator
        whose = self.network.identity if self.network and module.SEES != "pixels" else ""
        self._stats = {side: kind(seed=self.seed, config=self.config, rows_of=whose) for side in SIDES}
        self._seen: dict[str, int] = dict.fromkeys(SIDES, 0)
        self._size: torch.Size | None = None  # Of the pictures that this one has seen itself.

    def _whole(self, side: str) -> Stats:
        """What all ranks have seen; this rank's own accumulator goes on unchanged."""
        ranks = _ranks()
        if ranks.count == 1:
            return self._stats[side]
        whole = type(self._stats[side]).from_state(self._stats[side].streamed())
        whole.reduce(ranks)
        return whole


def _ranks() -> Ranks:
    if not (dist.is_available() and dist.is_initialized()):
        return Ranks()
    return Ranks(rank=dist.get_rank(), count=dist.get_world_size())
