"""Convolutional networks on small scenes, trained for all seeds at once: to name the landscape, or every pixel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from ganvas.claims.batched.maps import Convolutions, Maps, apart, side_by_side
from ganvas.claims.batched.stacks import descend, generators_of, whole
from ganvas.data.scenes.scenes import CLASS_NAMES, MASK_NAMES, Scenes

SIDE, BATCH, LR, MOMENTUM, TESTED = 16, 16, 0.05, 0.9, 256
LANDSCAPES, THINGS = len(CLASS_NAMES), len(MASK_NAMES)
SCOPE = f"scenes of {SIDE} x {SIDE} pixels, stochastic descent at {LR:g} with momentum, batch {BATCH}"

MapNetwork = Callable[[Maps], Maps]
Build = Callable[[Convolutions], MapNetwork]


@dataclass(frozen=True, kw_only=True)
class DrawnScenes:
    """Scenes of every seed, of deviation 1 about 0, with the truth about them."""

    images: Float[Tensor, "seeds n 3 h w"]
    landscapes: Int64[Tensor, "seeds n"]
    things: Int64[Tensor, "seeds n h w"]


@dataclass(frozen=True, kw_only=True)
class NamingTask:
    """How networks are trained: on so many pictures, for so many steps, to name pixels or landscapes."""

    steps: int
    pictures: int
    lr: float = LR
    pixels: bool = False


@dataclass(frozen=True, kw_only=True)
class NamingNets:
    """Networks of all seeds after training."""

    network: MapNetwork
    seeds: tuple[int, ...]
    task: NamingTask

    def named(self, *, side: int = SIDE) -> Int64[Tensor, "seeds ..."]:
        """What they say of other pictures, drawn at any size."""
        with torch.no_grad():
            return _scores(self, drawn(self.seeds, self.task.pictures, held_out=True, side=side).images).argmax(2)


def misnamed(build: Build, seeds: Sequence[int], task: NamingTask) -> list[float]:
    """The share of landscapes, or of pixels, of other pictures that are named wrongly."""
    nets = trained(build, seeds, task)
    pictures = drawn(nets.seeds, task.pictures, held_out=True)
    truth = pictures.things if task.pixels else pictures.landscapes
    return (nets.named() != truth).double().flatten(1).mean(1).tolist()


def trained(build: Build, seeds: Sequence[int], task: NamingTask) -> NamingNets:
    """Trains a network for every seed; ``build`` takes its layers from what it is given."""
    generators = generators_of(seeds)
    layers = Convolutions(generators)
    network = build(layers)
    nets = NamingNets(network=network, seeds=tuple(seeds), task=task)
    pictures = drawn(nets.seeds, task.pictures, held_out=False)
    truth = pictures.things if task.pixels else pictures.landscapes
    descent = torch.optim.SGD(layers.stack, lr=task.lr, momentum=MOMENTUM)
    for _ in range(task.steps):
        rows = whole(generators, task.pictures, BATCH)
        seen, right = (
            torch.stack([x[row] for x, row in zip(of, rows, strict=True)]) for of in (pictures.images, truth)
        )
        scores = _scores(nets, seen)
        losses = F.cross_entropy(scores.flatten(0, 1), right.flatten(0, 1), reduction="none").unflatten(0, rows.shape)
        descend(losses.flatten(1).mean(1).sum(), descent, layers.stack)
    return nets


def _scores(nets: NamingNets, images: Float[Tensor, "seeds n 3 h w"]) -> Float[Tensor, "seeds n classes ..."]:
    """Of pixels, or of whole pictures by the mean over their pixels."""
    scores = apart(nets.network(side_by_side(images)), len(images))
    return scores if nets.task.pixels else scores.mean((3, 4))


@lru_cache(maxsize=4)
def drawn(seeds: tuple[int, ...], count: int, *, held_out: bool, side: int = SIDE) -> DrawnScenes:
    """So many pictures to train on, or others to test on: in both arms the same, and at every size the same scenes."""
    start, stop = (count, count + TESTED) if held_out else (0, count)
    parts = [Scenes(side, side, count=stop, seed=seed).pictures(start, stop) for seed in seeds]
    images, masks, labels = (torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))
    x = images.permute(0, 1, 4, 2, 3).float()
    x = (x - x.mean((1, 2, 3, 4), keepdim=True)) / x.std((1, 2, 3, 4), keepdim=True)
    return DrawnScenes(images=x, landscapes=labels, things=masks.long())
