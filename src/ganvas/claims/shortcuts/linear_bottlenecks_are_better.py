"""Linear bottlenecks are better: a ReLU at the narrow end of a block costs what it wipes out there."""

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, activated
from ganvas.claims.batched.scene_maps import LANDSCAPES, SCOPE, MapNetwork, NamingTask, misnamed
from ganvas.claims.judging.claim import Experiment, Source

NARROW, WIDE, BLOCKS = 4, 16, 3
STEPS, PICTURES = 100, 64
LINEAR = "linear narrow ends"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The share of landscapes of other pictures that are named wrongly."""
    return misnamed(partial(_network, arm == LINEAR), seeds, NamingTask(steps=steps, pictures=PICTURES))


def _network(linear: bool, layers: Convolutions) -> MapNetwork:
    """Blocks that widen, convolve and narrow, each added to what came to it."""
    first, last = layers(3, NARROW), layers(NARROW, LANDSCAPES, 1)
    blocks = [(layers(NARROW, WIDE, 1), layers(WIDE, NARROW, 3)) for _ in range(BLOCKS)]

    def network(x: Maps) -> Maps:
        x = activated(first(x, stride=2))
        for widen, narrow in blocks:
            y = F.batch_norm(narrow(activated(widen(x))), None, None, training=True)
            x = x + (y if linear else F.relu(y))
        return last(x)

    return network


CLAIM = Experiment(
    statement="A classifier whose narrow ends are linear makes fewer errors than one with ReLUs there.",
    sources=(
        Source(
            who="Sandler et al. 2018, MobileNetV2, section 6.4",
            stance="agrees",
            link="https://arxiv.org/abs/1801.04381",
        ),
    ),
    scope=f"{BLOCKS} residual blocks of {NARROW}, {WIDE} and {NARROW} maps, {OF_ROWS}, "
    f"{PICTURES} landscapes to learn from, {SCOPE}, {STEPS} steps",
    arms=(LINEAR, "ReLUs at narrow ends"),
    estimand="share of other pictures whose landscape is named wrongly",
    says="less",
    unit="of all",
    smallest_effect=0.02,
    seeds=24,
    run=run,
    rehearsal=partial(run, steps=2),
)
