"""Networks that name every pixel of a scene, at full size with rates of dilation or with poolings between.

Claims are made of it, each of two networks with as many weights.
"""

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, activated
from ganvas.claims.batched.scene_maps import SCOPE, THINGS, MapNetwork, NamingTask, misnamed
from ganvas.claims.judging.claim import Direction, Experiment, Source

WIDTH, STEPS, PICTURES, LAYERS = 8, 150, 256, 3
YU = partial(
    Source,
    who="Yu & Koltun 2016, Multi-Scale Context Aggregation by Dilated Convolutions",
    link="https://arxiv.org/abs/1511.07122",
)
WANG = partial(
    Source,
    who="Wang et al. 2018, Understanding Convolution for Semantic Segmentation, section 3.2",
    link="https://arxiv.org/abs/1702.08502",
)
TASK = f"{LAYERS} convolutions of 3 by 3 and {WIDTH} maps, {OF_ROWS}; pixels of {SCOPE}, {STEPS} steps"


def pixels_named(
    statement: str, first: str, second: str, *, says: Direction, sources: tuple[Source, ...]
) -> Experiment:
    """The claim that one network names more (less, as many) pixels wrongly than another."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        return misnamed(partial(network, arm), seeds, NamingTask(steps=steps, pictures=PICTURES, pixels=True))

    return Experiment(
        statement=statement,
        sources=sources,
        scope=TASK,
        arms=(first, second),
        estimand="share of pixels of other pictures that are named wrongly",
        says=says,
        unit="of all",
        smallest_effect=0.01,
        seeds=8,
        run=run,
        rehearsal=partial(run, steps=2),
    )


def network(name: str, layers: Convolutions) -> MapNetwork:
    """By its name: "rates 1, 2, 4", or "poolings", which halve twice and enlarge bilinearly in the end."""
    rates = (1,) * LAYERS if name == "poolings" else tuple(map(int, name.removeprefix("rates ").split(", ")))
    convolutions = [layers(WIDTH if place else 3, WIDTH) for place in range(LAYERS)]
    last = layers(WIDTH, THINGS, 1)

    def named(x: Maps) -> Maps:
        size = x.shape[2:]
        for place, (convolution, rate) in enumerate(zip(convolutions, rates, strict=True)):
            if name == "poolings" and place:
                x = F.max_pool2d(x, 2)
            x = activated(convolution(x, rate=rate))
        return F.interpolate(last(x), size, mode="bilinear") if name == "poolings" else last(x)

    return named
