"""Training steps of SNGAN at 32 x 32 on a CPU, against the same steps as a script would write them.

One turn is as many moves of the discriminator as the generator waits for, and its own. Plainly is how most public ports
write it: torch's ``spectral_norm``, reals and fakes in two passes, nearest doubling and then a convolution, a
convolution and then pooling, NCHW, the discriminator's gradients computed in the generator's move too, torch's default
Adam, a running average as a loop over parameters. Same widths, same start, same batch sizes. Before the timing both say
the same of the same pictures. The two are run in turn in one process, and the ratio is taken pair by pair, because the
machine's speed drifts.
"""

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

sys.path.insert(0, str(Path(__file__).parent))
from history import record

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.sngan import Model
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.spectral_norm import SpectralNorm
from ganvas.recipes.gan import sngan
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

CONFIG = replace(
    sngan.small().config, generator_features=32, discriminator_features=32, critic_moves=2, generator_batches=2
)
PAIRS = 9


def plain_layer(layer):
    """torch's layer with our weights, spectrally normalised where ours is; a 3 x 3 convolution of a doubling too."""
    normalised = isinstance(layer, SpectralNorm)
    ours = layer.layer if normalised else layer
    rows, columns = ours.weight.shape[:2]
    if ours.weight.ndim == 4:
        side = ours.weight.shape[2]
        theirs = nn.Conv2d(columns, rows, side, padding=side // 2, bias=ours.bias is not None)
    else:
        theirs = nn.Linear(columns, rows, bias=ours.bias is not None)
    theirs.load_state_dict({name: tensor.detach().clone() for name, tensor in ours.named_parameters()})
    if normalised:
        spectral_norm(theirs)
        theirs.weight_u.copy_(layer.power.u)
        theirs.weight_v.copy_(layer.power.v)
    return theirs


class PlainGenerator(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.shape = ours.first_shape
        self.first, self.last = plain_layer(ours.first), plain_layer(ours.last[2])
        self.blocks = nn.ModuleList(PlainDoubling(block) for block in ours.blocks)
        self.last_norm = nn.BatchNorm2d(ours.last[2].weight.shape[1])

    def forward(self, z):
        x = self.first(z).view(-1, *self.shape)
        for block in self.blocks:
            x = block(x)
        return torch.tanh(self.last(F.relu(self.last_norm(x))))


class PlainDoubling(nn.Module):
    def __init__(self, ours):
        super().__init__()
        before, after = ours.doubling.weight.shape[1], ours.doubling.weight.shape[0]
        self.norm1, self.norm2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
        self.conv1, self.conv2 = plain_layer(ours.doubling), plain_layer(ours.convolution)
        self.shortcut = plain_layer(ours.shortcut[0])

    def forward(self, x):
        y = self.conv1(F.interpolate(F.relu(self.norm1(x)), scale_factor=2))
        y = self.conv2(F.relu(self.norm2(y)))
        return y + self.shortcut(F.interpolate(x, scale_factor=2))


class PlainDiscriminator(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.blocks = nn.ModuleList(PlainBlock(block, first=not at) for at, block in enumerate(ours.blocks))
        self.score = plain_layer(ours.score)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.score(F.relu(x).sum((2, 3)))[:, 0]


class PlainBlock(nn.Module):
    def __init__(self, ours: Residual, *, first):
        super().__init__()
        self.first = first
        self.conv1, self.conv2 = (plain_layer(part) for part in ours.branch if isinstance(part, SpectralNorm))
        shortcuts = [part for part in ours.shortcut.modules() if isinstance(part, SpectralNorm)]
        self.shortcut = plain_layer(shortcuts[0]) if shortcuts else None
        self.halves = any(isinstance(part, nn.AvgPool2d) for part in ours.shortcut.modules())

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if self.shortcut is not None:
            x = self.shortcut(F.avg_pool2d(x, 2) if self.first else x)
        if self.halves:
            y = F.avg_pool2d(y, 2)
            x = x if self.first else F.avg_pool2d(x, 2)
        return x + y


class Plain:
    """The turn as a script would write it."""

    def __init__(self, model):
        self.generator, self.discriminator = PlainGenerator(model.generator), PlainDiscriminator(model.discriminator)
        betas = (CONFIG.beta1, CONFIG.beta2)
        self.adam_g = torch.optim.Adam(self.generator.parameters(), lr=CONFIG.lr, betas=betas)
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), lr=CONFIG.lr, betas=betas)
        self.average = [parameter.detach().clone() for parameter in self.generator.parameters()]

    def turn(self, reals):
        for _ in range(CONFIG.critic_moves):
            self.adam_d.zero_grad()
            fakes = self.generator(torch.randn(len(reals), CONFIG.latent_size)).detach()
            real, fake = self.discriminator(reals), self.discriminator(fakes)
            (F.relu(1 - real).mean() + F.relu(1 + fake).mean()).backward()
            self.adam_d.step()
        self.adam_g.zero_grad()
        z = torch.randn(CONFIG.generator_batches * len(reals), CONFIG.latent_size)
        (-self.discriminator(self.generator(z)).mean()).backward()
        self.adam_g.step()
        with torch.no_grad():
            for average, parameter in zip(self.average, self.generator.parameters(), strict=True):
                average.mul_(CONFIG.average_decay).add_(parameter, alpha=1 - CONFIG.average_decay)


class Ours:
    """The turn as the loop plays it."""

    def __init__(self, model):
        self.state = new_state(model.to(memory_format=torch.channels_last))
        self.executor = Eager(self.state, seed=0, ranks=Ranks(), precision=torch.float32)
        set_learning_rate(self.state, CONFIG.lr)

    def turn(self, reals):
        batch = Pictures(images=reals.contiguous(memory_format=torch.channels_last))
        for _ in range(CONFIG.critic_moves):
            self.executor.step(batch, self.state.model.schedule().at(0))
            self.state.nimg += len(reals)
            self.state.step += 1


def main():
    model = Model(CONFIG)
    initialise(model, stream(0, "weights"))
    plain = Plain(model)
    agree(model, plain)
    sides, seconds = {"ours": Ours(model), "plain": plain}, {"ours": [], "plain": []}
    for pair in range(PAIRS + 1):
        height, width = CONFIG.picture.size
        reals = torch.rand(CONFIG.batch_size, 3, height, width, generator=stream(pair, "reals")) * 2 - 1
        for name in sorted(sides, reverse=bool(pair % 2)):
            started = time.perf_counter()
            sides[name].turn(reals)
            if pair:  # The first turn warms up.
                seconds[name].append(time.perf_counter() - started)
    ratios = [slow / fast for slow, fast in zip(seconds["plain"], seconds["ours"], strict=True)]
    record(
        "step.sngan",
        {
            "ratio": round(statistics.median(ratios), 2),
            "lowest_ratio": round(min(ratios), 2),
            "highest_ratio": round(max(ratios), 2),
            "ours_sec": round(statistics.median(seconds["ours"]), 3),
            "plain_sec": round(statistics.median(seconds["plain"]), 3),
            "turns": PAIRS,
            "threads": torch.get_num_threads(),
        },
    )


@torch.no_grad()
def agree(model, plain):
    """Both draw and judge alike at the start, in evaluation, so that no statistic and no vector moves."""
    z = torch.randn(4, CONFIG.latent_size, generator=stream(1, "z"))
    parts = [model.generator, model.discriminator, plain.generator, plain.discriminator]
    for part in parts:
        part.eval()
    ours, theirs = model.generator(z), plain.generator(z)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.discriminator(ours), plain.discriminator(ours), rtol=1e-4, atol=1e-4)
    for part in parts:
        part.train()


if __name__ == "__main__":
    main()
