"""Choice of the executor of a run, by its settings and its device."""

from collections.abc import Callable
from functools import partial

import torch

from ganvas.core.errors import UserError
from ganvas.train.execution.canonical_shards import CanonicalShards
from ganvas.train.execution.executors import CudaGraph, Eager, Executor, LocalSteps
from ganvas.train.plan import Plan


def executor_for(name: str, device: torch.device, plan: Plan | None = None) -> Callable[..., Executor]:
    """``auto`` is a graph on a GPU and eager elsewhere, and where the plan makes steps of another kind.

    Raises:
        UserError: a graph is asked for where the plan has local steps or shards.
    """
    plan = plan or Plan()
    if plan.local_steps or plan.shards:
        asked = f"local_steps={plan.local_steps}" if plan.local_steps else f"shards={plan.shards}"
        if name == "graph":
            raise UserError(f"executor=graph sums gradients in one way, and {asked} in another. Leave one out.")
        if plan.local_steps:
            return partial(LocalSteps, steps=plan.local_steps)
        return partial(CanonicalShards, shards=plan.shards)
    kinds: dict[str, type[Executor]] = {"eager": Eager, "graph": CudaGraph}
    past = any(plan.delayed().values()) or bool(plan.historical())
    kinds["auto"] = CudaGraph if device.type == "cuda" and not past else Eager
    return kinds[name]
