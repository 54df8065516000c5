"""Steps whose bits do not depend on the number of processes.

Streams for the whole batch already show any number of processes the same data and noise; what is left is the order in
which gradients are added. Here a batch is always so many shards, whoever computes them: one pass for each, and their
gradients added by one fixed binary tree, as the virtual workers of EasyScale do (Li et al. 2023,
https://arxiv.org/abs/2208.14228). With 8 shards, 1, 2, 4 and 8 processes write the same bits on machines of one kind
with one number of threads.

A layer that looks at a whole batch looks at a shard: its groups are of a shard's samples. Running statistics begin
every pass where the phase found them, and become the mean of what the passes leave, added by the same tree. Every shard
is a pass of its own, so that kernels are smaller and a step takes longer than one pass over the whole batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.losses.augmentation import NOTICED
from ganvas.losses.game import Batch, Phase, Terms
from ganvas.nn.layers.across_ranks import alone
from ganvas.train.execution.executors import Executor
from ganvas.train.state import State, remembered
from ganvas.train.step import RUNNING_STATISTICS, PhaseStreams, backward, gradients_of, play


class CanonicalShards(Executor):
    """Every batch as ``shards`` passes, of which each process does its own.

    Raises:
        UserError: the number of shards is no power of 2, or cannot be shared by the processes; in the first step, the
            model remembers something of whole batches.
    """

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype, shards: int) -> None:
        super().__init__(state, seed=seed, ranks=ranks, precision=precision)
        self.shards = shards
        if shards & (shards - 1) or shards % ranks.count:
            raise UserError(
                f"shards={shards} cannot be shared by {ranks.count} processes. Use a power of 2, and as many processes "
                "or a smaller power of 2."
            )

    def _run(self, batch: Batch, turns: Sequence[bool], stage: Stage) -> None:
        self._parts = [self._part(batch, number) for number in range(self.shards // self.ranks.count)]
        play(self.state, batch, self.streams, turns=turns, precision=self.precision, judge=self._judge)

    def _part(self, batch: Batch, number: int) -> Batch:
        """One of this process's shards: every so-manieth row of the whole batch, as if a process had it alone."""
        count = self.shards // self.ranks.count
        part = batch.map(lambda tensor: tensor[number::count] if tensor.ndim else tensor)
        shard = self.ranks.rank + number * self.ranks.count
        return replace(part, ranks=Ranks(rank=shard, count=self.shards, apart=True))

    def _judge(
        self, state: State, phase: Phase, batch: Batch, stream: PhaseStreams, precision: torch.dtype
    ) -> tuple[Terms, dict[str, Tensor]]:
        """See :data:`ganvas.train.step.Judge`."""
        start, statistics = stream.loss.get_state(), list(self._statistics().values())
        found = [tensor.clone() for tensor in statistics]
        flats, left, terms, names = [], [], [], list[str]()
        for part in self._parts:
            stream.loss.set_state(start)  # Every shard draws for the whole batch, and takes its own.
            for tensor, before in zip(statistics, found, strict=True):
                tensor.copy_(before)
            versions = [tensor._version for tensor in statistics]
            seed = derive_seed(self.seed, "torch", state.nimg, phase.name, part.ranks.rank)
            with alone(), torch_seeded(seed, self.device):
                own, means = backward(state, phase, part.with_rng(stream.loss), precision)
            if not left:  # What the first pass leaves alone, all do, on every process: constants are not sent around.
                moved = self._moved(statistics, versions)
                statistics, found = list(compress(statistics, moved)), list(compress(found, moved))
            names = list(means)
            flats.append(torch.cat([tensor.reshape(-1) for tensor in (*gradients_of(state, phase), *means.values())]))
            left.append([tensor.clone() for tensor in statistics])
            terms.append({name: term.detach() for name, term in own.items()})
        *means, of_terms = self._mean_of(flats).split([*(g.numel() for g in gradients_of(state, phase)), len(names)])
        for gradient, mean in zip(gradients_of(state, phase), means, strict=True):
            gradient.copy_(mean.view(gradient.shape))
        self._settle(statistics, left)
        self._keep(batch)
        return _together(terms), dict(zip(names, of_terms, strict=True))

    def _keep(self, batch: Batch) -> None:
        """What the parts keep of verdicts on reals is for the whole batch; nothing else has a way to be put together.

        Raises:
            UserError: the model remembers from step to step what its passes keep, such as a pool of pictures.
        """
        kept = {name for part in self._parts for name in part.kept} - {NOTICED}
        if kept and self.state.model.memory():
            raise UserError(
                f"shards={self.shards}: the model remembers {self.state.model.memory()[0]} of whole batches, and here "
                "every batch is taken apart. Use shards=0."
            )
        if all(NOTICED in part.kept for part in self._parts):
            batch.keep(NOTICED, torch.cat([part.kept[NOTICED] for part in self._parts]))

    def _mean_of(self, flats: list[Tensor]) -> Tensor:
        return _tree(self.ranks.gathered(_tree(flats))) / self.shards

    def _statistics(self) -> dict[str, Tensor]:
        """Whatever has a mean and is no weight, by name."""
        kept = remembered(self.state.model)
        buffers = self.state.model.named_buffers()
        return {name: buffer for name, buffer in buffers if name not in kept and buffer.is_floating_point()}

    def _moved(self, statistics: Sequence[Tensor], versions: Sequence[int]) -> list[bool]:
        """Which the pass wrote to, without a look at values: torch counts writes, but not those of its norms."""
        own = [name.rpartition(".")[2] in RUNNING_STATISTICS for name in self._statistics()]
        return [
            of_norm or tensor._version > version
            for of_norm, tensor, version in zip(own, statistics, versions, strict=True)
        ]

    @torch.no_grad()
    def _settle(self, statistics: list[Tensor], left: list[list[Tensor]]) -> None:
        """Running statistics become the mean of what the passes of all shards left."""
        if not statistics:
            return
        flats = [torch.cat([tensor.reshape(-1).double() for tensor in own]) for own in left]
        means = self._mean_of(flats).split([tensor.numel() for tensor in statistics])
        for tensor, mean in zip(statistics, means, strict=True):
            tensor.copy_(mean.view(tensor.shape))


def _tree(flats: list[Tensor]) -> Tensor:
    """Their sum by halves: number i with i + n/2, then those that are left. The same tree whoever has which."""
    while len(flats) > 1:
        half = len(flats) // 2
        flats = [flats[i] + flats[i + half] for i in range(half)]
    return flats[0]


def _together(terms: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The terms of a process's shards in the order of its rows."""
    found: dict[str, Tensor] = {}
    for name, first in terms[0].items():
        stacked = torch.stack([one[name] for one in terms], min(first.ndim, 1))
        found[name] = stacked.flatten(0, 1) if first.ndim else stacked.mean(0)
    return found
