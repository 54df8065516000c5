"""One step of any game."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.losses.game import Batch, Phase, Terms
from ganvas.losses.optimizers import Adam
from ganvas.train.state import Player, State

RUNNING_STATISTICS = ("running_mean", "running_var", "running_variance")  # Of features, in batch norms of any kind.


@dataclass(frozen=True)
class PhaseStreams:
    """The noise of one phase: what its loss draws, and the same numbers once more for its ``after``."""

    loss: torch.Generator
    after: torch.Generator


def new_streams(phases: Sequence[Phase], device: torch.device) -> list[PhaseStreams]:
    """A pair of streams per phase, to be seeded at every step."""
    return [PhaseStreams(torch.Generator(device), torch.Generator(device)) for _ in phases]


Judge = Callable[[State, Phase, Batch, PhaseStreams, torch.dtype], tuple[Terms, dict[str, Tensor]]]


def play(
    state: State,
    batch: Batch,
    streams: Sequence[PhaseStreams],
    *,
    turns: Sequence[bool],
    precision: torch.dtype,
    judge: Judge | None = None,
) -> None:
    """Every phase whose turn it is moves once; the state's sums learn what it was judged on.

    ``streams`` are already seeded for this step. Nothing here waits for the device.

    Args:
        judge: What leaves the gradients of a phase with its player, and returns terms and means of the batch; the pass
            of :func:`judge_together` where left out.
    """
    waiting: list[tuple[Phase, Batch, Terms]] = []
    for phase, stream, plays in zip(state.phases, streams, turns, strict=True):
        if not plays:
            continue
        let_move(state.model, state.player_of(phase).parameters.values())
        with state.as_seen_by(phase):
            terms, means = (judge or judge_together)(state, phase, batch, stream, precision)
        _add(state.sums, means)
        waiting.append((phase, batch.with_rng(stream.after), terms))
        if not phase.simultaneous:
            for moved, its_batch, its_terms in waiting:
                _move(state.player_of(moved), moved, its_batch, its_terms)
            waiting.clear()


def judge_together(
    state: State, phase: Phase, batch: Batch, stream: PhaseStreams, precision: torch.dtype
) -> tuple[Terms, dict[str, Tensor]]:
    """One pass over this rank's part of the batch; gradients and means are those of the whole batch."""
    terms, means = backward(state, phase, batch.with_rng(stream.loss), precision)
    batch.ranks.average_([*gradients_of(state, phase), *means.values()])  # So every rank has the sums that are saved.
    return terms, means


def backward(state: State, phase: Phase, batch: Batch, precision: torch.dtype) -> tuple[Terms, dict[str, Tensor]]:
    """The terms of a batch and their means, without gradients; those of the player's parameters are left with them."""
    state.player_of(phase).optimizer.zero_grad(set_to_none=True)
    terms = terms_of(phase, batch, precision)
    means = means_of_terms(phase, terms)
    (torch.stack(list(means.values())).sum() * phase.weight).backward()
    return terms, {name: mean.detach() for name, mean in means.items()}


def gradients_of(state: State, phase: Phase) -> list[Tensor]:
    """The gradients of the phase's player, in one order on every rank."""
    return [p.grad for p in state.player_of(phase).parameters.values() if p.grad is not None]


def terms_of(phase: Phase, batch: Batch, precision: torch.dtype) -> Terms:
    """What a phase is judged on, computed in this precision where it is lower than float32."""
    with torch.autocast(batch.device.type, precision, enabled=precision != torch.float32, cache_enabled=False):
        return phase.loss(batch)


def means_of_terms(phase: Phase, terms: Terms) -> dict[str, Tensor]:
    """The mean of each term over the batch, by "phase/term"; the player descends their sum."""
    return {f"{phase.name}/{name}": _at_least_float32(term).mean() for name, term in terms.items()}


def let_move(model: nn.Module, parameters: Iterable[nn.Parameter]) -> None:
    """Everyone stands still but the player whose parameters these are."""
    model.requires_grad_(False)
    for parameter in parameters:
        parameter.requires_grad_(True)


