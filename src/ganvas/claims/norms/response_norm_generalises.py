"""Local response normalisation improves generalisation."""

from collections.abc import Sequence
from functools import partial

import torch.nn.functional as F

from ganvas.claims.batched.maps import Convolutions, Maps
from ganvas.claims.batched.scene_maps import BATCH, LANDSCAPES, SIDE, MapNetwork, NamingTask, misnamed
from ganvas.claims.judging.claim import Experiment, Source

WIDTH, STEPS, PICTURES, WINDOW, RATE = 8, 200, 64, 5, 0.01
SCENES = f"scenes of {SIDE} x {SIDE} pixels, stochastic descent at {RATE:g} with momentum, batch {BATCH}"
NORMED = "local response normalisation"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The share of landscapes of other pictures that are named wrongly."""
    return misnamed(
        partial(_network, len(seeds), arm == NORMED), seeds, NamingTask(steps=steps, pictures=PICTURES, lr=RATE)
    )


def _network(seeds: int, normed: bool, layers: Convolutions) -> MapNetwork:
    """Three convolutions, the first two with the norm behind their ReLUs, as AlexNet has it, and poolings."""
    convolutions = [layers(3, WIDTH), layers(WIDTH, 2 * WIDTH), layers(2 * WIDTH, 2 * WIDTH)]
    last = layers(2 * WIDTH, LANDSCAPES, 1)

    def network(x: Maps) -> Maps:
        for convolution in convolutions[:2]:
            x = F.relu(convolution(x))
            x = F.max_pool2d(_normed(x, seeds) if normed else x, 2)
        return last(F.relu(convolutions[2](x)))

    return network


def _normed(x: Maps, seeds: int) -> Maps:
    """By a window of channels, within each seed's own; with the constants of AlexNet (section 3.3)."""
    own = x.unflatten(1, (seeds, -1)).flatten(0, 1)
    return (
        F.local_response_norm(own, WINDOW, alpha=WINDOW * 1e-4, beta=0.75, k=2.0)
        .unflatten(0, (-1, seeds))
        .flatten(1, 2)
    )


CLAIM = Experiment(
    statement="A classifier with local response normalisation makes fewer errors on other pictures.",
    sources=(
        Source(
            who="Krizhevsky, Sutskever & Hinton 2012, ImageNet Classification with Deep Networks, section 3.3",
            stance="agrees",
            link="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        ),
        Source(
            who="Simonyan & Zisserman 2015, Very Deep Convolutional Networks, section 4.1",
            stance="denies",
            link="https://arxiv.org/abs/1409.1556",
        ),
    ),
    scope=f"three convolutions of 3 by 3, {PICTURES} landscapes to learn from, {SCENES}, {STEPS} steps",
    arms=(NORMED, "none"),
    estimand="share of other pictures whose landscape is named wrongly",
    says="less",
    unit="of all",
    smallest_effect=0.02,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=2),
)
