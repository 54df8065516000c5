"""Stacks of small kernels against one large kernel that sees as far: weights, work, field and time.

Simonyan & Zisserman 2015, VGG, section 2.3 (https://arxiv.org/abs/1409.1556): three 3x3 layers see 7 x 7 pixels with
27 C^2 weights, one 7x7 layer needs 49 C^2, 81 % more; two see 5 x 5 with 18 C^2 against 25 C^2. Beside them stand the
forms that came later: 1xn and nx1 (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567), and a depthwise large kernel
with a 1x1 layer.

Everything is read off a trace of the stacks, as for any network. Time is another matter than work: it is measured.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from ganvas.anatomy.fields.receptive_field import cumulative
from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError
from ganvas.core.seeds import stream

ROUNDS, LEAST = 15, 0.02  # Interleaved rounds of at least so many seconds.


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Of a forward pass, over interleaved rounds."""

    seconds: float  # Median.
    ratio: float  # Median over rounds of the time by that of the one large kernel.
    lower: float  # Quartiles of the ratio.
    upper: float
    rounds: int
    threads: int
    device: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One way to see so far. Biases are left out, as in the paper's count."""

    name: str
    layers: int
    parameters: int
    per_square: float  # Parameters by C^2.
    more_parameters: float  # Of the one large kernel over this: 0.815 means 81.5 % more.
    macs: int
    field: int  # Side, pixels.
    activations: int  # Values that are kept for the backward pass, of one picture.
    time: Timing | None = None


def compare_kernels(
    *,
    channels: int = 64,
    size: int = 56,
    large: int = 7,
    batch: int = 1,
    timed: bool = False,
    threads: int | None = None,
    device: str = "cpu",
) -> list[Stack]:
    """The one large kernel first, then the stacks that see as far.

    Args:
        channels: In and out of every layer.
        size: Side of the picture.
        large: Side of the large kernel, odd.
        batch: Pictures, for the time.
        timed: Measure it. Stacks run one after the other in every round, so that a busy machine is busy for all.
        threads: Of torch, for the time; as it is where left out.

    Raises:
        UserError: a size below 1, or an even or too small kernel.
    """
    for name, number in (("channels", channels), ("size", size), ("batch", batch)):
        if number < 1:
            raise UserError(f"{name}={number} must be 1 or more.")
    if large < 3 or large % 2 == 0:
        raise UserError(f"large={large}: give an odd side of at least 3, which a stack of 3x3 can reach: 5, 7, 9.")
    if threads is not None and threads < 1:
        raise UserError(f"threads={threads} must be 1 or more.")
    makers = _makers(channels, large)
    found = [_described(name, make, channels, size) for name, make in makers.items()]
    if not timed:
        return [_beside(stack, found[0], None) for stack in found]
    times = _timed(makers, (batch, channels, size, size), threads, device)
    return [_beside(stack, found[0], times[stack.name]) for stack in found]


def _makers(channels: int, large: int) -> dict[str, Callable[[], nn.Module]]:
    def one(side: int | tuple[int, int], *, groups: int = 1) -> nn.Module:
        sides = (side, side) if isinstance(side, int) else side
        padding = (sides[0] // 2, sides[1] // 2)
        return nn.Conv2d(channels, channels, sides, padding=padding, groups=groups, bias=False)

    def stack(*parts: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        return lambda: nn.Sequential(*(layer for part in parts for layer in (part(), nn.ReLU())))

    steps = large // 2
    named = {
        f"{large}x{large}": stack(lambda: one(large)),
        f"{steps} x 3x3": stack(*(lambda: one(3) for _ in range(steps))),
        f"1x{large}, {large}x1": stack(lambda: one((1, large)), lambda: one((large, 1))),
        f"{large}x{large} depthwise, 1x1": stack(lambda: one(large, groups=channels), lambda: one(1)),
        f"{steps} x 3x3 depthwise, 1x1": stack(
            *(part for _ in range(steps) for part in (lambda: one(3, groups=channels), lambda: one(1)))
        ),
    }
    return named if steps > 1 else {name: make for name, make in named.items() if not name.startswith("1 x")}


def _described(name: str, make: Callable[[], nn.Module], channels: int, size: int) -> Stack:
    with torch.device("meta"):
        model = make()
    side = max(size, 1)
    graph = trace(model, (1, channels, side, side), name=name)
    reach = cumulative(graph)[graph.output[0]]
    convolutions = [node for node in graph.nodes if node.op == "conv2d"]
    return Stack(
        name=name,
        layers=len(convolutions),
        parameters=graph.parameters,
        per_square=graph.parameters / channels**2,
        more_parameters=0.0,
        macs=graph.macs,
        field=0 if reach is None else reach[0],
        activations=sum(math.prod(node.shape) for node in convolutions),
    )


def _beside(stack: Stack, one: Stack, timing: Timing | None) -> Stack:
    return Stack(**{**vars(stack), "more_parameters": one.parameters / stack.parameters - 1, "time": timing})


def _timed(
    makers: Mapping[str, Callable[[], nn.Module]], shape: tuple[int, ...], threads: int | None, device: str
) -> dict[str, Timing]:
    before = torch.get_num_threads()
    x = torch.randn(shape, generator=stream(0, "compare-kernels")).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = {name: make().to(device).eval() for name, make in makers.items()}
    try:
        torch.set_num_threads(threads or before)
        with torch.inference_mode():
            repeats = {name: _repeats(model, x) for name, model in models.items()}
            rounds = [
                {name: _seconds(model, x, repeats[name]) for name, model in models.items()} for _ in range(ROUNDS)
            ]
        used = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
    first = next(iter(makers))
    found = {}
    for name in makers:
        ratios = [each[name] / each[first] for each in rounds]
        lower, ratio, upper = statistics.quantiles(ratios, n=4, method="inclusive")
        found[name] = Timing(
            seconds=statistics.median(each[name] for each in rounds),
            ratio=ratio,
            lower=lower,
            upper=upper,
            rounds=ROUNDS,
            threads=used,
            device=device,
        )
    return found


def _repeats(model: nn.Module, x: torch.Tensor) -> int:
    """How often to run for a round that a clock can tell; the first run, which chooses algorithms, is not counted."""
    model(x)
    return max(1, math.ceil(LEAST / max(_seconds(model, x, 1), 1e-9)))


def _seconds(model: nn.Module, x: torch.Tensor, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        model(x)
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return (time.perf_counter() - start) / repeats