def _at_least_float32(term: Tensor) -> Tensor:
    return term.to(torch.promote_types(term.dtype, torch.float32))


def seed_streams(streams: Sequence[PhaseStreams], phases: Sequence[Phase], *, seed: int, nimg: int) -> None:
    """Seeds each phase's noise for the step at ``nimg``. A phase that moves together with the one before shares it."""
    index = 0
    for position, stream in enumerate(streams):
        if position == 0 or not phases[position - 1].simultaneous:
            index = position
        for generator in (stream.loss, stream.after):
            generator.manual_seed(derive_seed(seed, "noise", index, nimg))


@torch.no_grad()
def _move(player: Player, phase: Phase, batch: Batch, terms: Terms) -> None:
    player.optimizer.step()
    if phase.after is not None:
        phase.after(batch, terms)
    if player.average is not None and phase.average is not None:
        decay = phase.average if isinstance(phase.average, float | int) else player.decay
        assert decay is not None
        average_towards(player.average, player.module, decay=decay)


@torch.no_grad()
def average_towards(average: nn.Module, module: nn.Module, *, decay: float | Tensor) -> None:
    """``a <- decay a + (1 - decay) w`` for every weight and running statistic; other buffers (counters) are copied.

    Statistics of the weights as they are now do not fit the features of averaged ones, which are others: batch norm
    would neither centre nor scale them. Averages begin at the 0 and 1 that batch norm begins with, which are statistics
    of nothing: they are forgotten as the first weights are.
    """
    ours: list[Tensor] = list(average.parameters())
    theirs = [p.detach() for p in module.parameters()]
    for (name, mine), buffer in zip(average.named_buffers(), module.buffers(), strict=True):
        if name.rpartition(".")[2] in RUNNING_STATISTICS:
            ours.append(mine)
            theirs.append(buffer)
        else:
            mine.copy_(buffer)
    share = [1 - decay] * len(theirs) if isinstance(decay, Tensor) else 1 - decay
    torch._foreach_lerp_(ours, theirs, share)  # pyright: ignore[reportPrivateImportUsage]


@torch.no_grad()
def _add(sums: dict[str, Tensor], means: dict[str, Tensor]) -> None:
    for name, mean in means.items():
        if name in sums:
            sums[name].add_(mean)
        else:
            sums[name] = mean.clone()


def count_turns(state: State, turns: Sequence[bool]) -> None:
    """Notes on the host which phases played on this step."""
    for phase, played in zip(state.phases, turns, strict=True):
        if played:
            state.counts[phase.name] = state.counts.get(phase.name, 0) + 1


def set_learning_rate(state: State, lr: float) -> None:
    """The schedule's rate, times each player's factor; on a GPU written into the tensor that a graph reads."""
    for player in state.players:
        value = lr * player.settings.lr_factor
        for group in player.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(value)
            else:
                group["lr"] = value


def follow_courses(state: State) -> None:
    """What else changes with the samples shown: the memory of moments, and that of averages."""
    for player in state.players:
        if isinstance(player.settings, Adam):
            player.settings.follow(player.optimizer, state.nimg)
    for phase in state.phases:
        decay = state.player_of(phase).decay
        if callable(phase.average) and decay is not None:
            decay.fill_(phase.average(state.nimg))


def means_of(state: State) -> dict[str, float]:
    """What the sums say, averaged over the steps since the last report; reads the device."""
    names = sorted(name for name in state.sums if state.counts.get(name.partition("/")[0]))
    values = [state.sums[name] / state.counts[name.partition("/")[0]] for name in names]
    return dict(zip(names, torch.stack(values).tolist(), strict=True)) if names else {}


def forget_sums(state: State) -> None:
    """Begins a new interval between reports (in place, so that a captured graph adds to the same tensors)."""
    for tensor in state.sums.values():
        tensor.zero_()
    state.counts.clear()
