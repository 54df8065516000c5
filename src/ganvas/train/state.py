"""Everything that a run is at one moment. The state is the checkpoint: what is not in here does not survive, and
everything else of a run is a function of it and of the plan."""

import copy
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.losses.augmentation import AdaptiveAugmentation, ShowsAugmented
from ganvas.losses.game import Game, Phase
from ganvas.losses.optimizers import OptimizerSettings
from ganvas.train.past_views import PastView


@dataclass
class Player:
    """A part of a model that moves as one: its weights, its optimiser and, where one is kept, its running average."""

    path: str  # The dotted name of the part; "" for the model itself.
    module: nn.Module
    parameters: dict[str, nn.Parameter]  # Those that move, by their names within the part.
    optimizer: torch.optim.Optimizer
    settings: OptimizerSettings
    average: nn.Module | None  # A copy of the part with averaged weights.
    decay: Tensor | None = None  # Of the average on this step, where it changes: in a place that a graph reads.

    @property
    def key(self) -> str:
        """Its name in a saved state."""
        return self.path or "model"


@dataclass
class State:
    """Networks, optimiser moments, running averages, counters, and what was summed since the last report.

    Random streams are not in it: each is a function of the seed and ``nimg`` (see ``core.seeds``), and so is the
    position in the data.
    """

    model: Game
    phases: list[Phase]
    players: list[Player]  # In the order in which the phases name them.
    sums: dict[str, Tensor] = field(default_factory=dict)  # "D/real": sum over steps of the mean over the batch.
    counts: dict[str, int] = field(default_factory=dict)  # "D": steps in those sums.
    nimg: int = 0  # Real samples shown.
    step: int = 0  # Batches shown.
    stage_phase: int = 0  # Of the last step; a change restarts the optimisers.
    best: list[dict[str, float]] = field(default_factory=list)  # {"kimg": ..., "value": ...}, best first.
    views: dict[str, PastView] = field(default_factory=dict)  # Of phases that see the past of the others.

    def player_of(self, phase: Phase) -> Player:
        """Who moves in a phase."""
        return next(player for player in self.players if player.module is phase.player)

    def as_seen_by(self, phase: Phase) -> AbstractContextManager[None]:
        """While inside, the players that a phase does not move are as it sees them: as they are, or as they were."""
        view = self.views.get(phase.name)
        return nullcontext() if view is None else view.shown(step=self.step, nimg=self.nimg)

    def turns(self) -> tuple[bool, ...]:
        """Which phases play on the coming step, asked once: a turn may read what the step changes."""
        return tuple(phase.turn(self.step, self.nimg) for phase in self.phases)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, on the CPU."""
        named = self._weights()
        for player in self.players:
            for name, parameter in player.parameters.items():
                for key, value in player.optimizer.state.get(parameter, {}).items():
                    if isinstance(value, Tensor):
                        named[f"optimizer/{player.key}/{name}/{key}"] = value
        named |= {f"sums/{name}": tensor for name, tensor in self.sums.items()}
        for phase, view in self.views.items():
            named |= {f"views/{phase}/{name}": tensor for name, tensor in view.tensors().items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}

    def numbers(self) -> dict[str, Any]:
        """Every counter, as JSON can hold it."""
        return {
            "nimg": self.nimg,
            "step": self.step,
            "stage_phase": self.stage_phase,
            "counts": self.counts,
            "best": self.best,
        }

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Becomes the state that was saved, in place: every tensor keeps its device and memory format."""
        own = self._weights()
        _require_the_same(own, tensors)
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        for player in self.players:
            _restore_moments(player, tensors)
        device = next(self.model.parameters()).device
        self.sums = {name: tensor.to(device) for name, tensor in _under("sums/", tensors).items()}
        for phase, view in self.views.items():
            view.restore(_under(f"views/{phase}/", tensors))
        self.nimg, self.step, self.stage_phase = numbers["nimg"], numbers["step"], numbers["stage_phase"]
        self.counts, self.best = dict(numbers["counts"]), list(numbers["best"])

    @torch.no_grad()
    def restart_optimizers(self) -> None:
        """Forgets all moments, as when a resolution is added (in place, so that a captured graph sees it)."""
        for player in self.players:
            for moments in player.optimizer.state.values():
                for value in moments.values():
                    if isinstance(value, Tensor):
                        value.zero_()

    @torch.no_grad()
    def restart_averages(self) -> None:
        """Begins every running average anew at the weights as they are: after data has set them, before a step."""
        for player in self.players:
            if player.average is not None:
                player.average.load_state_dict(player.module.state_dict())

    def has_own_moments(self) -> bool:
        """Whether every moment is one that its player's optimiser keeps; a branch may have another than its parent."""
        return all(
            moments.keys() == kept
            for player in self.players
            for kept in [player.settings.moments()]
            for moments in player.optimizer.state.values()
        )

    def is_finite(self) -> bool:
        """Whether every weight is a number; reads the device."""
        parameters = [p for p in self.model.parameters() if p.is_floating_point()]
        return bool(torch.stack([p.detach().sum(dtype=torch.float64) for p in parameters]).isfinite().all())

    def _weights(self) -> dict[str, Tensor]:
        """The tensors of the networks and of the averages."""
        named = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        for player in self.players:
            if player.average is not None:
                prefix = f"average/{player.key}"
                named |= {f"{prefix}/{name}": tensor for name, tensor in player.average.state_dict().items()}
        return named


