"""Sets of scenes, and what metrics of pixels say of them: MS-SSIM of pairs, and the sliced Wasserstein distance."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source
from ganvas.claims.scores._sources import KARRAS
from ganvas.data.scenes.scenes import CLASS_NAMES, Scenes
from ganvas.metrics import swd
from ganvas.metrics.ms_ssim import ms_ssim

SIDE, COUNT, FEW = 32, 128, 8
PICTURES, OTHERS, REPEATED, HALF, MOVED = (
    "pictures",
    "other pictures",
    f"{FEW} pictures again and again",
    "half of the classes",
    "quarters moved",
)
SCOPE = f"sets of {COUNT} scenes of {SIDE} x {SIDE} pixels"


def by_similarity(shown: str, *, statement: str, sources: tuple[Source, ...], seeds: int) -> Experiment:
    """The claim that pairs of a set are more alike by MS-SSIM than pairs of pictures."""
    return Experiment(
        statement=statement,
        sources=sources,
        scope=SCOPE,
        arms=(shown, PICTURES),
        estimand="mean MS-SSIM of pairs",
        says="more",
        unit="of 1",
        smallest_effect=0.05,
        seeds=seeds,
        run=similarity,
        rehearsal=partial(similarity, count=16),
    )


def by_swd(shown: str, *, statement: str) -> Experiment:
    """The claim that a set is further from pictures by the sliced Wasserstein distance than other pictures are."""
    return Experiment(
        statement=statement,
        sources=(KARRAS(stance="agrees"),),
        scope=SCOPE,
        arms=(shown, OTHERS),
        estimand="sliced Wasserstein distance",
        says="more",
        unit="times",
        ratio=True,
        smallest_effect=1.5,
        seeds=8,
        run=sliced,
        rehearsal=partial(sliced, count=16),
    )


def similarity(name: str, seeds: Sequence[int], *, count: int = COUNT) -> list[float]:
    """Mean MS-SSIM of the pictures 2i and 2i + 1 of a set."""
    return [float(ms_ssim(rows[::2].float(), rows[1::2].float()).mean()) for rows in _sets(name, seeds, count)]


def sliced(name: str, seeds: Sequence[int], *, count: int = COUNT) -> list[float]:
    """Sliced Wasserstein distance of a set from pictures, times 1,000."""
    config = swd.Config(patches=32, directions=128)
    found = []
    for rows, reals in zip(_sets(name, seeds, count), _sets(PICTURES, seeds, count), strict=True):
        sides = [swd.Accumulator(seed=0, config=config) for _ in range(2)]
        for side, pictures in zip(sides, (reals, rows), strict=True):
            side.update(pictures)
        found.append(swd.compare(*sides)[0].value)
    return found


def _sets(name: str, seeds: Sequence[int], count: int) -> list[Tensor]:
    return [_set(name, seed, count) for seed in seeds]


def _set(name: str, seed: int, count: int) -> Tensor:
    """Pictures as bytes (n, c, h, w), in a random order, so that neighbours are pairs by chance."""
    images, _, labels = Scenes(SIDE, SIDE, count=4 * count, seed=seed).pictures(0, 4 * count)
    rows = torch.from_numpy(images).permute(0, 3, 1, 2)
    generator = torch.Generator().manual_seed(seed)
    if name == PICTURES:
        return rows[:count]
    others = rows[count:]
    if name == REPEATED:
        return others[torch.randint(FEW, (count,), generator=generator)]
    if name == HALF:
        return others[torch.from_numpy(labels[count:] < len(CLASS_NAMES) // 2)][:count]
    return _moved(others[:count], generator) if name == MOVED else others[:count]


def _moved(rows: Tensor, generator: torch.Generator) -> Tensor:
    """The four quarters of every picture in a random order of its own."""
    half = SIDE // 2
    quarters = rows.unfold(2, half, half).unfold(3, half, half).flatten(2, 3)  # (n, c, 4, half, half)
    order = torch.rand(len(rows), 4, generator=generator).argsort(1)[:, None, :, None, None].expand_as(quarters)
    mixed = quarters.gather(2, order).unflatten(2, (2, 2))
    return mixed.permute(0, 1, 2, 4, 3, 5).reshape(rows.shape)
