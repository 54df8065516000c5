"""One training step of the progressive GAN on a CPU, against the same step written plainly.

Plainly is how most public ports write it: nearest doubling and then a convolution, a convolution and then pooling,
NCHW, and the optimiser and the running average as loops over parameters. Same networks, same weights, same noise, same
batch: after the timed steps both have the same losses. The two are run in turn in one process, and the ratio is taken
pair by pair, because the machine's speed drifts.
"""

import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from step_pairs import record_ratio

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.progan import Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import count_turns, means_of, set_learning_rate

RESOLUTION, MAPS, BATCH, LR, PAIRS = 32, 64, 16, 1e-3, 7
CONFIG = Config(resolution=RESOLUTION, latent_size=MAPS, fmap_max=MAPS, first_resolution=RESOLUTION, train_kimg=1)
STAGE = Stage(resolution=RESOLUTION, batch_size=BATCH, lr=LR)


def pixel_norm(x):
    return x / torch.sqrt(torch.mean(x**2, dim=1, keepdim=True) + 1e-8)


class PlainGenerator(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.ours = ours  # For its parameters and their scales only.

    def forward(self, z):
        ours = self.ours
        x = pixel_norm(z) @ (ours.latent.weight * ours.latent.scale).T
        x = x.view(len(z), -1, 4, 4) + ours.latent.bias.view(1, -1, 1, 1)
        x = pixel_norm(F.leaky_relu(x, 0.2))
        for level, block in enumerate(ours.blocks):
            for index, layer in enumerate(block):
                if level and not index:
                    x = F.interpolate(x, scale_factor=2, mode="nearest")
                x = F.conv2d(x, layer.weight * layer.scale, padding=1) + layer.bias.view(1, -1, 1, 1)
                x = pixel_norm(F.leaky_relu(x, 0.2))
        rgb = ours.to_rgb[-1]
        return F.conv2d(x, rgb.weight * rgb.scale) + rgb.bias.view(1, -1, 1, 1)


class PlainDiscriminator(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.ours = ours

    def forward(self, x):
        ours = self.ours
        rgb = ours.from_rgb[-1]
        x = F.leaky_relu(F.conv2d(x, rgb.weight * rgb.scale) + rgb.bias.view(1, -1, 1, 1), 0.2)
        for block in reversed(ours.blocks):
            first, second = block
            x = F.conv2d(x, first.weight * first.scale, padding=1) + first.bias.view(1, -1, 1, 1)
            x = F.conv2d(F.leaky_relu(x, 0.2), second.weight * second.scale, padding=1)
            x = F.leaky_relu(F.avg_pool2d(x, 2) + second.bias.view(1, -1, 1, 1), 0.2)
        y = x.view(4, -1, *x.shape[1:])
        y = torch.sqrt(((y - y.mean(0)) ** 2).mean(0) + 1e-8).mean((1, 2, 3))
        x = torch.cat([x, y.repeat(4).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)], dim=1)
        layer = ours.convolution
        x = F.leaky_relu(F.conv2d(x, layer.weight * layer.scale, padding=1) + layer.bias.view(1, -1, 1, 1), 0.2)
        x = F.leaky_relu(x.flatten(1) @ (ours.dense.weight * ours.dense.scale).T + ours.dense.bias, 0.2)
        return (x @ (ours.score.weight * ours.score.scale).T + ours.score.bias)[:, 0]


class Plain:
    """The step as a script would write it."""

    def __init__(self):
        self.model = fresh_model()
        self.generator, self.discriminator = (
            PlainGenerator(self.model.generator),
            PlainDiscriminator(self.model.discriminator),
        )
        settings = {"lr": LR, "betas": (0.0, 0.99), "eps": 1e-8, "foreach": False, "fused": False}
        self.adam_g = torch.optim.Adam(self.model.generator.parameters(), **settings)
        self.adam_d = torch.optim.Adam(self.model.discriminator.parameters(), **settings)
        self.average = [p.detach().clone() for p in self.model.generator.parameters()]
        self.nimg, self.losses = 0, {}

    def step(self, reals):
        noise = [torch.Generator().manual_seed(derive_seed(0, "noise", k, self.nimg)) for k in (0, 1)]
        self.adam_d.zero_grad()
        fakes = self.generator(torch.randn(BATCH, MAPS, generator=noise[0])).detach()
        real, fake = self.discriminator(reals), self.discriminator(fakes)
        mix = torch.rand(BATCH, generator=noise[0]).view(-1, 1, 1, 1)
        mixed = (reals + mix * (fakes - reals)).requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(mixed).sum(), mixed, create_graph=True)
        penalty = 10 * ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
        loss = (fake - real).mean() + penalty + 0.001 * (real**2).mean()
        loss.backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        loss_g = -self.discriminator(self.generator(torch.randn(BATCH, MAPS, generator=noise[1]))).mean()
        loss_g.backward()
        self.adam_g.step()
        with torch.no_grad():
            for a, p in zip(self.average, self.model.generator.parameters(), strict=True):
                a.mul_(0.999).add_(p, alpha=0.001)
        self.nimg += BATCH
        self.losses = {"D": loss.item(), "G": loss_g.item()}


class Ours:
    def __init__(self):
        self.state = new_state(fresh_model().to(memory_format=torch.channels_last))
        self.executor = Eager(self.state, seed=0, ranks=Ranks(), precision=torch.float32)

    def step(self, reals):
        self.state.sums.clear()
        self.state.counts.clear()
        set_learning_rate(self.state, LR)
        turns = self.executor.step(Pictures(images=reals.contiguous(memory_format=torch.channels_last)), STAGE)
        count_turns(self.state, turns)
        self.state.nimg += BATCH
        self.state.step += 1

    @property
    def losses(self):
        means = means_of(self.state)
        return {player: sum(v for k, v in means.items() if k.startswith(player)) for player in ("D", "G")}


def fresh_model():
    model = Model(CONFIG)
    initialise(model, stream(0, "weights"))
    return model


def main():
    ours, plain = Ours(), Plain()
    seconds = {"ours": [], "plain": []}
    for pair in range(PAIRS + 1):
        reals = torch.rand(BATCH, 3, RESOLUTION, RESOLUTION, generator=stream(pair, "reals")) * 2 - 1
        for name, side in (("ours", ours), ("plain", plain)):
            started = time.perf_counter()
            side.step(reals)
            seconds[name].append(time.perf_counter() - started)
        if pair == 0:  # The first step, before any rounding has been amplified by Adam.
            for player, value in plain.losses.items():
                assert abs(ours.losses[player] - value) < 1e-3 * abs(value), (ours.losses, plain.losses)
    timed = {name: each[1:] for name, each in seconds.items()}
    record_ratio("training step, progan 32x32, 64 maps, batch 16, CPU", timed, wanted=1.5, unit="seconds")


if __name__ == "__main__":
    main()
