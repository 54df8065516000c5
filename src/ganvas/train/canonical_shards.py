"""Steps whose bits do not depend on the number of processes.

Streams for the whole batch already show any number of processes the same data and noise; what is left is the order in
which gradients are added. Here a batch is always so many shards, whoever computes them: one pass for each, and their
gradients added by one fixed binary tree, as the virtual workers of EasyScale do (Li et al. 2023,
https://arxiv.org/abs/2208.14228). With 8 shards, 1, 2, 4 and 8 processes write the same bits on machines of one kind
with one number of threads.

A layer that looks at a whole batch looks at a shard: its groups are of a shard's samples. Every shard is a pass of its
own, so that kernels are smaller and a step takes longer than one pass over the whole batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ganvas.core.derived_seeds import derive_seed
from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.losses.augmentation import AdaptiveAugmentation, ShowsAugmented
from ganvas.losses.game import Batch, Phase, Terms
from ganvas.nn.layers.across_ranks import alone
from ganvas.train.executors import Executor
from ganvas.train.state import State, remembered
from ganvas.train.step import PhaseStreams, backward, gradients_of, play


class CanonicalShards(Executor):
    """Every batch as ``shards`` passes, of which each process does its own.

    Raises:
        UserError: the number of shards is no power of 2, or cannot be shared by the processes; or the model adapts to
            what all processes see.
    """

    def __init__(self, state: State, *, seed: int, ranks: Ranks, precision: torch.dtype, shards: int) -> None:
        super().__init__(state, seed=seed, ranks=ranks, precision=precision)
        self.shards, self._checked = shards, False
        if shards & (shards - 1) or shards % ranks.count:
            raise UserError(
                f"shards={shards} cannot be shared by {ranks.count} processes. Use a power of 2, and as many processes "
                "or a smaller power of 2."
            )
        model = state.model
        if isinstance(model, ShowsAugmented) and isinstance(model.augmentation, AdaptiveAugmentation):
            raise UserError(f"shards={shards}: augment=ada adapts to a sum over all processes. Use augment=diff.")

    def _run(self, batch: Batch, turns: Sequence[bool], stage: Stage) -> None:
        before = None if self._checked else self._buffers()
        self._parts = [self._part(batch, number) for number in range(self.shards // self.ranks.count)]
        play(self.state, batch, self.streams, turns=turns, precision=self.precision, judge=self._judge)
        if before is not None:
            self._require_unchanged(before)

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
        start, flats, terms = stream.loss.get_state(), [], []
        names: list[str] = []
        for part in self._parts:
            stream.loss.set_state(start)  # Every shard draws for the whole batch, and takes its own.
            seed = derive_seed(self.seed, "torch", state.nimg, phase.name, part.ranks.rank)
            with alone(), torch_seeded(seed, self.device):
                own, means = backward(state, phase, part.with_rng(stream.loss), precision)
            names = list(means)
            flats.append(torch.cat([tensor.reshape(-1) for tensor in (*gradients_of(state, phase), *means.values())]))
            terms.append({name: term.detach() for name, term in own.items()})
        total = _tree(self.ranks.gathered(_tree(flats))) / self.shards
        gradients = gradients_of(state, phase)
        *parts, means = total.split([*(g.numel() for g in gradients), len(names)])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))
        return _together(terms), dict(zip(names, means, strict=True))

    def _buffers(self) -> dict[str, Tensor]:
        kept = remembered(self.state.model)
        return {name: buffer.clone() for name, buffer in self.state.model.named_buffers() if name not in kept}

    def _require_unchanged(self, before: dict[str, Tensor]) -> None:
        """What a pass changes would be changed by other shards in every process; one look at the first step."""
        for name, buffer in self.state.model.named_buffers():
            if name in before and not torch.equal(buffer, before[name]):
                raise UserError(
                    f"shards={self.shards}: every pass changes {name} (running statistics or the like), and each "
                    "process does other passes. Use shards=0, or a model without."
                )
        self._checked = True


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
