"""Everything that a run is at one moment. The state is the checkpoint: what is not in here does not survive, and
everything else of a run is a function of it and of the plan."""

import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.losses.game import Phase


@dataclass
class State:
    """Networks, optimiser moments, running averages, counters, and what was summed since the last report.

    Random streams are not in it: each is a function of the seed and ``nimg`` (see ``core.seeds``), and so is the
    position in the data.
    """

    model: nn.Module
    phases: list[Phase]
    optimizers: dict[str, torch.optim.Adam]
    averages: dict[str, nn.Module]  # By phase: a copy of its player with averaged weights.
    sums: dict[str, Tensor] = field(default_factory=dict)  # "D/real": sum over steps of the mean over the batch.
    counts: dict[str, int] = field(default_factory=dict)  # "D": steps in those sums.
    nimg: int = 0  # Real images shown.
    step: int = 0  # Batches shown.
    stage_phase: int = 0  # Of the last step; a change restarts the optimisers.
    best: list[dict[str, float]] = field(default_factory=list)  # {"kimg": ..., "value": ...}, best first.

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, on the CPU."""
        named = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        for phase, average in self.averages.items():
            named |= {f"average/{phase}/{name}": tensor for name, tensor in average.state_dict().items()}
        for phase in self.phases:
            moments = self.optimizers[phase.name].state
            for name, parameter in phase.player.named_parameters():
                for key, value in moments.get(parameter, {}).items():
                    named[f"optimizer/{phase.name}/{name}/{key}"] = value
        named |= {f"sums/{name}": tensor for name, tensor in self.sums.items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}

    def numbers(self) -> dict[str, Any]:
        """Every counter, as JSON can hold it."""
        return {key: getattr(self, key) for key in ("nimg", "step", "stage_phase", "counts", "best")}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Becomes the state that was saved, in place: every tensor keeps its device and memory format."""
        own = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        for phase, average in self.averages.items():
            own |= {f"average/{phase}/{name}": tensor for name, tensor in average.state_dict().items()}
        saved = {name for name in tensors if name.startswith(("model/", "average/"))}
        if saved != set(own):
            odd = sorted(saved ^ set(own))[0]
            raise UserError(f"The saved state does not fit this model: '{odd}' is on one side only.")
        for name, tensor in own.items():
            if tensor.shape != tensors[name].shape:
                shapes = f"{list(tensors[name].shape)}, not {list(tensor.shape)}"
                raise UserError(f"The saved state does not fit this model: '{name}' is {shapes}.")
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        for phase in self.phases:
            _restore_moments(self.optimizers[phase.name], phase, tensors)
        device = next(self.model.parameters()).device
        self.sums = {
            name.removeprefix("sums/"): tensor.to(device)
            for name, tensor in tensors.items()
            if name.startswith("sums/")
        }
        for key, value in numbers.items():
            setattr(self, key, value)

    @torch.no_grad()
    def restart_optimizers(self) -> None:
        """Forgets all moments, as when a resolution is added (in place, so that a captured graph sees it)."""
        for optimizer in self.optimizers.values():
            for moments in optimizer.state.values():
                for tensor in moments.values():
                    tensor.zero_()

    def is_finite(self) -> bool:
        """Whether every weight is a number; reads the device."""
        parameters = [p for p in self.model.parameters() if p.is_floating_point()]
        return bool(torch.stack([p.detach().sum(dtype=torch.float64) for p in parameters]).isfinite().all())


def new_state(model: nn.Module) -> State:
    """The state before the first image, for a model whose weights are already drawn."""
    phases: list[Phase] = model.phases()  # type: ignore[operator]
    cuda = next(model.parameters()).is_cuda
    optimizers = {
        phase.name: torch.optim.Adam(
            phase.player.parameters(),
            lr=torch.tensor(0.0, device="cuda") if cuda else 0.0,
            betas=(phase.optimizer.beta1, phase.optimizer.beta2),
            eps=phase.optimizer.eps,
            fused=True,
            capturable=cuda,
        )
        for phase in phases
    }
    averages = {phase.name: _frozen_copy(phase.player) for phase in phases if phase.average is not None}
    return State(model=model, phases=phases, optimizers=optimizers, averages=averages)


def averaged_model(state: State) -> dict[str, Tensor]:
    """The weights to sample from and to publish: the model's, with every averaged player's average in its place."""
    weights = dict(state.model.state_dict())
    for phase in state.phases:
        if phase.name in state.averages:
            path = path_of(state.model, phase.player)
            prefix = f"{path}." if path else ""
            weights |= {f"{prefix}{name}": tensor for name, tensor in state.averages[phase.name].state_dict().items()}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}


def path_of(model: nn.Module, part: nn.Module) -> str:
    """The dotted name of a part of a model; empty for the model itself."""
    return next(name for name, module in model.named_modules() if module is part)


def _frozen_copy(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).requires_grad_(False)


def _restore_moments(optimizer: torch.optim.Adam, phase: Phase, tensors: dict[str, Tensor]) -> None:
    optimizer.state.clear()
    for name, parameter in phase.player.named_parameters():
        prefix = f"optimizer/{phase.name}/{name}/"
        found = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        if found:
            optimizer.state[parameter] = {key: _like(value, key, parameter) for key, value in found.items()}


def _like(value: Tensor, key: str, parameter: Tensor) -> Tensor:
    """A moment laid out as its parameter, because a fused update wants both in one memory format."""
    if key == "step":
        return value.clone().to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