def new_state(model: Game) -> State:
    """The state before the first sample, for a model whose weights are already drawn."""
    phases = model.phases()
    players: list[Player] = []
    for phase in phases:
        if all(player.module is not phase.player for player in players):
            players.append(_player(model, phase, [other for other in phases if other.player is phase.player]))
    return State(model=model, phases=phases, players=players)


def averaged_model(state: State) -> dict[str, Tensor]:
    """The weights to sample from and to publish: the model's, with every averaged player's average in its place.

    What is only remembered to resume from (``memory``) is not part of it.
    """
    weights = dict(state.model.state_dict())
    for player in state.players:
        if player.average is not None:
            prefix = f"{player.path}." if player.path else ""
            weights |= {f"{prefix}{name}": tensor for name, tensor in player.average.state_dict().items()}
    published = weights.keys() - remembered(state.model)
    return {name: weights[name].detach().cpu().contiguous() for name in weights if name in published}


def remembered(model: Game) -> frozenset[str]:
    """Names of the buffers that are saved to resume from and never published: the model's own, and p."""
    own = frozenset(model.memory())
    if isinstance(model, ShowsAugmented) and isinstance(model.augmentation, AdaptiveAugmentation):
        return own | {f"augmentation.{name}" for name, _ in model.augmentation.named_buffers()}
    return own


def placed(model: Game, device: torch.device) -> Game:
    """The model on a device, its convolutions laid out channels last, which is quicker on processors and GPUs."""
    layout: dict[str, Any] = {"memory_format": torch.channels_last}  # torch's own types do not know it.
    return model.to(device).to(**layout)


def path_of(model: nn.Module, part: nn.Module) -> str:
    """The dotted name of a part of a model; empty for the model itself."""
    return next(name for name, module in model.named_modules() if module is part)


def movable(player: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a player by name, without those that required no gradient at the start: they are nobody's."""
    return {name: parameter for name, parameter in player.named_parameters() if parameter.requires_grad}


def _player(model: Game, phase: Phase, phases: Sequence[Phase]) -> Player:
    """The player of a phase, with what all its phases say of it."""
    if any(other.optimizer != phase.optimizer for other in phases):
        names = " and ".join(other.name for other in phases)
        raise UserError(f"The phases {names} move one player with different optimisers. Give both the same settings.")
    averages = {other.average for other in phases if other.average is not None}
    assert len(averages) <= 1, "one player has one running average"
    parameters = movable(phase.player)
    return Player(
        path=path_of(model, phase.player),
        module=phase.player,
        parameters=parameters,
        optimizer=phase.optimizer.build(list(parameters.values())),
        settings=phase.optimizer,
        average=copy.deepcopy(phase.player).requires_grad_(False) if averages else None,
        decay=next(iter(parameters.values())).new_zeros(()) if any(map(callable, averages)) else None,
    )


def _require_the_same(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """The same names and shapes as this model's."""
    saved = {name for name in tensors if name.startswith(("model/", "average/"))}
    if saved != set(own):
        odd = sorted(saved ^ set(own))[0]
        raise UserError(f"The saved state does not fit this model: '{odd}' is on one side only.")
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            shapes = f"{list(tensors[name].shape)}, not {list(tensor.shape)}"
            raise UserError(f"The saved state does not fit this model: '{name}' is {shapes}.")


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore_moments(player: Player, tensors: Mapping[str, Tensor]) -> None:
    player.optimizer.state.clear()
    for name, parameter in player.parameters.items():
        found = _under(f"optimizer/{player.key}/{name}/", tensors)
        if found:
            player.optimizer.state[parameter] = {key: _like(value, parameter) for key, value in found.items()}


def _like(value: Tensor, parameter: Tensor) -> Tensor:
    """A moment laid out as its parameter, because a fused update wants both in one memory format."""
    if value.shape != parameter.shape:  # A count of steps.
        return value.clone().to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
