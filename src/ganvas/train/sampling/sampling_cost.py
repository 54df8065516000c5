"""Cost of drawing one picture with a trained model: arithmetic, evaluations of the network, time on this machine."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganvas.core.shapes import Bytes
from ganvas.losses.capabilities import DrawsFromMemory
from ganvas.report.web.comparison.compared import SamplingCost
from ganvas.train.trained import Trained

MOST_TIMES, BUDGET_SECONDS = 5, 2.0  # Of timing; the first draw is always finished.


def sampling_cost(trained: Trained, *, batch: int = 16, seed: int = 0) -> tuple[SamplingCost, Bytes]:
    """Draws one picture under a counter, then ``batch`` of them against the clock; with those that were drawn."""
    model = trained.model
    with calls_counted(model) as calls, FlopCounterMode(display=False) as counter:
        _drawn(trained, 1, seed)
    seconds, pictures = _timed(trained, batch, seed)
    from_memory = isinstance(model, DrawsFromMemory)  # Which runs parts of its layers, where no call is seen.
    cost = SamplingCost(
        macs=counter.get_total_flops() / 2,
        evaluations=model.evaluations if from_memory else max(calls.values()),
        parameters=_size(model.modules() if from_memory else calls),
        milliseconds=1000 * seconds / batch,
        batch=batch,
    )
    return cost, pictures


@contextmanager
def calls_counted(model: nn.Module) -> Iterator[Counter[nn.Module]]:
    """While inside, counts how often each module with weights of its own is called."""
    calls: Counter[nn.Module] = Counter()
    own = [module for module in model.modules() if any(True for _ in module.parameters(recurse=False))]
    handles = [module.register_forward_pre_hook(lambda called, _: calls.update((called,))) for module in own]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _size(modules: Iterable[nn.Module]) -> int:
    """Parameters of modules themselves, without those of their parts; a shared one counts once."""
    found = {id(p): p.numel() for module in modules for p in module.parameters(recurse=False)}
    return sum(found.values())


def _timed(trained: Trained, batch: int, seed: int) -> tuple[float, Bytes]:
    """The least seconds of some draws, and what they drew: the same each time."""
    tries: list[float] = []
    while True:
        started = time.perf_counter()
        pictures = _drawn(trained, batch, seed)
        tries.append(time.perf_counter() - started)
        if len(tries) == MOST_TIMES or sum(tries) > BUDGET_SECONDS:
            return min(tries), pictures


def _drawn(trained: Trained, n: int, seed: int) -> Bytes:
    return torch.cat(list(trained.sample_bytes(n, seed=seed, batch=n)))  # On the CPU: the device has finished.
