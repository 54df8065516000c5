"""Training steps of free-form inpainting on a CPU, against the same steps with its networks written plainly.

Plainly is how the authors' code reads: two convolutions for the features and for the gates, in NCHW; contextual
attention one picture after the other with its scores held whole; Adam as a loop over parameters. Same game, same
weights, same batch: the first step has the same losses. The two are run in turn in one process, and the ratio is taken
pair by pair, because the machine's speed drifts.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from contextual_attention import published
from step_pairs import play_steps, record_ratio, take_turns

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.fill.gated import Model
from ganvas.nn.blocks.contextual_attention import ContextualAttention
from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.recipes.fill import gated
from ganvas.train.execution.executors import Eager
from ganvas.train.feeds.picture_feed import masks
from ganvas.train.state import new_state

CONFIG = gated.small().config
STEPS, PAIRS = 4, 5


class PlainGated(nn.Module):
    """Two convolutions, of features and of gates."""

    def __init__(self, ours):
        super().__init__()
        whole, self.activation = ours.convolution, ours.activation
        self.options = (whole.stride, whole.padding, whole.dilation)
        halves = zip(whole.weight.chunk(2), whole.bias.chunk(2), strict=True)
        parts = [
            (nn.Parameter(weight.detach().clone()), nn.Parameter(bias.detach().clone())) for weight, bias in halves
        ]
        (self.weight, self.bias), (self.gate_weight, self.gate_bias) = parts

    def forward(self, x):
        features = F.conv2d(x, self.weight, self.bias, *self.options)
        gates = F.conv2d(x, self.gate_weight, self.gate_bias, *self.options)
        return self.activation(features) * torch.sigmoid(gates)


class PlainAttention(nn.Module):
    def forward(self, x, mask):
        return torch.cat([published(x[at : at + 1], mask[at : at + 1]) for at in range(len(x))])


def plainly(model):
    """The same networks with their gates and their attention exchanged."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, GatedConv2d):
                setattr(parent, name, PlainGated(child))
            elif isinstance(child, ContextualAttention):
                setattr(parent, name, PlainAttention())
    return model


class Side:
    """A game in training: ours, or plain."""

    def __init__(self, *, plain):
        model = Model(CONFIG)
        initialise(model, stream(0, "weights"))
        self.layout = torch.contiguous_format if plain else torch.channels_last
        self.state = new_state((plainly(model) if plain else model).to(memory_format=self.layout))
        if plain:
            for player in self.state.players:
                settings = player.settings
                player.optimizer = torch.optim.Adam(
                    player.parameters.values(), betas=(settings.beta1, settings.beta2), foreach=False, fused=False
                )
        self.executor = Eager(self.state, seed=0, ranks=Ranks(), precision=torch.float32)

    def turn(self, images, mask, steps):
        """Processor seconds of some steps, and the mean losses."""
        batch = Pictures(images=images.contiguous(memory_format=self.layout), mask=mask)
        return play_steps(self.state, self.executor, batch, steps)


def inputs(pair):
    """Pictures and masks of a turn."""
    size, count = CONFIG.picture.size, CONFIG.batch_size
    images = torch.rand(count, 3, *size, generator=stream(pair, "reals")) * 2 - 1
    return images, masks("free-form", torch.arange(count), size, seed=pair)


def main():
    torch.set_num_threads(1)
    sides = {"ours": Side(plain=False), "plain": Side(plain=True)}
    seconds = take_turns(sides, inputs, pairs=PAIRS, steps=STEPS)
    record_ratio("training steps, fill/gated 32x32, preset small, batch 16, CPU", seconds, wanted=1.3)


if __name__ == "__main__":
    main()
