"""Sets of pictures and what a small classifier makes of them: Inception scores and Frechet distances of its features.

Each seed has its own classifier, trained on its own scenes, and its own sets: pictures that it has not seen, one
picture of each class again and again, half of the classes, and noise that was pushed until the classifier is sure of
its class.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.batched.scene_classes import CLASSES, TASK, Net, Training, pictures, trained
from ganvas.claims.batched.stacks import Stack, dense, generators_of, normal
from ganvas.claims.judging.claim import Direction, Experiment, Source
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.maths.frechet import frechet_from_features

STEPS, PUSHES, COUNT = 300, 100, 256
PICTURES, OTHERS, REPEATED, HALF, PUSHED = (
    "pictures",
    "other pictures",
    "one of each class",
    "half of the classes",
    "noise",
)
SCOPE = f"a dense classifier of {CLASSES} {TASK}, {STEPS} steps, sets of {COUNT}"


def by_inception(shown: str, *, statement: str, says: Direction, sources: tuple[Source, ...]) -> Experiment:
    """A claim of the Inception score of a set, beside that of pictures."""
    return Experiment(
        statement=statement,
        sources=sources,
        scope=SCOPE,
        arms=(shown, PICTURES),
        estimand="Inception score",
        says=says,
        unit="times",
        ratio=True,
        smallest_effect=1.1,
        seeds=8,
        run=inception,
        rehearsal=partial(inception, steps=3),
    )


def by_frechet(
    shown: str, *, statement: str, says: Direction, sources: tuple[Source, ...], smallest_effect: float
) -> Experiment:
    """A claim of the Frechet distance of a set from pictures, beside that of other pictures."""
    return Experiment(
        statement=statement,
        sources=sources,
        scope=SCOPE,
        arms=(shown, OTHERS),
        estimand="Frechet distance of features",
        says=says,
        unit="times",
        ratio=True,
        smallest_effect=smallest_effect,
        seeds=8,
        run=frechet,
        rehearsal=partial(frechet, steps=3),
    )


def inception(name: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The Inception score of a set, by each seed's classifier."""
    stack, sets = _sets(seeds, steps, (name,))
    logits = dense(stack, sets[name], torch.relu).detach().double()
    return [float(inception_score(one, splits=1)[0]) for one in logits]


def frechet(name: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """The Frechet distance of a set from pictures, in the last hidden features of each seed's classifier."""
    stack, sets = _sets(seeds, steps, (PICTURES, name))
    features = [_features(stack, sets[one]).double() for one in (PICTURES, name)]
    return [frechet_from_features(a, b) for a, b in zip(*features, strict=True)]


def _sets(seeds: Sequence[int], steps: int, wanted: Sequence[str]) -> tuple[Stack, Mapping[str, Tensor]]:
    training = Training(steps=steps)
    stack = [part.detach() for part in trained(Net(depth=1), seeds, training).stack]
    _, _, x, labels = pictures(seeds, training.pictures)
    makers: Mapping[str, Callable[[], Tensor]] = {
        PICTURES: lambda: x[:, :COUNT],
        OTHERS: lambda: x[:, COUNT : 2 * COUNT],
        REPEATED: lambda: _of_classes(x, labels, range(CLASSES), each=1),
        HALF: lambda: _of_classes(x, labels, range(CLASSES // 2), each=COUNT),
        PUSHED: lambda: _pushed(stack, normal(generators_of(seeds), COUNT, x.shape[-1])),
    }
    return stack, {name: makers[name]() for name in wanted}


def _of_classes(x: Tensor, labels: Tensor, classes: Sequence[int], *, each: int) -> Tensor:
    """The first ``each`` pictures of some classes, repeated to a whole set."""
    chosen = []
    for own, marks in zip(x, labels, strict=True):
        rows = torch.cat([(marks == mark).nonzero()[:each, 0] for mark in classes])
        chosen.append(own[rows.repeat(-(-COUNT // len(rows)))[:COUNT]])
    return torch.stack(chosen)


def _pushed(stack: Stack, noise: Tensor) -> Tensor:
    """Noise after some steps of Adam towards the class that it is given, all classes equally often."""
    wanted = (torch.arange(COUNT) % CLASSES).expand(len(noise), -1)
    x = noise.clone().requires_grad_()
    ascent = torch.optim.Adam([x], lr=0.05)
    for _ in range(PUSHES):
        ascent.zero_grad()
        F.cross_entropy(dense(stack, x, torch.relu).flatten(0, 1), wanted.flatten(), reduction="sum").backward()
        ascent.step()
    return x.detach()


def _features(stack: Stack, x: Tensor) -> Tensor:
    return torch.relu(dense(stack[:-2], x, torch.relu))
