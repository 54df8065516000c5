"""The size of pictures at test time may differ freely from that in training, where the last pooling takes any size."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, activated
from ganvas.claims.batched.scene_maps import LANDSCAPES, SCOPE, SIDE, MapNetwork, NamingTask, drawn, trained
from ganvas.claims.judging.claim import Experiment, Source

WIDTH, STEPS, PICTURES = 8, 200, 128
SIDES = {"tested at twice the size": 2 * SIDE, "tested at the size of training": SIDE}


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The share of landscapes of other pictures, the same at both sizes, that are named wrongly."""
    side, task = SIDES[arm], NamingTask(steps=steps, pictures=PICTURES)
    nets = trained(_network, seeds, task)
    truth = drawn(nets.seeds, task.pictures, held_out=True, side=side).landscapes
    return (nets.named(side=side) != truth).double().mean(1).tolist()


def _network(layers: Convolutions) -> MapNetwork:
    """Three convolutions, the first two in steps of 2; scores are means over places, so any size has them."""
    first, second, third = layers(3, WIDTH), layers(WIDTH, 2 * WIDTH), layers(2 * WIDTH, 2 * WIDTH)
    last = layers(2 * WIDTH, LANDSCAPES, 1)

    def network(x: Maps) -> Maps:
        x = activated(second(activated(first(x, stride=2)), stride=2))
        return last(activated(third(x)))

    return network


CLAIM = Experiment(
    statement="A classifier makes as many errors on pictures of twice the size as on those of the size of training.",
    sources=(
        Source(who="a common remark on networks with a pooling over all places", stance="agrees"),
        Source(
            who="Touvron et al. 2019, Fixing the train-test resolution discrepancy",
            stance="denies",
            link="https://arxiv.org/abs/1906.06423",
        ),
    ),
    scope=f"three convolutions of 3 by 3, {OF_ROWS}, landscapes of {SCOPE}, {STEPS} steps",
    arms=("tested at twice the size", "tested at the size of training"),
    estimand="share of other pictures whose landscape is named wrongly",
    says="same",
    unit="of all",
    smallest_effect=0.05,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=2),
)
