"""One step of any game."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import derive_seed
from ganvas.losses.game import Batch, Phase
from ganvas.train.state import State


def play(state: State, batch: Batch, streams: Sequence[torch.Generator], *, precision: torch.dtype) -> None:
    """Every phase whose turn it is moves once; the state's sums learn what it was judged on.

    ``streams`` holds one generator per phase, already seeded for this step. Nothing here waits for the device.
    """
    waiting: list[Phase] = []
    for phase, stream in zip(state.phases, streams, strict=True):
        if not is_turn(phase, state.step):
            continue
        state.model.requires_grad_(False)  # Everyone stands still ...
        phase.player.requires_grad_(True)  # ... but the player whose move it is.
        state.optimizers[phase.name].zero_grad(set_to_none=True)
        with torch.autocast(
            batch.images.device.type, precision, enabled=precision != torch.float32, cache_enabled=False
        ):
            terms = phase.loss(batch.with_rng(stream))
        means = {f"{phase.name}/{name}": _at_least_float32(term).mean() for name, term in terms.items()}
        (torch.stack(list(means.values())).sum() * phase.weight).backward()
        batch.ranks.average_(p.grad for p in phase.player.parameters() if p.grad is not None)
        _add(state.sums, means)
        waiting.append(phase)
        if not phase.simultaneous:
            for moved in waiting:
                _move(state, moved)
            waiting.clear()


def _at_least_float32(term: Tensor) -> Tensor:
    return term.to(torch.promote_types(term.dtype, torch.float32))


def is_turn(phase: Phase, step: int) -> bool:
    """Whether a phase plays on this step; one played every k-th step plays on the last of each k."""
    return (step + 1) % phase.every == 0


def seed_streams(streams: Sequence[torch.Generator], phases: Sequence[Phase], *, seed: int, nimg: int) -> None:
    """Seeds each phase's noise for the step at ``nimg``. A phase that moves together with the one before shares it."""
    index = 0
    for position, stream in enumerate(streams):
        if position == 0 or not phases[position - 1].simultaneous:
            index = position
        stream.manual_seed(derive_seed(seed, "noise", index, nimg))


@torch.no_grad()
def _move(state: State, phase: Phase) -> None:
    state.optimizers[phase.name].step()
    if phase.average is not None:
        average_towards(state.averages[phase.name], phase.player, decay=phase.average)


@torch.no_grad()
def average_towards(average: nn.Module, module: nn.Module, *, decay: float) -> None:
    """``a <- decay a + (1 - decay) w`` for every weight; buffers (running statistics, counters) are copied."""
    weights = [p.detach() for p in module.parameters()]
    torch._foreach_lerp_(list(average.parameters()), weights, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
    for mine, theirs in zip(average.buffers(), module.buffers(), strict=True):
        mine.copy_(theirs)


@torch.no_grad()
def _add(sums: dict[str, Tensor], means: dict[str, Tensor]) -> None:
    for name, mean in means.items():
        if name in sums:
            sums[name].add_(mean.detach())
        else:
            sums[name] = mean.detach().clone()


def count_turns(state: State) -> None:
    """Notes on the host which phases played on this step."""
    for phase in state.phases:
        if is_turn(phase, state.step):
            state.counts[phase.name] = state.counts.get(phase.name, 0) + 1


def set_learning_rate(state: State, lr: float) -> None:
    """The schedule's rate, times each player's factor; on a GPU written into the tensor that a graph reads."""
    for phase in state.phases:
        value = lr * phase.optimizer.lr_factor
        for group in state.optimizers[phase.name].param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(value)
            else:
                group["lr"] = value


def means_of(state: State, ranks: Ranks) -> dict[str, float]:
    """What the sums say, averaged over the steps since the last report and over ranks; reads the device."""
    names = sorted(name for name in state.sums if state.counts.get(name.partition("/")[0]))
    values = [state.sums[name] / state.counts[name.partition("/")[0]] for name in names]
    ranks.average_(values)
    return dict(zip(names, torch.stack(values).tolist(), strict=True)) if names else {}


def forget_sums(state: State) -> None:
    """Begins a new interval between reports (in place, so that a captured graph adds to the same tensors)."""
    for tensor in state.sums.values():
        tensor.zero_()
    state.counts.clear()
