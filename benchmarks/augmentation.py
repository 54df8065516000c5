"""The cost of augmentation and check-ups: steps of GANs on a CPU with them, against the same steps without.

``ada`` at p = 0.5, where 15 pictures of 16 pass through the filters, and ``diff``. They cost as much per picture
whatever the networks are, so small networks pay the larger share. The variants are run in turn in one process, and
ratios are taken round by round, because the machine's speed drifts. A check-up is one look at 64 samples of each kind;
its share is of the steps between two check-ups of a run of 100 kimg.

``OMP_NUM_THREADS=1 python benchmarks/augmentation.py``; about a minute.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from history import record

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan import dcgan, progan, stylegan2
from ganvas.nn.layers.initialise import initialise
from ganvas.recipes.gan import dcgan as dcgan_recipes
from ganvas.recipes.gan import progan as progan_recipes
from ganvas.recipes.gan import stylegan2 as stylegan2_recipes
from ganvas.train.augmented import augmented
from ganvas.train.execution.executors import Eager
from ganvas.train.health.signs import vital_signs
from ganvas.train.health.specimens import specimens
from ganvas.train.plan import Plan
from ganvas.train.state import State, new_state
from ganvas.train.step import set_learning_rate

ROUNDS = 7
BETWEEN = 2500  # Samples between two check-ups of a run of 100 kimg.
GAMES = {
    "dcgan small": (dcgan, dcgan_recipes.small().config, ROUNDS),
    "progan small": (progan, progan_recipes.small().config, ROUNDS),
    "stylegan2 small": (stylegan2, stylegan2_recipes.small().config, ROUNDS),
    "stylegan2 wide": (stylegan2, replace(stylegan2_recipes.small().config, fmap_base=1024, fmap_max=256), 2),
}  # The last with four times the maps of its small preset, half of those of its paper.


def main() -> None:
    """Times presets at their full resolution, and records ratios."""
    torch.set_num_threads(1)
    for name, (module, config, rounds) in GAMES.items():
        plain, variants = game(module, config, "none"), {kind: game(module, config, kind) for kind in ("diff", "ada")}
        seconds: dict[str, list[float]] = {"none": [], "diff": [], "ada": [], "check_up": []}
        for round_number in range(rounds + 1):
            took = {kind: timed(steps_of(state)) for kind, state in (("none", plain), *variants.items())}
            took["check_up"] = timed(check_up_of(plain))
            if round_number:  # The first sets things up.
                for kind, value in took.items():
                    seconds[kind].append(value)
        values = {f"{kind}_ratio": ratio(seconds[kind], seconds["none"]) for kind in ("diff", "ada")}
        between = BETWEEN / plain.model.config.batch_size
        values["check_up_share"] = ratio(seconds["check_up"], seconds["none"]) / between
        record(f"augmentation.{name}", {**values, "step_sec": statistics.median(seconds["none"]), "threads": 1})


def game(module: object, config: object, augment: str) -> State:
    """A game at its start, at p = 0.5 where the augmentation is adaptive."""
    model = module.Model(config)
    initialise(model, stream(0, "weights"))
    augmented(model, Plan(augment=augment))
    if augment == "ada":
        model.augmentation.p.fill_(0.5)
    return new_state(model)


def pictures(state: State, n: int) -> torch.Tensor:
    picture = state.model.config.picture
    return torch.rand(n, picture.channels, *picture.size, generator=stream(n, "pictures")) * 2 - 1


def steps_of(state: State) -> Callable[[], None]:
    """One step of every phase, at the last stage."""
    stage = list(state.model.schedule().stages())[-1]
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    batch = Pictures(images=pictures(state, stage.batch_size))
    set_learning_rate(state, 0.0)  # Every round has the same work.
    return lambda: execute.step(batch, stage) and None


def check_up_of(state: State) -> Callable[[], None]:
    stage = list(state.model.schedule().stages())[-1]
    known = pictures(state, 256)
    looked_at = specimens(lambda rows: known[rows], len(known), seed=0, held_out=known[:64])
    return lambda: vital_signs(state, stage, looked_at, seed=0, counts=()) and None


def timed(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def ratio(values: list[float], by: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(values, by, strict=True))


if __name__ == "__main__":
    main()
