"""Pictures lie on a manifold of few dimensions.

Facco et al. 2017, Estimating the intrinsic dimension of datasets by a minimal neighborhood information, reads the
dimension from the ratio of the distances to the second and the first neighbour, ``d = n / sum log(r2 / r1)``. Far from
their neighbours, samples seem to have fewer dimensions than they have, pictures and their shuffled twins alike.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.data.scenes.scenes import Scenes

SIDE, PICTURES = 16, 500
SCENES, SHUFFLED = "scenes", "every pixel's values dealt to other pictures"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """The dimension that two neighbours tell."""
    return [_dimension(_rows(arm, seed)) for seed in seeds]


def _rows(arm: str, seed: int) -> Float[Tensor, "n d"]:
    images, _, _ = Scenes(SIDE, SIDE, count=PICTURES, seed=seed).pictures(0, PICTURES)
    rows = torch.from_numpy(images).flatten(1).double()
    if arm == SCENES:
        return rows
    order = torch.rand(rows.shape, generator=torch.Generator().manual_seed(seed)).argsort(0)
    return rows.gather(0, order)


def _dimension(rows: Float[Tensor, "n d"]) -> float:
    nearest = torch.cdist(rows, rows).fill_diagonal_(torch.inf).topk(2, 1, largest=False).values
    return float(len(rows) / (nearest[:, 1] / nearest[:, 0]).log().sum())


CLAIM = Experiment(
    statement="Pictures of 768 numbers have far fewer dimensions than independent pixels have.",
    sources=(
        Source(who="the manifold hypothesis", stance="agrees"),
        Source(
            who="Pope et al. 2021, The Intrinsic Dimension of Images and Its Impact on Learning",
            stance="agrees",
            link="https://arxiv.org/abs/2104.08894",
        ),
    ),
    scope=f"{PICTURES} scenes of {SIDE} x {SIDE} pixels",
    arms=(SCENES, SHUFFLED),
    estimand="dimension by two neighbours",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=4.0,
    seeds=8,
    run=run,
)
