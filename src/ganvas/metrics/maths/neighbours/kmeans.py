"""k-means over sets of features, several runs at once, seeded.

Every run starts from k-means++ seeds (Arthur & Vassilvitskii 2007) drawn on a sample of the rows, and goes on by
Lloyd's iteration until no row changes its cluster. All runs share each reading of the rows.

Memory: one block of rows, and its distances to all centres.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from ganvas.core.progress import progress
from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.maths.neighbours import nearest_neighbours
from ganvas.metrics.maths.neighbours.nearest_neighbours import SearchedRows

ITERATIONS = 100
SAMPLE = 4096  # Rows on which seeds are drawn.
BLOCK = 2048

Centres = Float64[Tensor, "runs k d"]


def cluster(
    sets: Sequence[FeatureRows | Float[Tensor, "_ d"]], *, clusters: int, runs: int, seed: int, quiet: bool = True
) -> list[Int64[Tensor, "n runs"]]:
    """The cluster of every row of every set, in every run, of all sets clustered together."""
    points = nearest_neighbours.together(*sets)
    centres = _seeds(_sample(points, seed=seed), clusters, runs, seed=seed)
    labels = [torch.full((part.n, runs), -1, dtype=torch.int64) for part in points]
    with progress("clusters", ITERATIONS, unit="rounds", quiet=quiet) as report:
        for done in range(ITERATIONS):
            centres, changed = _round(points, centres, labels)
            report(done + 1 if changed else ITERATIONS)
            if not changed:
                break
    return labels


def _round(points: Sequence[SearchedRows], centres: Centres, labels: list[Tensor]) -> tuple[Centres, bool]:
    """Gives every row to its nearest centre, and moves every centre to the mean of its rows."""
    runs, k, d = centres.shape
    sums, counts, changed = torch.zeros(runs * k, d, dtype=torch.float64), torch.zeros(runs * k), False
    offset = torch.arange(runs) * k
    for part, own in zip(points, labels, strict=True):
        for places in part.blocks(BLOCK):
            rows = part.centred(places, torch.float64)
            nearest = _squared(rows, centres.flatten(0, 1)).unflatten(1, (runs, k)).argmin(2)
            changed = changed or not torch.equal(nearest, own[places])
            own[places] = nearest
            member = torch.zeros(len(rows), runs * k, dtype=torch.float64)
            member.scatter_(1, nearest + offset, 1.0)
            sums.addmm_(member.T, rows)
            counts = counts + member.sum(0)
    means = sums / counts.clamp_min(1)[:, None]
    moved = torch.where(counts[:, None] > 0, means, centres.flatten(0, 1))  # One without rows stays where it is.
    return moved.view(runs, k, d), changed


def _sample(points: Sequence[SearchedRows], *, seed: int) -> Float64[Tensor, "s d"]:
    """Rows of all sets, as many of each as its share."""
    total = sum(part.n for part in points)
    rows = []
    for number, part in enumerate(points):
        few = max(1, round(min(SAMPLE, total) * part.n / total))
        rows.append(part.centred(torch.randperm(part.n, generator=stream(seed, "sample", number))[:few], torch.float64))
    return torch.cat(rows)


def _seeds(rows: Float64[Tensor, "s d"], clusters: int, runs: int, *, seed: int) -> Centres:
    """k-means++: each next seed is a row, drawn in proportion to its squared distance from the nearest seed so far."""
    found = []
    for run in range(runs):
        random = stream(seed, "seeds", run)
        chosen = [int(torch.randint(len(rows), (1,), generator=random))]
        squared = _squared(rows, rows[chosen])[:, 0]
        for _ in range(clusters - 1):
            weights = squared if squared.sum() > 0 else torch.ones_like(squared)
            chosen.append(int(torch.multinomial(weights, 1, generator=random)))
            squared = torch.minimum(squared, _squared(rows, rows[chosen[-1:]])[:, 0])
        found.append(rows[chosen])
    return torch.stack(found)


def _squared(rows: Float[Tensor, "n d"], centres: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    lengths = rows.square().sum(1)[:, None] + centres.square().sum(1)
    return lengths.addmm_(rows, centres.T, alpha=-2).clamp_min_(0)
