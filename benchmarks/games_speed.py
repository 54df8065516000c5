"""Sixteen training steps of StyleGAN2 on a CPU, against the same steps with its networks written plainly.

Sixteen steps are one whole turn: sixteen moves of either player, four path length penalties, one R1. Plainly is how the
equations read: a kernel for every sample and a convolution in groups, a picture with zeros between its pixels that is
filtered and then convolved at full size, gains and biases one after the other, NCHW, Adam as a loop over parameters.
Same game, same weights, same noise, same batch: after the first turn both have the same losses. The two are run in
turn in one process, and the ratio is taken pair by pair, because the machine's speed drifts.
"""

import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from step_pairs import play_steps, record_ratio

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.stylegan2 import Model
from ganvas.nn.layers.initialise import initialise
from ganvas.recipes.gan import stylegan2
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state

CONFIG = stylegan2.small().config
TURN, PAIRS = CONFIG.r1_interval, 3
LINE = torch.tensor([1.0, 3.0, 3.0, 1.0])


def filtered(x, before, after, gain=1.0):
    """Every channel by the 4 x 4 binomial kernel."""
    kernel = gain * torch.outer(LINE, LINE) / 64
    x = F.pad(x, (before, after, before, after))
    return F.conv2d(x, kernel.repeat(x.shape[1], 1, 1, 1), groups=x.shape[1])


def with_zeros(x):
    n, c, h, w = x.shape
    x = F.pad(x.view(n, c, h, 1, w, 1), (0, 1, 0, 0, 0, 1))
    return x.reshape(n, c, 2 * h, 2 * w)


def kernels_of(layer, w):
    """One kernel per sample (equations 1 and 3)."""
    kernels = layer.weight * (layer.style(w) * layer.scale)[:, None, :, None, None]
    if layer.demodulate:
        kernels = kernels / torch.sqrt((kernels**2).sum((2, 3, 4), keepdim=True) + 1e-8)
    return kernels


def in_groups(x, kernels, padding):
    n, c, h, w = x.shape
    y = F.conv2d(x.reshape(1, n * c, h, w), kernels.flatten(0, 1), padding=padding, groups=n)
    return y.view(n, -1, *y.shape[2:])


class PlainSynthesis(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.ours = ours
        self.num_styles, self.noise_sizes = ours.num_styles, ours.noise_sizes

    def forward(self, styles, noise):
        x = self.ours.constant.repeat(len(styles), 1, 1, 1)
        images = None
        for at, (layer, added) in enumerate(zip(self.ours.layers, noise, strict=True)):
            kernels = kernels_of(layer.convolution, styles[:, at])
            if layer.convolution.up:
                x = in_groups(filtered(with_zeros(x), 3, 2, gain=4.0), kernels, 0)
            else:
                x = in_groups(x, kernels, 1)
            x = x + layer.strength * added
            x = F.leaky_relu(x + layer.bias.view(1, -1, 1, 1), 0.2) * 2**0.5
            if at % 2 == 0:
                to_rgb = self.ours.to_rgb[at // 2]
                rgb = in_groups(x, kernels_of(to_rgb.convolution, styles[:, at + 1]), 0) + to_rgb.bias.view(1, -1, 1, 1)
                images = rgb if images is None else filtered(with_zeros(images), 2, 1, gain=4.0) + rgb
        return images


class PlainDiscriminator(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.ours = ours

    def forward(self, images, labels=None):
        ours = self.ours
        x = convolved(images, ours.from_rgb)
        for block in ours.blocks:
            shortcut = F.conv2d(filtered(x, 1, 1)[:, :, ::2, ::2], block.shortcut.weight / x.shape[1] ** 0.5)
            x = convolved(x, block.convolution, padding=1)
            x = convolved(filtered(x, 2, 2), block.halving, stride=2)
            x = (x + shortcut) / 2**0.5
        x = convolved(ours.stddev(x), ours.convolution, padding=1)
        x = x.flatten(1) @ ours.dense.weight.T / ours.dense.weight.shape[1] ** 0.5 + ours.dense.bias
        x = F.leaky_relu(x, 0.2) * 2**0.5
        return (x @ ours.score.weight.T / ours.score.weight.shape[1] ** 0.5 + ours.score.bias)[:, 0]


def convolved(x, layer, **options):
    x = F.conv2d(x, layer.weight / layer.weight[0].numel() ** 0.5, **options) + layer.bias.view(1, -1, 1, 1)
    return F.leaky_relu(x, 0.2) * 2**0.5


class Side:
    """A game in training: ours, or plain."""

    def __init__(self, *, plain):
        model = Model(CONFIG)
        initialise(model, stream(0, "weights"))
        self.layout = torch.contiguous_format if plain else torch.channels_last
        if plain:
            model.generator.synthesis = PlainSynthesis(model.generator.synthesis)
            model.discriminator = PlainDiscriminator(model.discriminator)
        self.state = new_state(model.to(memory_format=self.layout))
        if plain:
            for player in self.state.players:
                settings = player.settings
                player.optimizer = torch.optim.Adam(
                    player.parameters.values(), betas=(settings.beta1, settings.beta2), foreach=False, fused=False
                )
        self.executor = Eager(self.state, seed=0, ranks=Ranks(), precision=torch.float32)

    def turn(self, reals):
        """Seconds of sixteen steps, and the mean losses."""
        batch = Pictures(images=reals.contiguous(memory_format=self.layout))
        return play_steps(self.state, self.executor, batch, TURN, clock=time.perf_counter)


def main():
    sides = {"ours": Side(plain=False), "plain": Side(plain=True)}
    seconds = {"ours": [], "plain": []}
    for pair in range(PAIRS + 1):
        height, width = CONFIG.picture.size
        reals = torch.rand(CONFIG.batch_size, 3, height, width, generator=stream(pair, "reals")) * 2 - 1
        losses = {}
        for name, side in sides.items():
            taken, losses[name] = side.turn(reals)
            seconds[name].append(taken)
        if pair == 0:  # The first turn, before rounding has been amplified for long.
            for name, value in losses["plain"].items():
                assert abs(losses["ours"][name] - value) < 0.05 * abs(value), (name, losses)
    a_step = {name: [taken / TURN for taken in each[1:]] for name, each in seconds.items()}
    record_ratio("training steps, stylegan2 32x32, preset small, batch 16, CPU", a_step, wanted=1.3, unit="seconds")


if __name__ == "__main__":
    main()
