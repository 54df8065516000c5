"""The residual networks of lines of one length: convolutions along the line, from latents to tokens and to one number.

Gulrajani et al. 2017, WGAN-GP, appendix (https://arxiv.org/abs/1704.00028) and the authors' gan_language.py: blocks of
ReLU, convolution, ReLU, convolution of width 5, whose sum is added at 0.3; no normalisation.
"""

import math

from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.shapes import Latents, PerSample
from ganvas.networks.sequences.line_classifier import Weights
from ganvas.nn.layers.plain_layers import Conv1d, Linear

SHARE = 0.3  # Of a block's answer.
KERNEL = 5

Features = Float[Tensor, "n c l"]


class LineBlock(nn.Module):
    """``x + 0.3 conv(relu(conv(relu(x))))``."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = Conv1d(features, features, KERNEL, padding=KERNEL // 2)
        self.second = Conv1d(features, features, KERNEL, padding=KERNEL // 2)

    def forward(self, x: Features) -> Features:
        return x + SHARE * self.second(self.first(x.relu()).relu())


class LineGenerator(nn.Module):
    """From latents to weights of tokens: a dense layer, blocks, and a softmax at every place.

    Args:
        line: The size of the lines.
        latent_size: Numbers of a latent.
        features: Channels of every block.
        blocks: How many.
    """

    def __init__(self, line: LineSize, *, latent_size: int, features: int, blocks: int) -> None:
        super().__init__()
        self.length = line.length
        outputs = line.length * features
        self.dense = Linear(latent_size, outputs, std=math.sqrt(2 / (latent_size + outputs)))
        self.blocks = nn.Sequential(*(LineBlock(features) for _ in range(blocks)))
        self.output = Conv1d(features, line.alphabet, 1)

    def forward(self, z: Latents) -> Weights:
        """Weights of tokens, which sum to 1 at every place."""
        rows = self.dense(z).unflatten(1, (-1, self.length))
        return self.output(self.blocks(rows)).softmax(1).transpose(1, 2)


class LineCritic(nn.Module):
    """From weights of tokens to one number: blocks, and a dense layer of all places.

    The last two biases stay at 0: a Wasserstein loss has no slope there.

    Args:
        line: The size of the lines.
        features: Channels of every block.
        blocks: How many.
    """

    def __init__(self, line: LineSize, *, features: int, blocks: int) -> None:
        super().__init__()
        self.input = Conv1d(line.alphabet, features, 1)
        self.blocks = nn.Sequential(*(LineBlock(features) for _ in range(blocks)))
        inputs = line.length * features
        self.output = Linear(inputs, 1, std=math.sqrt(2 / (inputs + 1)))
        last = [layer for layer in self.blocks if isinstance(layer, LineBlock)][-1]
        for layer in (last.second, self.output):  # What they add cancels in every difference of two verdicts.
            if layer.bias is not None:
                layer.bias.requires_grad_(False)

    def forward(self, weights: Weights) -> PerSample:
        return self.output(self.blocks(self.input(weights.transpose(1, 2))).flatten(1)).squeeze(1)
