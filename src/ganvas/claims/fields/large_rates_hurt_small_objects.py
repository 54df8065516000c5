"""Large dilation rates hurt small objects."""

from collections.abc import Sequence
from functools import partial

from ganvas.claims.batched.scene_maps import NamingTask, drawn, trained
from ganvas.claims.fields._dense_output import PICTURES, STEPS, TASK, WANG, network
from ganvas.claims.judging.claim import Experiment
from ganvas.data.scenes.scenes import MASK_NAMES

SMALL = MASK_NAMES.index("tree")  # It and all behind it are things that stand in the landscape.
RATES = ("rates 1, 4, 4", "rates 1, 1, 1")


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The share of pixels of trees, houses and the like that are named wrongly."""
    task = NamingTask(steps=steps, pictures=PICTURES, pixels=True)
    nets = trained(partial(network, arm), seeds, task)
    truth = drawn(nets.seeds, task.pictures, held_out=True).things
    wrong = nets.named() != truth
    return [float(one[of >= SMALL].double().mean()) for one, of in zip(wrong, truth, strict=True)]


CLAIM = Experiment(
    statement="With rates of 1, 4 and 4 more pixels of small objects are named wrongly than without dilation.",
    sources=(WANG(stance="agrees"),),
    scope=TASK,
    arms=RATES,
    estimand="share of pixels of trees, houses, boats and the like in other pictures that are named wrongly",
    says="more",
    unit="of all",
    smallest_effect=0.02,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=2),
)
