"""The gates of claims that a verdict does not say: fixed bounds, each with a twin that must miss it.

- ``critic``: the loss of an unbounded critic at 2,000 steps is beyond ten times that at 500, between two Gaussians and
  between two samples of 64 points of one (medians over 12 seeds); twin: weights held to .05. Of one Gaussian that is
  drawn anew for every step there is nothing to be steep about: the loss stays at 0.
- ``averages``: on eight Gaussians the average of the generator's weights has 8 modes in 10 of 12 seeds, and a mean
  sliced distance of .11 at most; twin: a discriminator that sees a generator 16 steps old ends beyond 1, and one that
  sees it 4 steps old does not.
- ``depths``: the mean training loss of plain networks of 42 layers is above five times that of 18 layers, with batch
  norm (8 seeds); twin: residual networks stay below twice, or both of their losses below .1: a ratio of two that are
  nearly nothing says nothing.
- ``gradients``: at the start of a plain network of 42 layers the gradient grows 50-fold on its way to the input; twin:
  a residual one stays below 20 (medians over 8 seeds).
- ``speeds``: under Adam the fastest of layers of unlike width is at most 1.6 times as fast as the slowest where weights
  are scaled at run time; twin: 3 times or more without (medians over 8 seeds).
- ``pools``: one pixel on 32 x 32 is found again behind four max-poolings with 16 channels in 80 % of places; twin: 5 %
  at most of the same network untrained.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_claims [PART ...]``; some 5 minutes of one core for all.
"""

from itertools import pairwise
from statistics import mean, median

import torch
import torch.nn.functional as F
from benchmarks.gates.preset_run import run_parts
from torch import Tensor, nn

from benchmarks import history
from ganvas.claims.batched.ring_game import RingGame, played
from ganvas.claims.batched.scene_classes import Net, Training, trained
from ganvas.claims.batched.stacks import dense, descend, generators_of, normal, started
from ganvas.claims.speeds._layers import speeds

SEEDS = range(1000, 1012)  # None that a setting was looked at with.
EARLY, LATE, GAP, CLIP = 500, 2000, 2.0, 0.05
GAME_STEPS, PENALTY, DELAY, SHORT_DELAY = 4000, 1.0, 16, 4
DEEP, SHALLOW, DEPTH_STEPS, LEARNT = 42, 18, 150, 0.1
LAYERS, CHANNELS, SIDE, BATCH = 42, 12, 8, 32
FIELD, POOLS, CODE, POOL_STEPS = 32, 4, 16, 700


def main() -> None:
    """Computes, records, and ends with an error where a bound is missed or a twin keeps to it."""
    parts = (critic, averages, depths, gradients, layer_speeds, pools)
    run_parts({part.__name__.removeprefix("layer_"): part for part in parts}, __doc__)


def critic() -> list[str]:
    """An unbounded critic between two laws and between two samples of one, and one whose weights are clipped."""
    found = {
        "two laws": critic_losses(),
        "two samples": critic_losses(samples=True),
        "clipped": critic_losses(clip=CLIP),
    }
    history.record("gate_claims.critic", {name: {"500": early, "2000": late} for name, (early, late) in found.items()})
    return [
        f"critic, {name}: {late:g} at 2,000 steps, {early:g} at 500"
        for name, (early, late) in found.items()
        if (late < 10 * early) == (name == "clipped")
    ]


def critic_losses(*, samples: bool = False, clip: float | None = None) -> tuple[float, float]:
    """Medians over seeds of the loss, fakes less reals, at 500 and at 2,000 steps."""
    generators = generators_of(SEEDS)
    stack = started(generators, (2, 64, 64, 1))
    descent = torch.optim.Adam(stack, lr=1e-3, betas=(0.0, 0.99))
    fixed = (normal(generators, 64, 2), normal(generators, 64, 2))

    def losses(n: int) -> Tensor:
        real, fake = fixed if samples else (normal(generators, n, 2), normal(generators, n, 2) + GAP)
        return (dense(stack, fake) - dense(stack, real)).mean((1, 2))

    found = []
    for step in range(1, LATE + 1):
        descend(losses(64).sum(), descent, stack)
        with torch.no_grad():
            if clip is not None:
                for part in stack:
                    part.clamp_(-clip, clip)
            if step in (EARLY, LATE):
                found.append(median(losses(1024).tolist()))
    return found[0], found[1]


def averages() -> list[str]:
    """The average of a generator, and a game whose discriminator sees an old one."""
    game = played(RingGame(penalty=PENALTY), SEEDS, GAME_STEPS)
    modes, distance = game.modes(averaged=True), mean(game.distance(averaged=True))
    late, less_late = (
        mean(played(RingGame(penalty=PENALTY, delay=delay), SEEDS, GAME_STEPS).distance())
        for delay in (DELAY, SHORT_DELAY)
    )
    found = {
        "modes": modes,
        "distance": distance,
        "raw": {"modes": mean(game.modes()), "distance": mean(game.distance())},
        f"delayed by {DELAY}": late,
        f"delayed by {SHORT_DELAY}": less_late,
    }
    history.record("gate_claims.averages", found)
    return [
        *([] if sum(one == 8 for one in modes) >= 10 else [f"averages: 8 modes are wanted in 10 of 12, not {modes}"]),
        *([] if distance <= 0.11 else [f"averages: a distance of {distance:g} is above .11"]),
        *([] if late > 1 else [f"averages: a delay of {DELAY} ends at {late:g}, not beyond 1"]),
        *([] if less_late <= 1 else [f"averages: a delay of {SHORT_DELAY} ends at {less_late:g}, beyond 1"]),
    ]


