"""How a step is carried out: eagerly, or replayed from a CUDA graph. Both do the same arithmetic.

A small network's step is a thousand kernels of a few microseconds each; launching them one by one takes several times
longer than running them. A graph launches them all at once. Compiling is not an alternative: compiled autograd cannot
be differentiated twice, which a gradient penalty needs.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Images, Labels
from ganvas.losses.game import Batch
from ganvas.train.state import State
from ganvas.train.step import is_turn, play, seed_streams

WARM_UP_STEPS = 3  # Real steps, run eagerly before a capture so that every buffer exists.


class Executor(ABC):
    """Carries out one step on the state."""

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype) -> None:
        self.state, self.seed, self.ranks, self.precision = state, seed, ranks, precision
        self.device = next(state.model.parameters()).device
        self.streams = [torch.Generator(self.device) for _ in state.phases]

    def step(self, images: Images, labels: Labels | None, stage: Stage) -> None:
        """One step of the game on this rank's share of a batch."""
        seed_streams(self.streams, self.state.phases, seed=self.seed, nimg=self.state.nimg)
        self._run(images, labels, stage)

    def _batch(self, images: Images, labels: Labels | None, fade: Tensor | None) -> Batch:
        return Batch(images=images, labels=labels, rng=self.streams[0], fade=fade, ranks=self.ranks)

    @abstractmethod
    def _run(self, images: Images, labels: Labels | None, stage: Stage) -> None: ...


class Eager(Executor):
    """Kernel by kernel: works everywhere, and is what the others are measured against."""

    def _run(self, images: Images, labels: Labels | None, stage: Stage) -> None:
        fade = torch.tensor(stage.fade, device=self.device) if stage.fading else None
        play(self.state, self._batch(images, labels, fade), self.streams, precision=self.precision)


@dataclass
class _Captured:
    graph: torch.cuda.CUDAGraph
    images: Tensor
    labels: Tensor | None
    fade: Tensor | None


class CudaGraph(Executor):
    """Captures the step once per (picture size, batch, fading, who moves) and replays it.

    The fade, the learning rate and the noise are read from fixed places in memory that each step fills, so one graph
    serves a whole stage. The first steps of a stage run eagerly, as real steps; the capture itself changes nothing.
    """

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype) -> None:
        super().__init__(state, seed=seed, ranks=ranks, precision=precision)
        if self.device.type != "cuda":
            raise UserError("executor=graph needs a CUDA device. Use executor=eager on a CPU.")
        self._seen: dict[tuple, int] = {}
        self._captured: dict[tuple, _Captured] = {}
        self._resolution = 0
        self._side = torch.cuda.Stream()

    def _run(self, images: Images, labels: Labels | None, stage: Stage) -> None:
        turns = tuple(is_turn(phase, self.state.step) for phase in self.state.phases)
        key = (tuple(images.shape), stage.fading, turns)
        if stage.resolution != self._resolution:  # Earlier stages never come back: give their memory to this one.
            self._captured.clear()
            self._resolution = stage.resolution
        seen = self._seen.get(key, 0)
        self._seen[key] = seen + 1
        if seen < WARM_UP_STEPS:
            self._warm_up(images, labels, stage)
            return
        if key not in self._captured:
            self._captured[key] = self._capture(images, labels, stage)
        captured = self._captured[key]
        captured.images.copy_(images, non_blocking=True)
        if captured.labels is not None and labels is not None:
            captured.labels.copy_(labels, non_blocking=True)
        if captured.fade is not None:
            captured.fade.fill_(stage.fade)
        captured.graph.replay()

    def _warm_up(self, images: Images, labels: Labels | None, stage: Stage) -> None:
        """A real step on the side stream, where the allocator's and the libraries' first-time work may happen."""
        fade = torch.tensor(stage.fade, device=self.device) if stage.fading else None
        self._side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._side):
            play(self.state, self._batch(images, labels, fade), self.streams, precision=self.precision)
        torch.cuda.current_stream().wait_stream(self._side)

    def _capture(self, images: Images, labels: Labels | None, stage: Stage) -> _Captured:
        fade = torch.tensor(stage.fade, device=self.device) if stage.fading else None
        captured = _Captured(
            graph=torch.cuda.CUDAGraph(),
            images=images.clone(memory_format=torch.preserve_format),
            labels=None if labels is None else labels.clone(),
            fade=fade,
        )
        for generator in self.streams:
            captured.graph.register_generator_state(generator)
        batch = self._batch(captured.images, captured.labels, fade)
        with torch.cuda.graph(captured.graph):
            play(self.state, batch, self.streams, precision=self.precision)
        # Capturing drew from the streams; the replay that follows must draw the same numbers as an eager step.
        seed_streams(self.streams, self.state.phases, seed=self.seed, nimg=self.state.nimg)
        return captured


def executor_for(name: str, device: torch.device) -> type[Executor]:
    """``auto`` is a graph on a GPU and eager elsewhere."""
    kinds: dict[str, type[Executor]] = {"eager": Eager, "graph": CudaGraph}
    kinds["auto"] = CudaGraph if device.type == "cuda" else Eager
    return kinds[name]
