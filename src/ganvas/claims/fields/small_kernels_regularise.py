"""Small kernels regularise: three layers of 3 by 3 overfit less than one of 7 by 7 with as many weights."""

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, activated
from ganvas.claims.batched.scene_maps import LANDSCAPES, SCOPE, MapNetwork, NamingTask, misnamed
from ganvas.claims.judging.claim import Experiment, Source

STEPS, PICTURES = 100, 64
SMALL, LARGE = "three of 3 by 3", "one of 7 by 7"
KERNELS = {SMALL: (3, 3, 3), LARGE: (7,)}
WIDTHS = {SMALL: 11, LARGE: 8}  # 3,267 and 3,136 weights between as many maps.


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The share of landscapes of other pictures that are named wrongly."""
    return misnamed(partial(_network, arm), seeds, NamingTask(steps=steps, pictures=PICTURES))


def _network(arm: str, layers: Convolutions) -> MapNetwork:
    """A first convolution of 3 by 3 and a pooling, then the field in question, and the mean over places."""
    width = WIDTHS[arm]
    first, last = layers(3, width), layers(width, LANDSCAPES, 1)
    convolutions = [layers(width, width, kernel) for kernel in KERNELS[arm]]

    def network(x: Maps) -> Maps:
        x = F.max_pool2d(activated(first(x)), 2)
        for convolution in convolutions:
            x = activated(convolution(x))
        return last(x)

    return network


CLAIM = Experiment(
    statement="Of few pictures a classifier of three layers of 3 by 3 learns with fewer errors than one of 7 by 7.",
    sources=(
        Source(
            who="Simonyan & Zisserman 2015, Very Deep Convolutional Networks, section 2.3",
            stance="agrees",
            link="https://arxiv.org/abs/1409.1556",
        ),
    ),
    scope=f"as many weights, {OF_ROWS}, {PICTURES} pictures to learn from, landscapes of {SCOPE}, {STEPS} steps",
    arms=(SMALL, LARGE),
    estimand="share of other pictures whose landscape is named wrongly",
    says="less",
    unit="of all",
    smallest_effect=0.02,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=2),
)
