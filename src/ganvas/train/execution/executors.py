"""Executors carry out a step: eagerly, or replayed from a CUDA graph. Both do the same arithmetic. A third lets
processes go apart for some steps.

A small network's step is a thousand kernels of a few microseconds each; launching them one by one takes several times
longer than running them. A graph launches them all at once. Compiling is not an alternative: compiled autograd cannot
be differentiated twice, which a gradient penalty needs.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.losses.game import Batch
from ganvas.train.state import State
from ganvas.train.step import follow_courses, new_streams, play, seed_streams

WARM_UP_STEPS = 3  # Real steps, run eagerly before a capture so that every buffer exists.


class Executor(ABC):
    """Carries out one step on the state."""

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype) -> None:
        self.state, self.seed, self.ranks, self.precision = state, seed, ranks, precision
        self.device = next(state.model.parameters()).device
        self.streams = new_streams(state.phases, self.device)

    def step(self, batch: Batch, stage: Stage) -> tuple[bool, ...]:
        """One step of the game on this rank's share of a batch; returns which phases played.

        What torch's own layers draw in it is a function of (seed, nimg) too.
        """
        nimg = self.state.nimg
        turns = self.state.turns()
        follow_courses(self.state)
        seed_streams(self.streams, self.state.phases, seed=self.seed, nimg=nimg)
        with torch_seeded(derive_seed(self.seed, "torch", nimg), self.device):
            self._run(replace(batch, rng=self.streams[0].loss, ranks=self.ranks, kept={}), turns, stage)
        return turns

    def settle(self, *, due: bool) -> bool:
        """Whether all processes have one state behind this step, which may then be drawn from, measured and saved.

        Args:
            due: They must have.
        """
        return True

    def share_sums(self) -> None:  # noqa: B027
        """Gives every process the mean of what the processes were judged on, before a report."""

    @abstractmethod
    def _run(self, batch: Batch, turns: Sequence[bool], stage: Stage) -> None: ...


class Eager(Executor):
    """Kernel by kernel: works everywhere, and is what the others are measured against."""

    def _run(self, batch: Batch, turns: Sequence[bool], stage: Stage) -> None:
        play(self.state, batch, self.streams, turns=turns, precision=self.precision)


class LocalSteps(Eager):
    """Local SGD (Stich 2019, https://arxiv.org/abs/1805.09767): every process moves by its own part of each batch.

    Behind every ``steps``-th step, and before whatever looks at the model, weights, moments, running averages, running
    statistics and what phases see of the past become their mean over processes. ``steps=1`` is not the step of one
    process: each has moved by its own gradient before the mean is taken, and Adam has divided it by a size of its own.
    With plain gradient descent the two are one.

    Layers that look at the whole batch still exchange in every step, and so does what a model remembers between steps
    (``Game.memory``): a pool of pictures takes in those of all processes, and is at every moment everybody's.
    """

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype, steps: int) -> None:
        super().__init__(state, seed=seed, ranks=ranks, precision=precision)
        self.steps = steps

    def _run(self, batch: Batch, turns: Sequence[bool], stage: Stage) -> None:
        super()._run(replace(batch, ranks=replace(self.ranks, apart=True)), turns, stage)

    def settle(self, *, due: bool) -> bool:
        if self.ranks.count > 1 and not due and self.state.step % self.steps:
            return False
        with torch.no_grad():
            past = [weight for view in self.state.views.values() for weight in view.settled()]
            self.ranks.average_([*_own_tensors(self.state), *past, *self.state.sums.values()])
        return True

    def share_sums(self) -> None:
        self.ranks.average_(self.state.sums.values())


def _own_tensors(state: State) -> list[torch.Tensor]:
    """Whatever a step changes and that has a mean, in one order on every process; counts and memory are everybody's."""
    named = dict(state.model.state_dict())
    for name in state.model.memory():
        del named[name]
    for player in state.players:
        if player.average is not None:
            named |= {f"average/{player.key}/{name}": tensor for name, tensor in player.average.state_dict().items()}
        for name, parameter in player.parameters.items():
            moments = player.optimizer.state.get(parameter, {})
            named |= {f"moments/{player.key}/{name}/{key}": moments[key] for key in sorted(moments) if key != "step"}
    return [tensor for tensor in named.values() if tensor.is_floating_point()]


@dataclass
class _Captured:
    graph: torch.cuda.CUDAGraph
    batch: Batch


class CudaGraph(Executor):
    """Captures the step once per (shapes of the batch, who moves) and replays it.

    The batch, the learning rate and the noise are read from fixed places in memory that each step fills, so one graph
    serves a whole stage. The first steps of a stage run eagerly, as real steps; the capture itself changes nothing.
    """

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype) -> None:
        super().__init__(state, seed=seed, ranks=ranks, precision=precision)
        if self.device.type != "cuda":
            raise UserError("executor=graph needs a CUDA device. Use executor=eager on a CPU.")
        if state.views:
            raise UserError("executor=graph replays one step, and delays and histories change it. Use executor=eager.")
        self._seen: dict[tuple, int] = {}
        self._captured: dict[tuple, _Captured] = {}
        self._resolution: int | None = None
        self._side = torch.cuda.Stream()

    def _run(self, batch: Batch, turns: Sequence[bool], stage: Stage) -> None:
        key = (*((name, tuple(tensor.shape)) for name, tensor in batch.tensors().items()), tuple(turns))
        if stage.resolution != self._resolution:  # Earlier stages never come back: give their memory to this one.
            self._captured.clear()
            self._resolution = stage.resolution
        seen = self._seen.get(key, 0)
        self._seen[key] = seen + 1
        if seen < WARM_UP_STEPS:
            self._warm_up(batch, turns)
            return
        if key not in self._captured:
            self._captured[key] = self._capture(batch, turns)
        captured = self._captured[key]
        given = batch.tensors()
        for name, place in captured.batch.tensors().items():
            place.copy_(given[name], non_blocking=True)
        captured.graph.replay()

    def _warm_up(self, batch: Batch, turns: Sequence[bool]) -> None:
        """A real step on the side stream, where the allocator's and the libraries' first-time work may happen."""
        self._side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._side):
            play(self.state, batch, self.streams, turns=turns, precision=self.precision)
        torch.cuda.current_stream().wait_stream(self._side)

    def _capture(self, batch: Batch, turns: Sequence[bool]) -> _Captured:
        graph = torch.cuda.CUDAGraph()
        static = batch.map(lambda tensor: tensor.clone(memory_format=torch.preserve_format))
        for stream in self.streams:
            graph.register_generator_state(stream.loss)
            graph.register_generator_state(stream.after)
        with torch.cuda.graph(graph):
            play(self.state, static, self.streams, turns=turns, precision=self.precision)
        # Capturing drew from the streams; the replay that follows must draw the same numbers as an eager step.
        seed_streams(self.streams, self.state.phases, seed=self.seed, nimg=self.state.nimg)
        return _Captured(graph=graph, batch=static)
