"""U-Nets of three sizes whose links concatenate, sum, or do one of each, with nearly as many weights.

Two claims are made of it.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, activated, apart, side_by_side
from ganvas.claims.batched.scene_maps import SCOPE, THINGS, MapNetwork, NamingTask, misnamed
from ganvas.claims.judging.claim import Experiment, Source

STEPS, PICTURES = 150, 256
CONCATENATED, SUMMED, BOTH = "concatenating links", "summing links", "one link of each kind"
WIDTHS = {CONCATENATED: 8, BOTH: 9, SUMMED: 10}  # 3,456, 3,645 and 3,600 weights between maps.
JOINS = {CONCATENATED: (True, True), BOTH: (True, False), SUMMED: (False, False)}
RONNEBERGER = partial(
    Source,
    who="Ronneberger, Fischer & Brox 2015, U-Net",
    link="https://arxiv.org/abs/1505.04597",
)


def links_are_better(statement: str, links: str, others: str, *, sources: tuple[Source, ...]) -> Experiment:
    """The claim that with some links fewer pixels are named wrongly than with others."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        task = NamingTask(steps=steps, pictures=PICTURES, pixels=True)
        return misnamed(partial(_network, len(seeds), arm), seeds, task)

    return Experiment(
        statement=statement,
        sources=sources,
        scope=f"U-Nets of two links and about 3,500 weights, {OF_ROWS}, pixels of {SCOPE}, {STEPS} steps",
        arms=(links, others),
        estimand="share of pixels of other pictures that are named wrongly",
        says="less",
        unit="of all",
        smallest_effect=0.01,
        seeds=8,
        run=run,
        rehearsal=partial(run, steps=2),
    )


def _network(seeds: int, links: str, layers: Convolutions) -> MapNetwork:
    """Down by maxima, up bilinearly; the deeper link comes first."""
    width, joins = WIDTHS[links], JOINS[links]
    down = [layers(3, width), layers(width, width), layers(width, width)]
    up = [layers(width * (1 + join), width) for join in joins]
    last = layers(width, THINGS, 1)

    def joined(x: Maps, link: Maps, join: bool) -> Maps:
        x = F.interpolate(x, link.shape[2:], mode="bilinear")
        return side_by_side(torch.cat([apart(x, seeds), apart(link, seeds)], 2)) if join else x + link

    def network(x: Maps) -> Maps:
        fine = activated(down[0](x))
        middle = activated(down[1](F.max_pool2d(fine, 2)))
        x = activated(down[2](F.max_pool2d(middle, 2)))
        for convolution, link, join in zip(up, (middle, fine), joins, strict=True):
            x = activated(convolution(joined(x, link, join)))
        return last(x)

    return network