def depths() -> list[str]:
    """Training losses of plain and of residual networks by depth."""
    ratios, highest = {}, {}
    for kind, shortcut in (("plain", None), ("residual", 1.0)):
        losses = {
            depth: trained(Net(depth=depth, norm=True, shortcut=shortcut), SEEDS[:8], Training(steps=DEPTH_STEPS)).train
            for depth in (DEEP, SHALLOW)
        }
        history.record(f"gate_claims.depths {kind}", {str(depth): found for depth, found in losses.items()})
        deep, shallow = mean(losses[DEEP]), mean(losses[SHALLOW])
        ratios[kind], highest[kind] = deep / shallow, max(deep, shallow)
    stays = ratios["residual"] < 2 or highest["residual"] < LEARNT
    plain = [] if ratios["plain"] > 5 else [f"depths: plain networks lose {ratios['plain']:g} times as much, not 5"]
    return plain + ([] if stays else [f"depths: residual ones lose {ratios['residual']:g} times as much"])


def gradients() -> list[str]:
    """The gradient at the first layer by that at the last, of plain and of residual networks at their start."""
    plain, residual = (median(gradient_ratio(seed, shortcut=shortcut) for seed in SEEDS[:8]) for shortcut in (0, 1))
    history.record("gate_claims.gradients", {"plain": plain, "residual": residual})
    return [
        *([] if plain > 50 else [f"gradients: of a plain network {plain:g} times, not 50"]),
        *([] if residual < 20 else [f"gradients: of a residual one {residual:g} times"]),
    ]


def gradient_ratio(seed: int, *, shortcut: float) -> float:
    """Root mean square of the loss's gradient at the output of the first layer by that at the last."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(BATCH, CHANNELS, SIDE, SIDE, generator=rng).requires_grad_()
    outputs, kept = [], x
    for layer in range(LAYERS):
        weight = torch.randn(CHANNELS, CHANNELS, 3, 3, generator=rng) * (2 / (9 * CHANNELS)) ** 0.5
        x = F.batch_norm(F.conv2d(x, weight, padding=1), None, None, training=True)
        if layer % 2 == 1:
            x = kept = x + shortcut * kept
        outputs.append(x)
        x = F.relu(x)
    verdicts = x.mean((2, 3)) @ torch.randn(CHANNELS, 10, generator=rng) / CHANNELS**0.5
    labels = torch.randint(10, (BATCH,), generator=rng)
    first, last = torch.autograd.grad(F.cross_entropy(verdicts, labels), [outputs[0], outputs[-1]])
    return float(first.norm() / last.norm())


def layer_speeds() -> list[str]:
    """The fastest layer by the slowest, under Adam, with weights that are scaled at run time and without."""
    scaled, stored = (
        median(max(moved) / min(moved) for seed in SEEDS[:8] for moved in [adam_speeds(seed, scaled=scaled)])
        for scaled in (True, False)
    )
    history.record("gate_claims.speeds", {"scaled at run time": scaled, "stored": stored})
    return [
        *([] if scaled <= 1.6 else [f"speeds: {scaled:g} with weights scaled at run time, above 1.6"]),
        *([] if stored >= 3 else [f"speeds: {stored:g} without, not 3"]),
    ]


def adam_speeds(seed: int, *, scaled: bool) -> list[float]:
    """Relative change of every layer's weight in its first 20 steps."""
    return speeds(seed, optimiser="adam", lr=0.003, scaled=scaled)


def pools() -> list[str]:
    """Places of one pixel that are found behind four poolings, by a network that was trained for it and before."""
    torch.manual_seed(SEEDS[0])
    net = pooled_network()
    before = found_again(net)
    descent = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(POOL_STEPS):
        places = torch.randint(FIELD * FIELD, (64,))
        descent.zero_grad()
        F.cross_entropy(net(pixel_at(places)), places).backward()
        descent.step()
    after = found_again(net)
    history.record("gate_claims.pools", {"found": after, "untrained": before, "channels": CODE})
    return [
        *([] if after >= 0.8 else [f"pools: {after:.0%} of places are found, not 80 %"]),
        *([] if before <= 0.05 else [f"pools: {before:.0%} without training"]),
    ]


def pooled_network() -> nn.Sequential:
    """Four times a convolution of 3 x 3 and a max-pooling, and back to a score for every place by dense layers."""
    widths = (1, 32, 32, 32, CODE)
    halved = [part for a, b in pairwise(widths) for part in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))]
    code = CODE * (FIELD >> POOLS) ** 2
    return nn.Sequential(*halved, nn.Flatten(), nn.Linear(code, 256), nn.ReLU(), nn.Linear(256, FIELD * FIELD))


def pixel_at(places: Tensor) -> Tensor:
    """Pictures that are black but for one pixel, so bright that the mean square of a picture is 1.

    With a brightness of 1 the signal behind four poolings is so small that some starts never learn.
    """
    return FIELD * F.one_hot(places, FIELD * FIELD).float().view(-1, 1, FIELD, FIELD)


@torch.no_grad()
def found_again(net: nn.Module) -> float:
    """The share of all places where the highest score is that of the pixel."""
    places = torch.arange(FIELD * FIELD)
    return float((net(pixel_at(places)).argmax(1) == places).double().mean())


if __name__ == "__main__":
    main()
