"""Training steps of SNGAN and of the progressive GAN on a CPU, against those of public ports, from checkouts of them.

python -m benchmarks.public_ports [--mimicry FOLDER] [--gan-zoo FOLDER]

- mimicry (https://github.com/kwotsin/mimicry): its SNGAN of 32x32 and its steps, five moves of the discriminator and
  one of the generator, 64 and 32 maps, batches of 16, beside ``gan/sngan`` of the same widths;
- pytorch_GAN_zoo (https://github.com/facebookresearch/pytorch_GAN_zoo): its step of the progressive GAN grown to 32x32,
  64 maps, batches of 16, WGAN-GP, beside ``gan/progan``.

The parameters of both sides are counted first and must agree within a hundredth: that of GAN_zoo has a bias for each
of the generator's first pixels where the paper has one for each map. The two take turns in one process, and the ratio
of their processor times is taken pair by pair, because the machine's speed drifts. Of their code nothing is changed
but that Adam gets floats where a newer torch refuses whole numbers. ``lightweight-gan`` has a network that Ganvas has
not.
``OMP_NUM_THREADS=1``; about a minute for each.
"""

import argparse
import statistics
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.history import record
from benchmarks.ports import GanZoo

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game
from ganvas.models.gan import progan, sngan
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

SIDE, BATCH, MAPS, CRITIC_MOVES, LR, PAIRS = 32, 16, 64, 5, 2e-4, 7
LEEWAY = 0.01  # In parameters.
SNGAN = sngan.Config(
    generator_features=MAPS,
    generator_features_max=MAPS,
    discriminator_features=MAPS // 2,
    discriminator_features_max=MAPS // 2,
    batch_size=BATCH,
    generator_batches=1,
    critic_moves=CRITIC_MOVES,
    score_bias=True,
)
PROGAN = progan.Config(
    latent_size=MAPS, fmap_max=MAPS, first_resolution=SIDE, train_kimg=1, pool_before_activation=False
)

Turn = Callable[[torch.Tensor], object]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mimicry", type=Path, help="a checkout")
    arguments.add_argument("--gan-zoo", type=Path, help="a checkout")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if given.mimicry:
        ours, model = turn_of(sngan.Model(SNGAN), CRITIC_MOVES)
        compared("mimicry sngan", ours, mimicry_turn(given.mimicry, model))
    if given.gan_zoo:
        ours, model = turn_of(progan.Model(PROGAN), 1)
        compared("pytorch_GAN_zoo progan", ours, gan_zoo_turn(given.gan_zoo, model))


def compared(name: str, ours: Turn, theirs: Turn) -> None:
    """Times both in turn, and records how many times as long theirs takes."""
    sides, seconds = {"ours": ours, "theirs": theirs}, {"ours": [], "theirs": []}
    for pair in range(PAIRS + 1):
        reals = torch.rand(BATCH, 3, SIDE, SIDE, generator=stream(pair, "reals")) * 2 - 1
        for side in sorted(sides, reverse=bool(pair % 2)):
            started = time.process_time()
            sides[side](reals)
            if pair:  # The first turn warms up.
                seconds[side].append(time.process_time() - started)
    ratios = [slow / fast for slow, fast in zip(seconds["theirs"], seconds["ours"], strict=True)]
    values = {"ratio": statistics.median(ratios), "lowest_ratio": min(ratios), "highest_ratio": max(ratios)}
    values |= {f"{side}_sec": statistics.median(found) for side, found in seconds.items()}
    rounded = {key: round(value, 3) for key, value in values.items()}
    record(f"public_ports.{name}", {**rounded, "turns": PAIRS, "threads": torch.get_num_threads()})


def turn_of(model: Game, moves: int) -> tuple[Turn, Game]:
    """So many steps as the loop plays them, after which every player has moved, and the model."""
    initialise(model, stream(0, "weights"))
    state = new_state(model.to(memory_format=torch.channels_last))
    executor = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    set_learning_rate(state, LR)
    stage = Stage(resolution=SIDE, batch_size=BATCH, lr=LR)

    def turn(reals: torch.Tensor) -> None:
        batch = Pictures(images=reals.contiguous(memory_format=torch.channels_last))
        for _ in range(moves):
            executor.step(batch, stage)
            state.nimg += len(reals)
            state.step += 1

    return turn, model


def mimicry_turn(checkout: Path, ours: Game) -> Turn:
    """The moves of its trainer; its package is not run as a whole, which asks for TensorFlow and TensorBoard."""
    package = types.ModuleType("torch_mimicry")
    package.__path__ = [str(checkout / "torch_mimicry")]
    sys.modules["torch_mimicry"] = package
    from torch_mimicry.nets.sngan.sngan_32 import SNGANDiscriminator32, SNGANGenerator32

    generator, discriminator = SNGANGenerator32(ngf=MAPS), SNGANDiscriminator32(ndf=MAPS // 2)
    alike(ours, generator, discriminator)
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), LR, betas=(0.0, 0.9)) for net in (generator, discriminator))
    log = types.SimpleNamespace(add_metric=lambda *arguments, **named: None)

    def turn(reals: torch.Tensor) -> None:
        real_batch = (reals, None)
        for _ in range(CRITIC_MOVES):
            discriminator.train_step(real_batch=real_batch, netG=generator, optD=adam_d, log_data=log)
        generator.train_step(real_batch=real_batch, netD=discriminator, optG=adam_g, log_data=log)

    return turn


def gan_zoo_turn(checkout: Path, ours: Game) -> Turn:
    """One call of its ``optimizeParameters``, which moves both players and the average."""
    port = GanZoo(checkout, lambda: 1.0, widths=4 * [MAPS], latent=MAPS)
    port.grow()
    alike(ours, port.model.netG, port.model.netD)
    return port.model.optimizeParameters


def alike(ours: Game, *theirs: torch.nn.Module) -> None:
    """Ends where the two sides are not nearly as large: then they are not the same networks."""
    our, their = (sum(weight.numel() for part in parts for weight in part.parameters()) for parts in ([ours], theirs))
    if abs(our - their) > LEEWAY * our:
        sys.exit(f"Ours has {our:,} parameters, theirs {their:,}: these are not the same networks.")


if __name__ == "__main__":
    main()
