"""Growing is faster: a generator that begins with small pictures comes nearer to the data by as many pictures.

Both networks begin at 4 x 4 and get a layer each for 8 x 8 and for 16 x 16, after a third of the steps and after two;
the others are of 16 x 16 from their first step, which takes more seconds as well. A new layer is there at once and not
faded in. That growing is stabler is not asked here.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.adversaries import Adversary, Bout, Samples, play
from ganvas.claims.batched.maps import Convolutions, apart, side_by_side
from ganvas.claims.batched.scene_maps import SIDE, TESTED, drawn
from ganvas.claims.batched.stacks import Generators, Stack, generators_of, layers, leaky, normal, whole
from ganvas.claims.judging.claim import Experiment, Source

STEPS, BATCH, PENALTY, WIDTH, LATENTS = 9000, 16, 1.0, 16, 16
FIRST, SIZES = 4, 3  # The smallest side, and how many there are, each twice the one before.
PICTURES, AXES = 512, 128
GROWN, WHOLE = "grown from 4 x 4", "16 x 16 from the start"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Sliced distance of what the generator's average draws from other scenes, at the end."""
    generators = generators_of(seeds)
    makers, judges = _makers(generators), _judges(generators)
    average = Adversary(stack=[])
    for size in range(SIZES) if arm == GROWN else [SIZES - 1] * SIZES:
        maker, judge = Adversary(stack=makers[size], of=_made), Adversary(stack=judges[size], of=_judged)
        law = partial(_scenes, tuple(seeds), FIRST * 2**size)
        bout = Bout(steps=steps // SIZES, batch=BATCH, penalty=PENALTY)
        average = play(maker, judge, law, generators, bout, latents=LATENTS)
    with torch.no_grad():
        made = average(normal(generators, TESTED, LATENTS))
    return _distances(made, drawn(tuple(seeds), PICTURES, held_out=True).images.flatten(2), generators)


def _makers(generators: Generators) -> list[Stack]:
    """A generator's weights at every size, those of larger ones with those of smaller ones among them."""
    make = Convolutions(generators)
    make(LATENTS, FIRST**2 * WIDTH, 1)
    for _ in range(1, SIZES):
        make(WIDTH, WIDTH)
    for _ in range(SIZES):
        make(WIDTH, 3, 1)
    grown, colours = make.stack[: 2 * SIZES], make.stack[2 * SIZES :]
    return [grown[: 2 * size + 2] + colours[2 * size : 2 * size + 2] for size in range(SIZES)]


def _judges(generators: Generators) -> list[Stack]:
    """A discriminator's weights at every size, the layer next to the picture first."""
    make = Convolutions(generators)
    for _ in range(SIZES):
        make(3, WIDTH, 1)
    for _ in range(1, SIZES):
        make(WIDTH, WIDTH)
    make(WIDTH, 1, FIRST)
    colours, shrunk = make.stack[: 2 * SIZES], make.stack[2 * SIZES :]
    return [colours[2 * size : 2 * size + 2] + shrunk[2 * (SIZES - 1 - size) :] for size in range(SIZES)]


def _made(stack: Stack, latents: Float[Tensor, "seeds n latents"]) -> Samples:
    """Pictures as rows."""
    seeds = len(latents)
    (first, bias), *enlarged, colours = layers(stack)
    x = leaky(F.conv2d(side_by_side(latents[..., None, None]), first, bias, groups=seeds))
    x = x.flatten(1).unflatten(1, (seeds * WIDTH, FIRST, FIRST))
    for weight, bias in enlarged:
        x = leaky(F.conv2d(F.interpolate(x, scale_factor=2.0), weight, bias, padding=1, groups=seeds))
    return apart(F.conv2d(x, *colours, groups=seeds), seeds).flatten(2)


def _judged(stack: Stack, rows: Samples) -> Tensor:
    """One number per picture."""
    seeds, side = len(rows), round((rows.shape[2] / 3) ** 0.5)
    colours, *shrunk, last = layers(stack)
    x = leaky(F.conv2d(side_by_side(rows.unflatten(2, (3, side, side))), *colours, groups=seeds))
    for weight, bias in shrunk:
        x = F.avg_pool2d(leaky(F.conv2d(x, weight, bias, padding=1, groups=seeds)), 2)
    return apart(F.conv2d(x, *last, groups=seeds), seeds).flatten(2)


def _scenes(seeds: tuple[int, ...], side: int, generators: Generators, n: int) -> Samples:
    """Scenes of every seed, reduced to a side, as rows."""
    images = drawn(seeds, PICTURES, held_out=False).images
    chosen = torch.stack([one[row] for one, row in zip(images, whole(generators, PICTURES, n), strict=True)])
    return F.avg_pool2d(chosen.flatten(0, 1), SIDE // side).unflatten(0, (len(seeds), n)).flatten(2)


def _distances(rows: Samples, others: Samples, generators: Generators) -> list[float]:
    """Mean distance of sorted projections, on directions of each seed's own stream."""
    axes = F.normalize(normal(generators, rows.shape[2], AXES), dim=1)
    return ((rows @ axes).sort(1).values - (others @ axes).sort(1).values).abs().mean((1, 2)).tolist()


CLAIM = Experiment(
    statement="A generator that grows comes nearer to the data than one of full size, after as many pictures.",
    sources=(
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 2 and table 1",
            stance="agrees",
            link="https://arxiv.org/abs/1710.10196",
        ),
        Source(
            who="Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN, section 4",
            stance="denies",
            link="https://arxiv.org/abs/1912.04958",
        ),
    ),
    scope=f"scenes of {SIDE} x {SIDE} pixels, convolutions of {WIDTH} channels, R1 of {PENALTY:g}, batch {BATCH}, "
    f"{STEPS:,} steps, averages",
    arms=(GROWN, WHOLE),
    estimand="sliced distance",
    says="less",
    unit="times",
    ratio=True,
    smallest_effect=1.1,
    seeds=8,
    run=run,
    rehearsal=partial(run, steps=SIZES),
    tier="full",
)
