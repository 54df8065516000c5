"""Ways to halve maps in a classifier of scenes: poolings, strides and convolutions with strides.

Claims are made of it, each of two ways.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch.nn.functional as F

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, SeedwiseConvolution, activated
from ganvas.claims.batched.scene_maps import LANDSCAPES, SCOPE, MapNetwork, NamingTask, misnamed
from ganvas.claims.judging.claim import Experiment, Source

WIDTH, STEPS, PICTURES = 8, 100, 64
MAXIMA, AVERAGES, OVERLAPPING = "maxima of 2 by 2", "averages of 2 by 2", "maxima of 3 by 3 in steps of 2"
STRIDES, ADDED = "a stride of the convolution before", "a convolution of 2 by 2 in steps of 2"
POOLINGS: dict[str, Callable[[Maps], Maps]] = {
    MAXIMA: lambda x: F.max_pool2d(x, 2),
    AVERAGES: lambda x: F.avg_pool2d(x, 2),
    OVERLAPPING: lambda x: F.max_pool2d(x, 3, 2, 1),
}
SPRINGENBERG = partial(
    Source,
    who="Springenberg et al. 2015, Striving for Simplicity: The All Convolutional Net, table 3",
    link="https://arxiv.org/abs/1412.6806",
)


def better(statement: str, way: str, other: str, *, sources: tuple[Source, ...]) -> Experiment:
    """The claim that one way to halve maps leads to fewer errors than another."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        return misnamed(partial(_network, arm), seeds, NamingTask(steps=steps, pictures=PICTURES))

    return Experiment(
        statement=statement,
        sources=sources,
        scope=f"three convolutions of 3 by 3 and two halvings, {OF_ROWS}, {PICTURES} landscapes to learn from, "
        f"{SCOPE}, {STEPS} steps",
        arms=(way, other),
        estimand="share of other pictures whose landscape is named wrongly",
        says="less",
        unit="of all",
        smallest_effect=0.02,
        seeds=48,
        run=run,
        rehearsal=partial(run, steps=2),
    )


def _network(way: str, layers: Convolutions) -> MapNetwork:
    """Three convolutions; the first two are each followed by a halving."""
    convolutions = [layers(3, WIDTH), layers(WIDTH, 2 * WIDTH), layers(2 * WIDTH, 2 * WIDTH)]
    added = [layers(width, width, 2) for width in (WIDTH, 2 * WIDTH)] if way == ADDED else []
    last = layers(2 * WIDTH, LANDSCAPES, 1)

    def network(x: Maps) -> Maps:
        for place, convolution in enumerate(convolutions[:2]):
            x = activated(convolution(x, stride=2 if way == STRIDES else 1))
            x = _halved(x, way, added[place] if added else None)
        return last(activated(convolutions[2](x)))

    return network


def _halved(x: Maps, way: str, added: SeedwiseConvolution | None) -> Maps:
    if added is not None:
        return activated(added(x, stride=2))
    return POOLINGS[way](x) if way in POOLINGS else x
